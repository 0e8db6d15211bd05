using System.Globalization;
using System.Text.RegularExpressions;

namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>Edges as auto-circuit calls them: <c>Resid Start</c>, <c>A3.1</c>, <c>MLP 3</c>, <c>A3.1.Q</c>, <c>Resid End</c>.</summary>
internal static partial class AutoCircuitNames
{
    private const string Start = "Resid Start", End = "Resid End", Arrow = "->";

    /// <summary>The name there.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="row">The writer.</param>
    /// <param name="column">The reader.</param>
    /// <returns>Such as <c>A0.1-&gt;A3.2.Q</c>.</returns>
    public static string Of(ComputationGraph graph, int row, int column)
    {
        string writer = graph.WriterName(row), reader = graph.ReaderName(column);
        return (writer == "input" ? Start : Node(writer)) + Arrow + (reader == "logits" ? End : Node(reader));
    }

    /// <summary>The name here.</summary>
    /// <param name="name">A name there.</param>
    /// <returns>Null where it is none.</returns>
    public static string? Parse(string name) =>
        name.Split(Arrow) is [var writer, var reader] && Writer(writer) is { } from && Reader(reader) is { } to ? from + Arrow + to : null;

    private static string? Writer(string name) => name == Start ? "input" : Inner(name, isReader: false);

    private static string? Reader(string name) => name == End ? "logits" : Inner(name, isReader: true);

    private static string? Inner(string name, bool isReader)
    {
        if (Mlp().Match(name) is { Success: true } mlp) return $"m{mlp.Groups[1].Value}";
        if (Head().Match(name) is not { Success: true } head || head.Groups[3].Success != isReader) return null;
        string input = isReader ? $"<{head.Groups[3].Value.ToLowerInvariant()}>" : "";
        return $"a{head.Groups[1].Value}.h{head.Groups[2].Value}{input}";
    }

    // "m3" is "MLP 3", "a3.h1<q>" is "A3.1.Q".
    private static string Node(string name)
    {
        if (name[0] == 'm') return $"MLP {name[1..]}";
        string[] parts = name.TrimEnd('>').Split(".h");
        string[] head = parts[1].Split('<');
        string input = head.Length > 1 ? $".{head[1].ToUpper(CultureInfo.InvariantCulture)}" : "";
        return $"A{parts[0][1..]}.{head[0]}{input}";
    }

    [GeneratedRegex(@"^MLP ([0-9]{1,6})\z")]
    private static partial Regex Mlp();

    [GeneratedRegex(@"^A([0-9]{1,6})\.([0-9]{1,6})(?:\.([QKV]))?\z")]
    private static partial Regex Head();
}
