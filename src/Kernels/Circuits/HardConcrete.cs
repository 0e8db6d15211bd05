namespace Gradpath.Kernels.Circuits;

/// <summary>The stretched binary concrete distribution of Louizos et al. (2018) that soft masks are drawn from.</summary>
internal static class HardConcrete
{
    /// <summary>Lower end of the stretched interval.</summary>
    public const double Left = -0.1;

    /// <summary>Upper end of the stretched interval.</summary>
    public const double Right = 1.1;

    /// <summary>Temperature.</summary>
    public const double Temperature = 2.0 / 3;

    /// <summary>Uniform numbers are drawn from (e, 1 - e).</summary>
    public const double Margin = 1e-6;
}
