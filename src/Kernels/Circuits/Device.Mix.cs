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
        AtLeast(0, plan.First);
        Need(plan.Copy, Sum(plan.First, inputs));
        Need(plan.TakesTotal, Sum(plan.First, inputs));
        Need(plan.Start, Sum(plan.First, inputs + 1L));
        Need(plan.Slot, plan.Listed);
        Need(output, size);
        Apart(output, size, baseline, block);
        Apart(output, size, total, total.Length);
        Apart(output, size, differences, differences.Length);
        if (size == 0 || !Begins(nameof(MixInputs))) return;
        MixInputsCore(baseline, total, differences, plan, inputs, rows, width, output);
        Ended();
    }

    /// <summary>
    /// Products of one shape at places that a table names: C_g = A_g B_g, or C_g += A_g B_g, plus a bias row where the options say so.
    /// </summary>
    /// <param name="a">[M, K], not transposed: A of a group with index 0.</param>
    /// <param name="b">[K, N], not transposed: B of a group with index 0.</param>
    /// <param name="c">[M, N], not transposed: C of a group with index 0; its stride is the largest that the table has. No C may overlap
    /// another, any A, any B or the bias.</param>
    /// <param name="table">Where the groups lie.</param>
    /// <param name="options">
    /// Accumulation, steps, bias: N elements for each B, a group's from its index of B times N on. Without a batch.
    /// </param>
    internal void GroupedGemm(in Matrix a, in Matrix b, in Matrix c, in ProductTable table, in GemmOptions options)
    {
        AtLeast(0, options.StepA);
        AtLeast(0, options.StepB);
        AtLeast(0, options.StepC);
        AtLeast(0, table.First);
        AtLeast(0, table.Count);
        AtLeast(0, table.MostA);
        AtLeast(0, table.MostB);
        AtLeast(0, table.MostC);
        AtLeast(0, options.Batch);
        AtMost(1, options.Batch);
        Need(table.Entries, Product(Sum(table.First, table.Count), ProductTable.Numbers));
        long furtherA = Product(table.MostA, options.StepA);
        long furtherB = Product(table.MostB, options.StepB);
        long furtherC = Product(table.MostC, options.StepC);
        NeedMatrix(a, furtherA);
        NeedMatrix(b, furtherB);
        NeedMatrix(c, furtherC);
        if (a.Transposed || b.Transposed || c.Transposed || a.Columns != b.Rows || a.Rows != c.Rows || b.Columns != c.Columns)
        {
            OpErrors.NoProduct(a, b, c);
        }
        long biases = options.Bias is null ? 0 : Product(table.MostB + 1L, c.Columns);
        if (options.Bias is { } bias)
        {
            Need(bias, biases);
            if (Matrix.Overlap(c, furtherC, new Matrix(bias, 0, 1, checked((int)biases), checked((int)biases)), 0))
                OpErrors.Overlap(nameof(GroupedGemm), nameof(c), nameof(bias));
        }
        if (Matrix.Overlap(c, furtherC, a, furtherA)) OpErrors.Overlap(nameof(GroupedGemm), nameof(c), nameof(a));
        if (Matrix.Overlap(c, furtherC, b, furtherB)) OpErrors.Overlap(nameof(GroupedGemm), nameof(c), nameof(b));
        if (table.Count == 0 || c.Span == 0 || !Begins(nameof(GroupedGemm))) return;
        GroupedGemmCore(a, b, c, table, options);
        Ended();
    }

    /// <summary>
    /// The differences of outputs from an ablated output, d_i = outputs[i] - target, to their slots and onto their copies' totals:
    /// slots[slot_i] = d_i, totals[copy_i] = from + d_i.
    /// </summary>
    /// <param name="outputs">[count, rows, width].</param>
    /// <param name="target">[rows, width].</param>
    /// <param name="plan">The copy and the slot of each.</param>
    /// <param name="rows">Rows of one output.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="slots">[slots, rows, width].</param>
    /// <param name="totals">[copies, rows, width].</param>
    /// <param name="from">[rows, width] that totals start from; null where they are added to.</param>
    internal void TakeDifferences(
        Tensor outputs, Tensor target, in DifferencePlan plan, int rows, int width, Tensor slots, Tensor totals, Tensor? from)
    {
        AtLeast(0, plan.First);
        AtLeast(0, plan.Count);
        AtLeast(0, plan.Copies);
        AtLeast(0, plan.Slots);
        AtLeast(0, rows);
        AtLeast(1, width);
        long block = Size(rows, width), size = Product(block, plan.Count);
        AtMost(int.MaxValue, Product(rows, plan.Count), "plan.Count");
        long slotted = Product(block, plan.Slots), summed = Product(block, plan.Copies);
        Need(outputs, size);
        Need(target, block);
        Need(plan.Numbers, Product(Sum(plan.First, plan.Count), 2));
        Need(slots, slotted);
        Need(totals, summed);
        Apart(slots, slotted, outputs, size);
        Apart(slots, slotted, target, block);
        Apart(totals, summed, outputs, size);
        Apart(totals, summed, target, block);
        Apart(totals, summed, slots, slotted);
        if (from is not null)
        {
            Need(from, block);
            Apart(totals, summed, from, block);
            Apart(slots, slotted, from, block);
        }
        if (size == 0 || !Begins(nameof(TakeDifferences))) return;
        TakeDifferencesCore(outputs, target, plan, rows, width, slots, totals, from);
        Ended();
    }

    /// <summary>Whether products of one shape at many places gain from being one operation.</summary>
    internal virtual bool GroupsProducts => false;

    /// <inheritdoc cref="GroupedGemm" />
    private protected abstract void GroupedGemmCore(
        in Matrix a, in Matrix b, in Matrix c, in ProductTable table, in GemmOptions options);

    /// <inheritdoc cref="TakeDifferences" />
    private protected abstract void TakeDifferencesCore(
        Tensor outputs, Tensor target, in DifferencePlan plan, int rows, int width, Tensor slots, Tensor totals, Tensor? from);

    /// <inheritdoc cref="MixInputs" />
    private protected abstract void MixInputsCore(
        Tensor baseline, Tensor total, Tensor differences, in MixPlan plan, int inputs, int rows, int width, Tensor output);
}
