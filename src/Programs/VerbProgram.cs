using System.Diagnostics;
using System.Reflection;
using System.Text;
using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Programs.Files;
using Gradpath.Programs.Reporting;

namespace Gradpath.Programs;

/// <summary>
/// A program of verbs without its process: reads the command line, runs the verb, writes its report, turns failures into one line and an
/// exit code.
/// </summary>
/// <param name="name">The program's name.</param>
/// <param name="about">What it is, in the heading of its help.</param>
/// <param name="verbs">Its verbs, in the order in which help lists them.</param>
/// <param name="shorten">Writes a command line of help's examples as people do; null for none that has a shorter form.</param>
internal sealed class VerbProgram(string name, string about, IReadOnlyList<Verb> verbs, Func<string, string>? shorten = null)
{
    private readonly Type[] _types = [.. verbs.Select(v => v.Options)];

    /// <summary>Runs a command line on a terminal.</summary>
    /// <param name="args">The command line without the program's name.</param>
    /// <param name="terminal">Where to read and write.</param>
    /// <param name="cancellation">Stops the command.</param>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public int Run(string[] args, Terminal terminal, CancellationToken cancellation)
    {
        // Verbs are found as all names are, in any case and with dashes or underscores.
        Verb? verb = args is [{ } word, ..] ? verbs.FirstOrDefault(v => TableNames.Same(word, v.Name)) : null;
        if (verb is not null) args = [verb.Name, .. args[1..]];
        args = [.. args.Select((a, i) => args.Take(i).Contains("--") ? a : a switch { "-h" => "--help", "-v" => "--version", _ => a })];
        if (args is ["help", { } topic, ..])
        {
            if (verbs.FirstOrDefault(v => TableNames.Same(topic, v.Name)) is { } explained) args = ["help", explained.Name, .. args[2..]];
            else if (!topic.StartsWith('-')) args = args[1..];
        }
        // People append it to a command line that they have.
        foreach (string asked in new[] { "--help", "--version" })
        {
            if (verb is not null && args.TakeWhile(a => a != "--").Contains(asked)) args = [verb.Name, asked];
        }
        // Known before anything can fail, so that a failure is written in the same form.
        terminal.Json = args.TakeWhile(a => a != "--").Contains("--json");
        terminal.Verb = verb?.Name;
        terminal.Options = verb?.Options;
        using Parser parser = VerbWords.CreateParser();
        return Failures.Guard(name, Parsed, terminal, cancellation);

        int Parsed()
        {
            if (verb is not null)
            {
                args = WithEnvironment(args, verb, terminal);
                VerbWords.Check(args, verb.Options);
            }
            ParserResult<object> parsed = parser.ParseArguments(args, _types);
            return parsed.Tag == ParserResultType.NotParsed
                ? Explain(parsed, args, terminal)
                : Dispatch((CommandOptions)parsed.Value, terminal, cancellation);
        }
    }

    private static string[] WithEnvironment(string[] args, Verb verb, Terminal terminal)
    {
        if (args.Contains("--help") || args.Contains("--version")) return args;
        var given = EnvironmentDefaults.For(args, verb.Options, terminal.Variable);
        terminal.FromEnvironment = given.ToDictionary(g => g.Option, g => g.Variable);
        EnvironmentDefaults.Check(given, verb.Options);
        given = [.. given.Where(g => g.Applies)];
        terminal.FromEnvironment = given.ToDictionary(g => g.Option, g => g.Variable);
        return [args[0], .. given.Select(g => g.Word), .. args[1..]];
    }

    private int Dispatch(CommandOptions options, Terminal terminal, CancellationToken cancellation)
    {
        if (options.Rest.FirstOrDefault() is { } word)
            throw new UsageException($"'{word}' belongs to no option; options start with --, and several values of one go with commas.");
        if (options.Quiet && options.Verbose) throw new UsageException("--quiet and --verbose do not go together.");
        terminal.Quiet = options.Quiet;
        terminal.Verbose = options.Verbose;
        terminal.Strict = options.Strict;
        foreach ((string option, string variable) in terminal.FromEnvironment) terminal.Detail($"--{option} is from {variable}");
        if (FileChecks.Check(options) is { } piped)
        {
            if (options.Json) throw new UsageException($"{piped} and --json would both write to standard output; name a file.");
            terminal.LeaveOutput();
        }
        Verb verb = verbs.Single(v => v.Options == options.GetType());
        long start = terminal.Time.GetTimestamp();
        // Lines of progress count from here.
        _ = terminal.Progress;
        CommandReport report = verb.Run(options, terminal, cancellation);
        report.Write(terminal, verb.Name);
        terminal.Detail($"{verb.Name}: {Sizes.Seconds(terminal.Time.GetElapsedTime(start).TotalSeconds)}, at most "
            + $"{Sizes.Bytes(Process.GetCurrentProcess().PeakWorkingSet64)} resident");
        return report.ExitCode;
    }

    // Help and version are answers; everything else that the parser rejects is a usage error of one line each.
    private int Explain(ParserResult<object> parsed, string[] args, Terminal terminal)
    {
        Error[] errors = [.. ((NotParsed<object>)parsed).Errors];
        if (errors.Any(e => e.Tag == ErrorType.VersionRequestedError))
        {
            terminal.Out.WriteLine($"{name} {Provenance.ProgramVersion}");
            return ExitCode.Success;
        }
        if (errors.OfType<HelpVerbRequestedError>().FirstOrDefault() is { Matched: true } help)
        {
            // "gradpath help score" is "gradpath score --help".
            return Run([help.Verb, "--help"], terminal, CancellationToken.None);
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
        string[] lines = [.. errors.Select(e => Sentence(e, sentences, verbs.FirstOrDefault(v => v.Name == terminal.Verb)))];
        string advice = $"See '{name} {(terminal.Verb is null ? "" : terminal.Verb + " ")}--help'.";
        return Failures.Fail(terminal, name, lines, ExitCode.Usage, advice);
    }

    private string Sentence(Error error, SentenceBuilder sentences, Verb? verb) => error switch
    {
        BadVerbSelectedError e => $"'{e.Token}': {TableNames.Unknown("command", e.Token, [.. verbs.Select(v => v.Name)])}.",
        NoVerbSelectedError => "name a command.",
        UnknownOptionError e => $"{Dashed(e.Token)}: there is no such option{DidYouMean(e.Token, verb)}",
        MissingRequiredOptionError { NameInfo.LongName: var option } =>
            $"--{option} is needed: --{option} {OptionWords.MetaValue(verb!.Options, option)}.",
        MissingValueOptionError e => OptionWords.Valueless(verb!.Options, e.NameInfo.LongName),
        RepeatedOptionError e => $"--{e.NameInfo.LongName} appears twice.",
        NamedError e when e.NameInfo.LongName.Length > 0 => $"--{e.NameInfo.LongName}: {sentences.FormatError(e)}",
        _ => sentences.FormatError(error),
    };

    private static string Dashed(string option) => option.Length == 1 ? $"-{option}" : $"--{option}";

    private static string DidYouMean(string token, Verb? verb)
    {
        if (verb is null) return ".";
        IEnumerable<string> names = OptionWords.All(verb.Options).Select(o => o.Option.LongName);
        return NearestName.Of(token.Replace('_', '-'), names) is { } near ? $"; did you mean --{near}?" : ".";
    }

    // The parser's help knows neither ranges nor variables.
    private string Help(ParserResult<object> parsed)
    {
        string text = Parsers(parsed).ToString().TrimEnd();
        if (shorten is not null)
        {
            text = string.Join('\n', text.ReplaceLineEndings("\n").Split('\n')
                .Select(l => l.StartsWith($"  {name} ", StringComparison.Ordinal) ? shorten(l) : l));
        }
        StringBuilder help = new(text);
        help.AppendLine().AppendLine();
        if (parsed.TypeInfo.Current == typeof(NullInstance))
        {
            help.AppendLine($"'{name} VERB --help' lists the options of a command; -h and -v are short for --help and --version.");
            return help.ToString();
        }
        Type options = parsed.TypeInfo.Current;
        string[] numbers = [.. OptionWords.All(options)
            .Select(o => (o.Option.LongName, Range: o.Property.GetCustomAttribute<RangeAttribute>()))
            .Where(o => o.Range is not null)
            .Select(o => $"  --{o.LongName} {o.Range}")];
        if (numbers.Length > 0) help.AppendLine("Numbers:").AppendLine(string.Join('\n', numbers));
        string[] variables = [.. EnvironmentDefaults.Table.Where(e => OptionWords.Find(options, e.Option) is not null)
            .Select(e => $"  {e.Variable} gives --{e.Option} where the command line does not")];
        if (variables.Length > 0) help.AppendLine("Environment:").AppendLine(string.Join('\n', variables));
        return help.ToString().TrimEnd();
    }

    private HelpText Parsers(ParserResult<object> parsed) => HelpText.AutoBuild(
        parsed,
        h =>
        {
            h.Heading = $"{name} {Provenance.ProgramVersion.Split('+')[0]}: {about}";
            h.Copyright = "";
            h.AdditionalNewLineAfterOption = false;
            h.AddDashesToOption = true;
            h.MaximumDisplayWidth = 120;
            return h;
        },
        e => e,
        verbsIndex: parsed.TypeInfo.Current == typeof(NullInstance));
}
