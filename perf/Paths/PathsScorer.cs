using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Host.Commands;
using Gradpath.Programs;

namespace Gradpath.Perf.Paths;

/// <summary>A method with its options, and what the table calls it.</summary>
/// <param name="Name">The name, or the method with its options as they were given.</param>
/// <param name="Options">The options, checked.</param>
internal sealed record PathsScorer(string Name, AttributionOptions Options)
{
    // Options of the verb that say what is read and written, not how scores are made.
    private static readonly string[] s_files =
    [
        "out", "resume", "record-path", "per-item", "per-item-type", "top", "method", "verify", "verify-found", "verify-share",
    ];

    /// <summary>The methods of docs/eap-gp.md that are options.</summary>
    public static IReadOnlyList<string> Defaults { get; } =
    [
        "EAP-IG 10 points=eap-ig --steps 10",
        "default=eap-gp",
        "auto line=eap-gp --path-start auto --path-direction line",
        "mixed from clean=eap-gp --path-start clean",
        "line from clean=eap-gp --path-start clean --path-direction line",
        "line from corrupted=eap-gp --path-start corrupted",
        "published=eap-gp --preset published",
    ];

    /// <summary>Its passes over a batch; null where they are parts of passes.</summary>
    public PassCounts? Passes => Options.Method.CountPasses(Options);

    /// <summary>The baseline and then what was asked for.</summary>
    /// <param name="baseline">What all others are compared with.</param>
    /// <param name="texts">Scorers as the option has them; none for <see cref="Defaults"/>.</param>
    /// <exception cref="UsageException">One cannot be used, or two have one name.</exception>
    public static PathsScorer[] All(string baseline, IEnumerable<string> texts)
    {
        string[] given = [.. texts];
        PathsScorer first = Parse(baseline, "baseline");
        PathsScorer[] scorers = [.. (given.Length == 0 ? Defaults : given).Select(text => Parse(text)).Where(s => s != first)];
        if (scorers.Prepend(first).GroupBy(s => s.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new UsageException($"--scorers: two would be called '{twice.Key}'.");
        return [first, .. scorers];
    }

    /// <summary>
    /// Reads a scorer: <c>METHOD --option value ...</c>, with <c>NAME=</c> in front where the table shall say something else. The members
    /// of an ensemble go with plus signs, as commas separate scorers: <c>ensemble --of eap-ig+eap-gp</c>.
    /// </summary>
    /// <param name="text">The words.</param>
    /// <param name="option">The option that has them, for messages.</param>
    /// <exception cref="UsageException">They are no scorer, or an option does not apply to the method.</exception>
    public static PathsScorer Parse(string text, string option = "scorers")
    {
        // A name may hold '=', an option of the form --steps=5 may follow: the last '=' before the first option decides.
        string head = text.Split(" --", 2)[0];
        int equals = head.LastIndexOf('=');
        string name = equals < 0 ? text.Trim() : head[..equals].Trim();
        string[] words = text[(equals + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0 || name.Length == 0)
            throw new UsageException($"--{option} {text}: write METHOD --option value ..., with NAME= in front if you like.");
        try
        {
            return new PathsScorer(name, Read(words));
        }
        catch (UsageException e)
        {
            throw new UsageException($"--{option} {text}: {e.Message}");
        }
        catch (OptionException e)
        {
            throw new UsageException($"--{option} {text}: {e.Describe(OptionNames.Of)}{Members(words)}.");
        }
    }

    // What stood behind a comma is another scorer.
    private static string Members(string[] words) => words.Any(w => w is "--of" || w.StartsWith("--of=", StringComparison.Ordinal))
        ? "; in a list of scorers members go with plus signs, as in --of eap-ig+eap-gp" : "";

    private static AttributionOptions Read(string[] words)
    {
        string[] own = [.. OptionWords.All(typeof(ScoreOptions)).Where(o => o.Property.DeclaringType == typeof(ScoreOptions))
            .Select(o => o.Option.LongName).Except(s_files)];
        foreach (string word in words.Where(w => w.StartsWith('-')))
        {
            if (!own.Contains(word.TrimStart('-').Split('=')[0]))
            {
                string names = string.Join(", ", own.Select(o => $"--{o}"));
                throw new UsageException($"{word} is no option that decides scores; there are {names}.");
            }
        }
        IEnumerable<string> listed = words.Select((word, i) =>
            word.StartsWith("--of=", StringComparison.Ordinal) || (i > 0 && words[i - 1] == "--of") ? word.Replace('+', ',') : word);
        string[] args = ["score", "--model", "-", "--method", .. listed];
        OptionWords.RequireValues(args, typeof(ScoreOptions));
        NumericArguments.Check(args, typeof(ScoreOptions));
        using Parser parser = new(settings =>
        {
            settings.HelpWriter = null;
            settings.CaseSensitive = true;
        });
        ParserResult<ScoreOptions> parsed = parser.ParseArguments<ScoreOptions>(args[1..]);
        if (parsed.Tag == ParserResultType.NotParsed) throw new UsageException("an option appears twice or cannot be read.");
        if (parsed.Value.Rest.FirstOrDefault() is { } rest) throw new UsageException($"'{rest}' belongs to no option.");
        return parsed.Value.Attribution();
    }
}
