using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels;

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
    /// <param name="output">[inputs, rows, width]; must not overlap another operand.</param>
    internal void MixInputs(
        Tensor baseline, Tensor total, Tensor differences, in MixPlan plan, int inputs, int rows, int width, Tensor output)
    {
        AtLeast(0, inputs);
        AtLeast(0, rows);
        AtLeast(1, width);
        AtMost(int.MaxValue, Size(inputs, rows));
        AtLeast(0, plan.Listed);
        AtLeast(0, plan.Copies);
        AtLeast(0, plan.Slots);
        long block = Size(rows, width), size = Size(inputs, rows, width);
        Need(baseline, block);
        Need(total, Size(plan.Copies, rows, width));
        Need(differences, Size(plan.Slots, rows, width));
        Need(plan.Copy, inputs);
        Need(plan.TakesTotal, inputs);
        Need(plan.Start, inputs + 1L);
        Need(plan.Slot, plan.Listed);
        Need(output, size);
        Apart(output, size, baseline, block);
        Apart(output, size, total, total.Length);
        Apart(output, size, differences, differences.Length);
        if (size == 0 || !Begins(nameof(MixInputs))) return;
        MixInputsCore(baseline, total, differences, plan, inputs, rows, width, output);
        Ended();
    }

    /// <inheritdoc cref="MixInputs" />
    private protected abstract void MixInputsCore(
        Tensor baseline, Tensor total, Tensor differences, in MixPlan plan, int inputs, int rows, int width, Tensor output);
}
