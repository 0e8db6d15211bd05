using System.Globalization;
using System.Text.RegularExpressions;

namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>
/// Edges as ACDC calls them, by hooks of TransformerLens: the reader's hook and head, the writer's hook and head. A head is the third part
/// of an index such as (None, None, 3).
/// </summary>
internal static partial class AcdcNames
{
    /// <summary>What ACDC calls an edge.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="row">The writer.</param>
    /// <param name="column">The reader.</param>
    public static (string ReaderHook, int? ReaderHead, string WriterHook, int? WriterHead) Of(ComputationGraph graph, int row, int column)
    {
        (string writer, int? writerHead) = row == ComputationGraph.InputRow ? ("blocks.0.hook_resid_pre", (int?)null)
            : Numbers(graph.WriterName(row)) is (var l, { } h) ? ($"blocks.{l}.attn.hook_result", h)
            : ($"blocks.{Numbers(graph.WriterName(row)).Layer}.hook_mlp_out", null);
        string name = graph.ReaderName(column);
        if (column == graph.LogitsColumn) return ($"blocks.{graph.Layers - 1}.hook_resid_post", null, writer, writerHead);
        (int layer, int? head) = Numbers(name);
        return head is null ? ($"blocks.{layer}.hook_mlp_in", null, writer, writerHead)
            : ($"blocks.{layer}.hook_{name[^2]}_input", head, writer, writerHead);
    }

    /// <summary>The name here.</summary>
    /// <param name="readerHook">The reader's hook.</param>
    /// <param name="readerHead">The head in its index; null for none.</param>
    /// <param name="writerHook">The writer's hook.</param>
    /// <param name="writerHead">The head in its index; null for none.</param>
    /// <param name="lack">What is wrong where there is no such edge; null for an edge inside of a head or an MLP, which is none
    /// here.</param>
    /// <returns>The name; null where there is none.</returns>
    public static string? Parse(string readerHook, int? readerHead, string writerHook, int? writerHead, out string? lack)
    {
        lack = null;
        if (Inside().IsMatch(readerHook) || Inside().IsMatch(writerHook)
            || (readerHook.EndsWith("hook_mlp_out", StringComparison.Ordinal) && Input().IsMatch(writerHook)))
            return null;
        string? writer = Writer(writerHook, writerHead, ref lack), reader = Reader(readerHook, readerHead, ref lack);
        return writer is null || reader is null ? null : $"{writer}->{reader}";
    }

    /// <summary>The layer of the hook that stands for the logits, which is a model's last one.</summary>
    /// <param name="hook">A hook.</param>
    /// <returns>Null where it is another hook.</returns>
    public static int? LastLayer(string hook) => Post().Match(hook) is { Success: true } post
        ? int.Parse(post.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : null;

    private static string? Writer(string hook, int? head, ref string? lack)
    {
        if (hook is "blocks.0.hook_resid_pre" or "hook_embed") return "input";
        if (Result().Match(hook) is { Success: true } result) return Headed(hook, head, $"a{result.Groups[1].Value}.h{head}", ref lack);
        if (MlpOut().Match(hook) is { Success: true } mlp) return $"m{mlp.Groups[1].Value}";
        lack ??= hook == "hook_pos_embed"
            ? "hook_pos_embed: positions are no writer here; ACDC's graph must be built with use_pos_embed=False"
            : $"{Quoted.Text(hook)} is no writer of ACDC's";
        return null;
    }

    private static string? Reader(string hook, int? head, ref string? lack)
    {
        if (HeadInput().Match(hook) is { Success: true } input)
            return Headed(hook, head, $"a{input.Groups[1].Value}.h{head}<{input.Groups[2].Value}>", ref lack);
        if (MlpIn().Match(hook) is { Success: true } mlp) return $"m{mlp.Groups[1].Value}";
        if (Post().IsMatch(hook)) return "logits";
        lack ??= $"{Quoted.Text(hook)} is no reader of ACDC's";
        return null;
    }

    private static string? Headed(string hook, int? head, string name, ref string? lack)
    {
        if (head is >= 0) return name;
        lack ??= $"{Quoted.Text(hook)}: its index names no head; one such as [null, null, 3] is needed";
        return null;
    }

    // "a3.h1<q>" is (3, 1), "m3" is (3, null).
    private static (int Layer, int? Head) Numbers(string name)
    {
        string[] parts = name.Split('<')[0][1..].Split(".h");
        int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
        return (Number(parts[0]), parts.Length > 1 ? Number(parts[1]) : null);
    }

    [GeneratedRegex(@"^blocks\.[0-9]{1,6}\.attn\.hook_[qkv]\z")]
    private static partial Regex Inside();

    [GeneratedRegex(@"^blocks\.[0-9]{1,6}\.(hook_[qkv]_input|hook_mlp_in|hook_resid_mid)\z")]
    private static partial Regex Input();

    [GeneratedRegex(@"^blocks\.([0-9]{1,6})\.attn\.hook_result\z")]
    private static partial Regex Result();

    [GeneratedRegex(@"^blocks\.([0-9]{1,6})\.hook_mlp_out\z")]
    private static partial Regex MlpOut();

    [GeneratedRegex(@"^blocks\.([0-9]{1,6})\.hook_([qkv])_input\z")]
    private static partial Regex HeadInput();

    [GeneratedRegex(@"^blocks\.([0-9]{1,6})\.hook_(?:mlp_in|resid_mid)\z")]
    private static partial Regex MlpIn();

    [GeneratedRegex(@"^blocks\.([0-9]{1,6})\.hook_resid_post\z")]
    private static partial Regex Post();
}
