namespace Gradpath.Kernels;

/// <summary>The heads of an attention.</summary>
/// <param name="Heads">Number of heads.</param>
/// <param name="HeadWidth">Width of a head.</param>
/// <param name="Scale">Factor on the scores q k^T.</param>
internal readonly record struct HeadGroup(int Heads, int HeadWidth, float Scale)
{
    /// <summary>Width of all heads side by side.</summary>
    public int Width => Heads * HeadWidth;
}
