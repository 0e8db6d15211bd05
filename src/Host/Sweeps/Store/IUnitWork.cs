using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>Computes units, one after the other. It keeps what they share: the device, weights, prompts.</summary>
internal interface IUnitWork
{
    /// <summary>Computes a unit. What it throws is recorded as the unit's failure, unless it was stopped or a disk is full.</summary>
    /// <param name="unit">The unit; the results of those that it needs are there.</param>
    /// <param name="progressFile">Where a state goes that the unit can go on from: what <see cref="ProgressFile"/> takes as the result, so
    /// that the file is this with <c>.progress</c> behind it. Its folder is there. The file is deleted once the unit is done.</param>
    /// <param name="progress">Told how far the unit is; null where nobody asks.</param>
    /// <param name="cancellation">Stops the work, which saves its state if it can.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    UnitOutcome Run(SweepUnit unit, string progressFile, IProgress<RunProgress>? progress, CancellationToken cancellation);
}
