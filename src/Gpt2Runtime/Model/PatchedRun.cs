using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// What one run of a <see cref="PatchedForwardPass"/> works on: a plan per copy, and the slot of every difference that is kept. One object
/// serves all runs of a pass, and allocates only while they grow.
/// </summary>
/// <param name="graph">The model's graph.</param>
/// <param name="copies">Most copies of a run.</param>
internal sealed class PatchedRun(ComputationGraph graph, int copies)
{
    private readonly PatchPlan?[] _own = new PatchPlan?[copies];
    private readonly bool[] _keptHeads = new bool[copies * graph.Heads];
    private int[] _slots = [];

    /// <summary>The plan of each copy.</summary>
    public PatchPlan[] Plans { get; } = new PatchPlan[copies];

    /// <summary>Number of copies.</summary>
    public int Count { get; private set; }

    /// <summary>The first sublayer that runs.</summary>
    public int From { get; private set; }

    /// <summary>Whether others will continue this run.</summary>
    public bool Keep { get; private set; }

    /// <summary>Whether this run continues a kept one.</summary>
    public bool Continues { get; private set; }

    /// <summary>Writers that may have a slot, replaced inputs included.</summary>
    public int Writers { get; private set; }

    /// <summary>The run's first own slot.</summary>
    public int FirstSlot { get; set; }

    /// <summary>The slot behind the run's last.</summary>
    public int EndSlot { get; set; }

    /// <summary>Replaced inputs of readers; their slots stand behind the writers'.</summary>
    public IReadOnlyList<InputReplacement> Replacements { get; set; } = [];

    /// <summary>Starts a run.</summary>
    /// <param name="count">Number of copies.</param>
    /// <param name="writers">Writers that may have a slot, replaced inputs included.</param>
    /// <param name="from">The first sublayer that runs.</param>
    /// <param name="keep">Whether others will continue it.</param>
    /// <param name="continues">Whether it continues a kept one.</param>
    public void Begin(int count, int writers, int from, bool keep, bool continues)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, copies);
        if (keep) ArgumentOutOfRangeException.ThrowIfNotEqual(count, 1);
        (Count, Writers, From, Keep, Continues) = (count, writers, from, keep, continues);
        Replacements = [];
        FirstSlot = EndSlot = 0;
        if (_slots.Length < count * writers) _slots = new int[count * writers];
        Array.Fill(_slots, -1);
        Array.Clear(_keptHeads);
    }

    /// <summary>The plan that belongs to a copy.</summary>
    /// <param name="copy">The copy.</param>
    /// <returns>The plan, with what an earlier run has left in it.</returns>
    public PatchPlan OwnPlan(int copy) => _own[copy] ??= new PatchPlan(graph);

    /// <summary>The slot of a copy's listed writer.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="writer">Row of the writer.</param>
    /// <returns>The slot, or -1.</returns>
    public ref int Slot(int copy, int writer) => ref _slots[(copy * Writers) + writer];

    /// <summary>Whether the sum of all differences of a copy is read behind a sublayer.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="sublayer">The sublayer.</param>
    /// <returns>True where it is.</returns>
    public bool NeedsTotal(int copy, int sublayer) => Keep || Plans[copy].LastTotal > sublayer;

    /// <summary>Whether a head of the first sublayer has the difference that it has in the run that is continued.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="head">The head.</param>
    /// <returns>True where it has.</returns>
    public ref bool KeepsHead(int copy, int head) => ref _keptHeads[(copy * graph.Heads) + head];

    /// <summary>
    /// Whether a sublayer is the attention that a continued run starts with: its readers read the kept run's differences.
    /// </summary>
    /// <param name="sublayer">The sublayer.</param>
    /// <returns>True where it is.</returns>
    public bool Enters(int sublayer) => Continues && sublayer == From && sublayer % 2 == 0 && sublayer < 2 * graph.Layers;
}
