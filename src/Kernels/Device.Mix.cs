namespace Gradpath.Kernels;

/// <summary>
/// Which rows of differences make up the inputs of readers in a patched pass, as compressed lists: input i takes the entries
/// Start[i] .. Start[i + 1] of Slot, each with the sign of its input.
/// </summary>
/// <param name="Copy">[inputs]: the copy whose total an input may start from.</param>
/// <param name="TakesTotal">[inputs]: 1 where the input starts from the total and subtracts its slots, 0 where it adds them to the baseline.</param>
/// <param name="Start">[inputs + 1].</param>
/// <param name="Slot">Slot numbers.</param>
public sealed record MixPlan(DeviceArray<int> Copy, DeviceArray<int> TakesTotal, DeviceArray<int> Start, DeviceArray<int> Slot) : IDisposable
{
    /// <inheritdoc />
    public void Dispose()
    {
        Copy.Dispose();
        TakesTotal.Dispose();
        Start.Dispose();
        Slot.Dispose();
    }
}

// Mix: the inputs of readers in a patched forward pass, mask times difference.
public abstract partial class Device
{
    /// <summary>
    /// The input of each reader: output[i] = baseline + sum over its slots of differences[slot], or, where that is shorter,
    /// baseline + total[copy] - sum over its slots.
    /// </summary>
    /// <param name="baseline">[rows, width]: the residual stream with every writer ablated.</param>
    /// <param name="total">[copies, rows, width]: the sum of all writers' differences so far.</param>
    /// <param name="differences">[slots, rows, width].</param>
    /// <param name="plan">Which slots each input takes.</param>
    /// <param name="inputs">Number of inputs.</param>
    /// <param name="rows">Rows of one copy.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">[inputs, rows, width].</param>
    public abstract void MixInputs(Tensor baseline, Tensor total, Tensor differences, MixPlan plan, int inputs, int rows, int width, Tensor output);
}
