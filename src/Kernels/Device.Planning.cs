namespace Gradpath.Kernels;

// Planning: how much memory a piece of code would take, found by running it dry.
public abstract partial class Device
{
    private MemoryPlan? _plan;

    /// <summary>Whether code runs dry at the moment.</summary>
    internal bool IsPlanning => _plan is not null;

    /// <summary>
    /// Counts the memory that a piece of code would take, without taking it. While the code runs, allocations are counted and take nothing,
    /// operations and uploads check their operands and do nothing, downloads leave zeros. What was allocated is dead when the plan is over:
    /// using it then ends with an <see cref="ObjectDisposedException"/>. The device's counters and scopes stay as they are, and arrays that
    /// were there before keep their contents.
    /// </summary>
    /// <param name="work">Allocates, for example by calling constructors, and may call operations. Plans may be made within it.</param>
    /// <returns>The most bytes that were allocated and not yet freed at one time.</returns>
    internal long PlannedBytes(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        ObjectDisposedException.ThrowIf(IsClosed, this);
        var plan = new MemoryPlan();
        (MemoryPlan? outerPlan, AllocationScope? outerScope) = (_plan, Scope);
        (_plan, Scope) = (plan, null);
        _state |= CallState.Planning;
        try
        {
            work();
            return plan.PeakBytes;
        }
        finally
        {
            (_plan, Scope) = (outerPlan, outerScope);
            if (outerPlan is null) _state &= ~CallState.Planning;
            plan.End();
        }
    }
}
