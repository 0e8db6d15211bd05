namespace Gradpath.Kernels;

/// <summary>The heads of an attention.</summary>
/// <param name="Heads">Number of heads.</param>
/// <param name="HeadWidth">Width of a head.</param>
/// <param name="Scale">Factor on the scores q k^T.</param>
internal readonly record struct HeadGroup(int Heads, int HeadWidth, float Scale)
{
    /// <summary>Width of all heads side by side.</summary>
    public int Width => Heads * HeadWidth;

    /// <summary>
    /// Whether queries, keys and values of a row lie side by side, 3 <see cref="Width"/> from one row to the next, as one product makes
    /// them; and their gradients likewise. Else queries have rows of their own, and keys and values others.
    /// </summary>
    public bool Joined { get; init; }

    /// <summary>Distance between two rows of queries.</summary>
    public int QueryStride => Joined ? 3 * Width : Width;

    /// <summary>Distance between two rows of keys and values.</summary>
    public int KeyStride => Joined ? 3 * Width : 2 * Width;
}
