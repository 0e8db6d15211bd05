namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How far two sets agree. A ratio whose denominator is 0 is NaN.</summary>
/// <param name="Shared">Members of both.</param>
/// <param name="Found">Members of the set that is judged.</param>
/// <param name="Wanted">Members of the set that it is judged by.</param>
public readonly record struct SetOverlap(int Shared, int Found, int Wanted)
{
    /// <summary>Share of what was found that is wanted.</summary>
    public double Precision => (double)Shared / Found;

    /// <summary>Share of what is wanted that was found.</summary>
    public double Recall => (double)Shared / Wanted;

    /// <summary>Harmonic mean of precision and recall.</summary>
    public double F1 => 2.0 * Shared / (Found + Wanted);

    /// <summary>Share of the members of either that are members of both.</summary>
    public double Jaccard => (double)Shared / (Found + Wanted - Shared);
}
