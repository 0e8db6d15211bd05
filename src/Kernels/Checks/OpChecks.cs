namespace Gradpath.Kernels.Checks;

/// <summary>Every op of <see cref="Device"/>, in every way in which it can be called.</summary>
internal static class OpChecks
{
    /// <summary>Seeds below draw shapes that an interpreter of device code can run, seeds from here on such that fill several tiles.</summary>
    public const int LargeSeeds = 1000;

    /// <summary>Rounding of a float32 op whose sums are short or end in float64.</summary>
    public const double Rounding = 5e-6;

    /// <summary>All checks, family by family.</summary>
    public static IReadOnlyList<OpCheck> All { get; } =
    [
        .. RowChecks.All,
        .. LayerNormChecks.All,
        .. AttentionChecks.All,
        .. ActivationChecks.All,
        .. GemmChecks.All,
        .. LogitChecks.All,
        .. PathChecks.All,
        .. EdgeChecks.All,
        .. MixChecks.All,
        .. MaskChecks.All,
    ];

    /// <summary>The seeds of a comparison.</summary>
    /// <param name="small">How many small cases.</param>
    /// <param name="large">How many large ones.</param>
    /// <returns>0, 1, ... and from <see cref="LargeSeeds"/> on.</returns>
    public static int[] Seeds(int small, int large) => [.. Enumerable.Range(0, small), .. Enumerable.Range(LargeSeeds, large)];

    /// <summary>Makes a check from what an op does to operands.</summary>
    /// <param name="family">The family.</param>
    /// <param name="op">The op.</param>
    /// <param name="allowed">Largest relative difference.</param>
    /// <param name="work">Takes operands and calls the op.</param>
    /// <returns>The check.</returns>
    internal static OpCheck Check(string family, string op, double allowed, Action<Device, OpOperands> work) => new(
        family,
        op,
        allowed,
        (device, seed) =>
        {
            using OpOperands operands = new(device, seed);
            work(device, operands);
            return operands.All();
        });
}
