using Gradpath.Gpt2Runtime.Graph.Exchange;

namespace Gradpath.Host.Options;

/// <summary>
/// The help of options about kinds of files of scores and circuits, made from their table. Public because the parser of options wants it
/// so.
/// </summary>
public static class GraphKindHelp
{
    /// <summary><c>--to</c>.</summary>
    public static string To => $"The kind of file to write, where its name does not say: {Kinds}.";

    /// <summary><c>--from</c>.</summary>
    public static string From => "The kind of the files to read, where their names do not say: one of those of --to.";

    /// <summary><c>--layers</c>.</summary>
    public static string Layers =>
        $"Layers of the model, for files that list some edges and not all: {string.Join(", ", GraphKinds.All.Where(k => k.NeedsShape))}.";

    private static string Kinds => string.Join("; ", GraphKinds.All.Select(
        k => $"{k} ({(k.IsFolder ? "a folder" : k.Ending)}; {k.Title})"));
}
