namespace Gradpath.Host.Sweeps.Plan;

/// <summary>A value as a plan's file has it, with its line: a text, a list or a mapping.</summary>
/// <param name="Line">Where it begins, from 1.</param>
internal sealed record PlanNode(int Line)
{
    /// <summary>The text; null for a list or a mapping.</summary>
    public string? Text { get; init; }

    /// <summary>Whether the text stands in quotation marks, so that it is neither a number nor nothing.</summary>
    public bool IsQuoted { get; init; }

    /// <summary>The items of a list; null for anything else.</summary>
    public IReadOnlyList<PlanNode>? Items { get; init; }

    /// <summary>The entries of a mapping, in the file's order; null for anything else.</summary>
    public IReadOnlyList<PlanEntry>? Entries { get; init; }

    /// <summary>Whether nothing stands there, or <c>null</c>.</summary>
    public bool IsNothing => Text is "" or "~" or "null" or "Null" or "NULL" && !IsQuoted;
}
