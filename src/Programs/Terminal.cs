using Gradpath.Gpt2Runtime.Runs;
using Spectre.Console;

namespace Gradpath.Programs;

/// <summary>Where a command reads and writes. Results go to the output, progress and errors to the error stream.</summary>
internal sealed class Terminal
{
    // Tables in a log or a file are not squeezed into the 80 columns of a terminal that is not there.
    private const int WidthOfFiles = 120;

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

    /// <summary>Standard output, for plain lines.</summary>
    public TextWriter Out { get; }

    /// <summary>Standard error, for plain lines.</summary>
    public TextWriter Error { get; }

    /// <summary>Standard output, for tables.</summary>
    public IAnsiConsole Console { get; }

    /// <summary>Standard error, for progress bars.</summary>
    public IAnsiConsole ErrorConsole { get; }

    /// <summary>Whether somebody watches the error stream.</summary>
    public bool ShowsProgress { get; }

    /// <summary>Told of the progress of long work where no bar shows it; null where nobody asks.</summary>
    public IProgress<RunProgress>? Watcher { get; init; }

    /// <summary>Whether the output can show block characters.</summary>
    public bool Unicode => Console.Profile.Capabilities.Unicode;

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
