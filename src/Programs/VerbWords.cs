using System.Reflection;
using CommandLine;
using CommandLine.Text;

namespace Gradpath.Programs;

/// <summary>The words of a verb's command line, read and checked as a program does, for whoever has them from elsewhere.</summary>
internal static class VerbWords
{
    /// <summary>The parser of command lines.</summary>
    public static Parser CreateParser() => new(settings =>
    {
        settings.HelpWriter = null;
        settings.AutoVersion = true;
        settings.CaseSensitive = true;
    });

    /// <summary>Checks what the parser would misread.</summary>
    /// <param name="args">The command line, its verb included.</param>
    /// <param name="options">The options of the verb.</param>
    /// <exception cref="UsageException">An option has no value, or one that it does not take.</exception>
    public static void Check(IReadOnlyList<string> args, Type options)
    {
        OptionWords.RequireValues(args, options);
        ListArguments.Check(args, options);
        NumericArguments.Check(args, options);
    }

    /// <summary>Reads the options of a verb.</summary>
    /// <typeparam name="T">The type of its options.</typeparam>
    /// <param name="words">The options with their values, without the verb.</param>
    /// <exception cref="UsageException">They are no options of the verb.</exception>
    public static T Read<T>(IEnumerable<string> words)
        where T : CommandOptions
    {
        string[] args = [typeof(T).GetCustomAttribute<VerbAttribute>()!.Name, .. words];
        Check(args, typeof(T));
        using Parser parser = CreateParser();
        ParserResult<object> parsed = parser.ParseArguments(args, typeof(T), typeof(NoVerb));
        return parsed.Value as T ?? throw new UsageException(string.Join(
            "; ", ((NotParsed<object>)parsed).Errors.Select(e => SentenceBuilder.Create().FormatError(e))));
    }

    // With one verb alone the parser reads its name as a value.
    [Verb("no-verb", Hidden = true)]
    private sealed class NoVerb;
}
