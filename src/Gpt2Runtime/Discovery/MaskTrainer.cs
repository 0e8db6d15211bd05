using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The steps of <see cref="EdgePruning"/> on the device: draws masks, runs a batch with them, and moves their parameters. A step on a batch
/// that stays on the device is the same operations whenever its turn comes, so that a device that records passes does all of it at once.
/// </summary>
internal sealed class MaskTrainer : ResourceOwner
{
    private readonly Device _device;
    private readonly MaskedPlan _plan;
    private readonly OutputHead _head;
    private readonly MaskedPass _pass;
    private readonly MaskedBatches _batches;
    private readonly MaskOptimizer _optimizer;
    private readonly RecordedPass?[] _steps;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run; its plan has the batches. Used, not owned.</param>
    /// <param name="plan">The edges that have masks.</param>
    /// <param name="options">Resolved options.</param>
    /// <param name="starts">Where the masks' parameters start, see <see cref="MaskStart.Means"/>.</param>
    /// <param name="keep">Whether batches stay on the device; else they are made anew each time.</param>
    public MaskTrainer(RunContext context, MaskedPlan plan, EdgePruningOptions options, double[] starts, bool keep)
    {
        _device = context.Device;
        _plan = plan;
        int items = context.Largest.Length;
        // The optimizer says which step it was and what to lower.
        _head = Own(new OutputHead(context.Weights, BuiltInMetrics.KlDivergence, items, items) { ChecksValues = false });
        _pass = Own(new MaskedPass(context.Weights, plan, PassCapacity.For(context.Largest, 1, true), _head));
        _batches = Own(new MaskedBatches(context, plan, _pass.Biases, keep));
        _optimizer = Own(new MaskOptimizer(_device, plan, options, starts));

        // The first turn of a batch runs directly and the second is recorded: worth it where there is a third.
        int count = context.Plan.Batches.Count;
        _steps = new RecordedPass?[count];
        for (int b = 0; b < count && keep && options.Steps / count > 2; b++) _steps[b] = Own(new RecordedPass { Repeats = true });
    }

    /// <summary>The masks' parameters with everything else that later steps depend on, for saving.</summary>
    public (float[] LogAlpha, float[] First, float[] Second, double[] Multipliers) State
    {
        get => _optimizer.State;
        set => _optimizer.State = value;
    }

    /// <summary>The mean KL of the model with the edges of a circuit alone. No step can follow.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="batches">Number of batches.</param>
    /// <param name="cancellation">Stops the work between batches.</param>
    /// <returns>The mean over all prompts.</returns>
    public double Kl(Circuit circuit, int batches, CancellationToken cancellation)
    {
        using var scope = new AllocationScope(_device);
        var mask = new float[_plan.Slots * _plan.Columns];
        foreach ((int row, int column) in circuit.Edges) mask[_plan.CellOf(row, column)] = 1;
        _optimizer.Mask.Upload(mask);
        (double sum, int count) = (0, 0);
        _head.LeavesValues = false;
        for (int batch = 0; batch < batches; batch++)
        {
            cancellation.ThrowIfCancellationRequested();
            MaskedBatch prompts = _batches.Get(batch);
            _head.UseReference(prompts.Reference, prompts.Pairs.Count);
            _pass.Forward(prompts, _optimizer.Mask);
            for (int i = 0; i < prompts.Pairs.Count; i++) sum += _head.Values[i];
            count += prompts.Pairs.Count;
        }
        scope.Keep();
        return sum / count;
    }

    /// <summary>Does a step.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="batch">Index of the batch to train on.</param>
    /// <returns>The step as logged.</returns>
    /// <exception cref="DeviceException">The device failed or has no room. What the step had allocated is freed; no step can
    /// follow.</exception>
    public EdgePruningStep Step(int step, int batch)
    {
        // A batch is made at its first turn, and an error on the way leaves no half of it behind.
        using var scope = new AllocationScope(_device);
        MaskedBatch prompts = _batches.Get(batch);
        _head.UseReference(prompts.Reference, prompts.Pairs.Count);
        _head.LeavesValues = true;
        _optimizer.Begin(step);
        _device.Replay(_steps[batch], (Trainer: this, Prompts: prompts), static s => s.Trainer.Issue(s.Prompts));
        EdgePruningStep logged = _optimizer.End(step);
        scope.Keep();
        return logged;
    }

    private void Issue(MaskedBatch prompts)
    {
        _optimizer.Sample();
        _pass.Forward(prompts, _optimizer.Mask);
        _pass.Backward(prompts, _optimizer.Mask, _optimizer.Scores);
        _optimizer.Update(_head.DeviceValues, prompts.Pairs.Count);
    }
}
