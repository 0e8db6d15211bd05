using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host;

/// <summary>
/// The program without its process: reads the command line, runs the command, turns failures into one line and an exit code.
/// </summary>
internal static class GradpathApp
{
    private const string Name = "gradpath";

    /// <summary>Runs one command.</summary>
    /// <param name="args">The command line without the program's name.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="output">Results.</param>
    /// <param name="error">Progress and errors.</param>
    /// <param name="cancellation">Stops the command.</param>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, TextReader input, TextWriter output, TextWriter error, CancellationToken cancellation = default) =>
        Run(args, new Terminal(input, output, error), cancellation);

    /// <summary>Runs a command line on a terminal.</summary>
    /// <param name="args">The command line without the program's name.</param>
    /// <param name="terminal">Where to read and write.</param>
    /// <param name="cancellation">Stops the command.</param>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, Terminal terminal, CancellationToken cancellation)
    {
        using Parser parser = new(settings =>
        {
            settings.HelpWriter = null;
            settings.AutoVersion = true;
            settings.CaseSensitive = true;
        });
        return Failures.Guard(Name, Parsed, terminal, cancellation);

        int Parsed()
        {
            NumericArguments.Check(args, VerbTable.OptionTypes);
            ParserResult<object> parsed = parser.ParseArguments(args, VerbTable.OptionTypes);
            return parsed.Tag == ParserResultType.NotParsed
                ? Explain(parsed, args, terminal)
                : Dispatch((CommandOptions)parsed.Value, terminal, cancellation);
        }
    }

    private static int Dispatch(CommandOptions options, Terminal terminal, CancellationToken cancellation)
    {
        if (options.Rest.FirstOrDefault() is { } word) throw new UsageException($"'{word}' belongs to no option; options start with --.");
        return VerbTable.Of(options).Run(options, terminal, cancellation);
    }

    // Help and version are answers; everything else that the parser rejects is a usage error of one line each.
    private static int Explain(ParserResult<object> parsed, string[] args, Terminal terminal)
    {
        Error[] errors = [.. ((NotParsed<object>)parsed).Errors];
        if (errors.Any(e => e.Tag == ErrorType.VersionRequestedError))
        {
            terminal.Out.WriteLine($"gradpath {Provenance.ProgramVersion}");
            return ExitCode.Success;
        }
        if (errors.OfType<HelpVerbRequestedError>().FirstOrDefault() is { Matched: true } help)
        {
            // "gradpath help score" is "gradpath score --help".
            return Run([help.Verb, "--help"], terminal.In, terminal.Out, terminal.Error);
        }
        if (errors.Any(e => e.Tag is ErrorType.HelpRequestedError or ErrorType.HelpVerbRequestedError))
        {
            terminal.Out.WriteLine(Help(parsed));
            return ExitCode.Success;
        }
        if (args.Length == 0)
        {
            terminal.Error.WriteLine(Help(parsed));
            return ExitCode.Usage;
        }
        SentenceBuilder sentences = SentenceBuilder.Create();
        foreach (Error e in errors) terminal.Error.WriteLine($"gradpath: {Sentence(e, sentences)}");
        bool knowsVerb = VerbTable.Names.Contains(args[0]);
        terminal.Error.WriteLine($"See 'gradpath {(knowsVerb ? args[0] + " " : "")}--help'.");
        return ExitCode.Usage;
    }

    private static string Sentence(Error error, SentenceBuilder sentences) => error switch
    {
        BadVerbSelectedError e => $"there is no command '{e.Token}'; choose {EnumNames.Choice(VerbTable.Names)}.",
        NoVerbSelectedError => "name a command.",
        UnknownOptionError e => $"there is no option '{e.Token}'.",
        _ => sentences.FormatError(error),
    };

    private static HelpText Help(ParserResult<object> parsed)
    {
        return HelpText.AutoBuild(
            parsed,
            h =>
            {
                h.Heading = $"gradpath {Provenance.ProgramVersion.Split('+')[0]}: circuit discovery in GPT-2";
                h.Copyright = "";
                h.AdditionalNewLineAfterOption = false;
                h.AddDashesToOption = true;
                h.MaximumDisplayWidth = 120;
                return h;
            },
            e => e,
            verbsIndex: parsed.TypeInfo.Current == typeof(NullInstance));
    }
}
