using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.Activation.cs.</summary>
internal static class ActivationOps
{
    private const double Inner = (double)Timed.AllRows * Timed.Inner;

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("Activation", "Activate")
        {
            Cases =
            [
                Activate(ActivationFunction.GeluTanh, OpCase.Rounding),
                Activate(ActivationFunction.GeluErf, OpCase.Rounding),
                Activate(ActivationFunction.Relu, 0),
                Activate(ActivationFunction.Silu, OpCase.Rounding),
                Activate(ActivationFunction.QuickGelu, OpCase.Rounding),
                Activate(ActivationFunction.Tanh, OpCase.Rounding),
            ],
            Works = [new($"gelu_new, {Timed.AllRows} x {Timed.Inner}", 16 * Inner, 3 * Timed.Float * Inner, x =>
            {
                Tensor values = x.Tensor(Timed.AllRows, Timed.Inner), output = x.Tensor(Timed.AllRows, Timed.Inner);
                return () => x.Device.Activate(ActivationFunction.GeluTanh, values, (long)Inner, output);
            })],
            Kernels =
            [
                Activate("geluTanh", ActivationFunction.GeluTanh),
                Activate("geluErf", ActivationFunction.GeluErf),
                Activate("relu", ActivationFunction.Relu),
                Activate("silu", ActivationFunction.Silu),
                Activate("quickGelu", ActivationFunction.QuickGelu),
                Activate("tanhyp", ActivationFunction.Tanh),
            ],
            Writes = ["x", "output"],
        },
        new("Activation", "Ratios")
        {
            Cases = [new("", OpCase.Rounding, x =>
            {
                int n = x.Extent(3000);
                Tensor values = x.Draw(n), above = x.Draw(n);
                return d => d.Ratios(values, above, 0.5f, n);
            })],
            Works = [new($"{Timed.AllRows} x {Timed.Inner}", Inner, 3 * Timed.Float * Inner, x =>
            {
                Tensor values = x.Tensor(Timed.AllRows, Timed.Inner), above = x.Tensor(Timed.AllRows, Timed.Inner);
                return () => x.Device.Ratios(values, above, 0.5f, (long)Inner);
            })],
            Kernels = [new("ratios", Counted.RowsShape, 3 * Counted.Rows * Counted.RowBytes, x =>
                x.Device.Ratios(x.Rows(Counted.Rows), x.Rows(Counted.Rows), 0.5f, Counted.Rows * Counted.Width))],
            Writes = ["x"],
        },
        new("Activation", "MultiplyRows")
        {
            Cases = [new("", 0, x =>
            {
                int activationRows = x.Extent(12), rows = activationRows * x.Extent(3, 2), width = x.Extent(150);
                Tensor gradient = x.Draw((long)rows * width), derivative = x.Draw((long)activationRows * width);
                return d => d.MultiplyRows(gradient, derivative, rows, activationRows, width);
            })],
            Works = [new($"{Timed.AllRows} x {Timed.Inner}", Inner, 3 * Timed.Float * Inner, x =>
            {
                Tensor gradient = x.Tensor(Timed.AllRows, Timed.Inner), derivative = x.Tensor(Timed.AllRows, Timed.Inner);
                return () => x.Device.MultiplyRows(gradient, derivative, Timed.AllRows, Timed.AllRows, Timed.Inner);
            })],
            Kernels = [new("multiplyRows", Counted.RowsShape, 3 * Counted.Rows * Counted.RowBytes, x =>
                x.Device.MultiplyRows(x.Rows(Counted.Rows), x.Rows(Counted.Rows), Counted.Rows, Counted.Rows, Counted.Width))],
            Writes = ["gradient"],
        },
    ];

    // From the middle, where the function bends, to tails in which the exponential underflows.
    private static OpCase Activate(ActivationFunction function, double allowed) => new($"{function}", allowed, x =>
    {
        int n = x.Extent(3000);
        Tensor values = x.Draw(n, x.Coin() ? 4 : 40), output = x.Out(n);
        return d => d.Activate(function, values, n, output);
    });

    private static KernelCase Activate(string kernel, ActivationFunction function) =>
        new(kernel, Counted.RowsShape, 3 * Counted.Rows * Counted.RowBytes, x =>
        x.Device.Activate(function, x.Rows(Counted.Rows), Counted.Rows * Counted.Width, x.Rows(Counted.Rows)));
}
