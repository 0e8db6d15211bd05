namespace Gradpath.Gpt2Runtime;

/// <summary>How large a model's graph may be: its cells, writers times readers, are numbered with 31 bits and lie in one array.</summary>
internal static class GraphNumbering
{
    /// <summary>Number of edges of a graph that can be numbered.</summary>
    /// <param name="layers">Number of layers.</param>
    /// <param name="heads">Heads per layer.</param>
    /// <returns>The sum over readers of the writers before each.</returns>
    public static long Edges(int layers, int heads)
    {
        // Layer l has 1 + l (heads + 1) writers before its attention, which 3 heads readers see; its MLP sees its heads too.
        long before = layers + ((long)layers * (layers - 1) / 2 * (heads + 1));
        return (before * 3 * heads) + before + ((long)layers * heads) + 1 + ((long)layers * (heads + 1));
    }

    /// <summary>What is wrong with a shape.</summary>
    /// <param name="layers">Number of layers, at least 1.</param>
    /// <param name="heads">Heads per layer, at least 1.</param>
    /// <returns>Null where the graph can be numbered; else the reason.</returns>
    public static string? Lack(int layers, int heads)
    {
        Int128 writers = 1 + ((Int128)layers * ((Int128)heads + 1));
        Int128 readers = 1 + ((Int128)layers * ((3 * (Int128)heads) + 1));
        return writers * readers <= Array.MaxLength
            ? null
            : $"{layers} layers x {heads} heads have {writers} writers and {readers} readers; "
                + $"at most {Array.MaxLength} pairs of them can be numbered";
    }
}
