namespace Gradpath.Gpt2Runtime.Statistics;

/// <summary>How the p-values of many tests are adjusted.</summary>
public enum Correction
{
    /// <summary>Benjamini and Hochberg: few of the rejections are false.</summary>
    BenjaminiHochberg,

    /// <summary>Holm: probably none of the rejections is false.</summary>
    Holm,
}
