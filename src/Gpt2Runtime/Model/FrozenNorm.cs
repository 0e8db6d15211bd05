using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// What a LayerNorm's backward pass reads in place of its input where the scale is frozen: rows that are their own mean. Normalised they
/// are 0, so nothing flows through the scale, and rstd and the mean's share stay.
/// </summary>
internal sealed class FrozenNorm : ResourceOwner
{
    /// <summary>Allocates for the largest pass.</summary>
    /// <param name="device">The device.</param>
    /// <param name="rows">Rows of the forward pass.</param>
    /// <param name="width">D.</param>
    public FrozenNorm(Device device, int rows, int width)
    {
        Input = Own(device.Allocate(rows, width));
        Mean = Own(device.Allocate(rows));
        device.Fill(Input, 0, (long)rows * width);
        device.Fill(Mean, 0, rows);
    }

    /// <summary>[rows, D]: zeros.</summary>
    public Tensor Input { get; }

    /// <summary>[rows]: zeros.</summary>
    public Tensor Mean { get; }
}
