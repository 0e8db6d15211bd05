using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Checks;

/// <summary>The ops of Device.Mix.cs.</summary>
internal static class MixChecks
{
    public static IReadOnlyList<OpCheck> All { get; } = [OpChecks.Check("Mix", "MixInputs", OpChecks.Rounding, Mix)];

    private static void Mix(Device d, OpOperands x)
    {
        int slots = x.Extent(20, 2), copies = x.Extent(3, 2), inputs = x.Extent(12), rows = x.Extent(9), width = x.Extent(130);
        long block = (long)rows * width;
        List<int> copy = [], takesTotal = [], start = [0], slot = [];
        for (int i = 0; i < inputs; i++)
        {
            copy.Add(x.Below(copies));
            takesTotal.Add(x.Below(2));
            slot.AddRange(x.Distinct(x.Below(slots + 1), slots));
            start.Add(slot.Count);
        }
        MixPlan plan = new(x.Integers([.. copy]), x.Integers([.. takesTotal]), x.Integers([.. start]), x.Integers([.. slot]), slot.Count, copies, slots);
        d.MixInputs(x.Draw(block), x.Draw(copies * block), x.Draw(slots * block), plan, inputs, rows, width, x.Out(inputs * block));
    }
}
