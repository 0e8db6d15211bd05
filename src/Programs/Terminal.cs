using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Runs;
using Spectre.Console;

namespace Gradpath.Programs;

/// <summary>Where a command reads and writes. Results go to the output, progress and errors to the error stream.</summary>
internal sealed class Terminal
{
    // Tables in a log or a file are not squeezed into the 80 columns of a terminal that is not there.
    private const int WidthOfFiles = 120;

    private const string WarningKind = "warning";
    private const string NoteKind = "note";

    private readonly List<string> _warnings = [];
    private readonly List<string> _notes = [];
    private ProgressLines? _progress;

    public Terminal(TextReader input, TextWriter output, TextWriter error)
    {
        In = input;
        Out = output;
        Error = error;
        Console = Create(output, ReferenceEquals(output, System.Console.Out) && !System.Console.IsOutputRedirected);
        ShowsProgress = ReferenceEquals(error, System.Console.Error) && !System.Console.IsErrorRedirected;
        ErrorConsole = Create(error, ShowsProgress);
    }

    /// <summary>Standard input.</summary>
    public TextReader In { get; }

    /// <summary>Where plain lines of results go: standard output, unless a file of the command goes there.</summary>
    public TextWriter Out { get; private set; }

    /// <summary>Standard error, for plain lines.</summary>
    public TextWriter Error { get; }

    /// <summary>Where tables go: as <see cref="Out"/>.</summary>
    public IAnsiConsole Console { get; private set; }

    /// <summary>Standard error, for progress bars.</summary>
    public IAnsiConsole ErrorConsole { get; }

    /// <summary>Whether somebody watches the error stream.</summary>
    public bool ShowsProgress { get; }

    /// <summary>The clock of progress.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The lines of progress of the command that runs.</summary>
    public ProgressLines Progress => _progress ??= new ProgressLines(Time, Note);

    /// <summary>Told of the progress of long work where no bar shows it; null where nobody asks.</summary>
    public IProgress<RunProgress>? Watcher { get; init; }

    /// <summary>The signal that has asked the command to stop; null where none has.</summary>
    public StopCause? StoppedBy { get; set; }

    /// <summary>Asks the command to stop, as a signal would but never at once; null where nobody listens.</summary>
    public Action<StopCause>? Stop { get; set; }

    /// <summary>Whether the command has work that it saves before it stops; until then it is waited for.</summary>
    public bool HasWorkToSave { get; set; }

    /// <summary>Whether the output can show block characters.</summary>
    public bool Unicode => Console.Profile.Capabilities.Unicode;

    /// <summary>Reads a variable of the environment.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>The options that variables gave, with the variables.</summary>
    public IReadOnlyDictionary<string, string> FromEnvironment { get; set; } = new Dictionary<string, string>();

    /// <summary>The command that runs; null before one is known.</summary>
    public string? Verb { get; set; }

    /// <summary>The options of the command that runs; null before one is known.</summary>
    public Type? Options { get; set; }

    /// <summary>Whether the result is written as JSON.</summary>
    public bool Json { get; set; }

    /// <summary>Whether the error stream has errors alone.</summary>
    public bool Quiet { get; set; }

    /// <summary>Whether a warning ends the command.</summary>
    public bool Strict { get; set; }

    /// <summary>Whether the error stream also says what is loaded, planned and timed.</summary>
    public bool Verbose { get; set; }

    /// <summary>The warnings so far.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>The notes so far.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Leaves standard output to a file of the command, so that a pipe gets that alone; lines and tables go to the error
    /// stream.</summary>
    public void LeaveOutput()
    {
        Out = Error;
        Console = ErrorConsole;
    }

    /// <summary>Says what a user should know of a result, on the error stream and in JSON.</summary>
    /// <param name="warning">The warning.</param>
    /// <param name="kind">What its line begins with.</param>
    /// <exception cref="GradpathException">The command line asks for errors in the place of warnings.</exception>
    public void Warn(string warning, string kind = WarningKind)
    {
        if (Strict) throw new GradpathException($"{warning} (an error because of --strict)");
        _warnings.Add(warning);
        Note($"{kind}: {warning}");
    }

    /// <summary>Says what a user may want to know of a run, on the error stream and in JSON. Nothing is wrong with it.</summary>
    /// <param name="note">The note.</param>
    public void Remark(string note)
    {
        _notes.Add(note);
        Note($"{NoteKind}: {note}");
    }

    /// <summary>Passes on what another process has written to its error stream. Its notes and warnings are also in JSON.</summary>
    /// <param name="who">The process.</param>
    /// <param name="line">The line.</param>
    public void PassOn(string who, string line)
    {
        lock (_notes)
        {
            if (Rest(line, WarningKind) is { } warning) _warnings.Add($"{who}: {warning}");
            else if (Rest(line, NoteKind) is { } note) _notes.Add($"{who}: {note}");
            Note($"{who}: {line}");
        }
    }

    /// <summary>Says something on the error stream that is no error.</summary>
    public void Note(string text)
    {
        if (!Quiet) Error.WriteLine(text);
    }

    /// <summary>Says something on the error stream to those who want to know more.</summary>
    public void Detail(string text)
    {
        if (Verbose) Error.WriteLine(text);
    }

    private static string? Rest(string line, string kind) =>
        line.StartsWith($"{kind}: ", StringComparison.Ordinal) ? line[(kind.Length + 2)..] : null;

    private static IAnsiConsole Create(TextWriter writer, bool isTerminal)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!isTerminal) console.Profile.Width = WidthOfFiles;
        return console;
    }
}
