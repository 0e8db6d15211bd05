namespace Gradpath.Kernels.Checks;

/// <summary>The ops of Device.Activation.cs.</summary>
internal static class ActivationChecks
{
    public static IReadOnlyList<OpCheck> All { get; } =
    [
        Activate(ActivationFunction.GeluTanh, OpChecks.Rounding),
        Activate(ActivationFunction.GeluErf, OpChecks.Rounding),
        Activate(ActivationFunction.Relu, 0),
        OpChecks.Check("Activation", "MultiplyRows", 0, (d, x) =>
        {
            int activationRows = x.Extent(12), rows = activationRows * x.Extent(3, 2), width = x.Extent(150);
            d.MultiplyRows(x.Draw((long)rows * width), x.Draw((long)activationRows * width), rows, activationRows, width);
        }),
    ];

    // From the middle, where the function bends, to tails in which the exponential underflows.
    private static OpCheck Activate(ActivationFunction function, double allowed) => OpChecks.Check("Activation", $"Activate, {function}", allowed, (d, x) =>
    {
        int n = x.Extent(3000);
        d.Activate(function, x.Draw(n, x.Coin() ? 4 : 40), n, x.Out(n));
    });
}
