using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>A kernel's runs of instructions that are entered at their first one alone.</summary>
internal sealed class BasicBlocks
{
    private readonly int _count;

    /// <summary>Divides a kernel.</summary>
    /// <param name="kernel">The kernel.</param>
    public BasicBlocks(PtxKernel kernel)
    {
        _count = kernel.Instructions.Count;
        var leaders = new SortedSet<int> { 0 };
        for (int i = 0; i < _count; i++)
        {
            leaders.UnionWith(ControlFlow.Targets(kernel.Instructions[i]));
            if (ControlFlow.Ends(kernel.Instructions[i])) leaders.Add(i + 1);
        }
        leaders.Remove(_count);
        Starts = [.. leaders];
        Next = [.. Enumerable.Range(0, Starts.Count).Select(b => Successors(kernel, b))];
    }

    /// <summary>The first instruction of each run, in order.</summary>
    public List<int> Starts { get; }

    /// <summary>The runs that may follow each.</summary>
    public int[][] Next { get; }

    /// <summary>The instruction behind a run.</summary>
    /// <param name="block">The run.</param>
    public int End(int block) => block + 1 < Starts.Count ? Starts[block + 1] : _count;

    private int[] Successors(PtxKernel kernel, int block)
    {
        int end = End(block);
        Instruction last = kernel.Instructions[end - 1];
        IEnumerable<int> next = ControlFlow.Targets(last);
        if (!ControlFlow.NeverFallsThrough(last)) next = next.Append(end);
        return [.. next.Where(i => i < _count).Select(i => Starts.BinarySearch(i)).Distinct()];
    }
}
