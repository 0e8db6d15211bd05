namespace Gradpath.Kernels;

// Replay: passes that repeat.
public abstract partial class Device
{
    /// <summary>
    /// Whether this device gains from <see cref="Replay{TState}"/>; where not, callers need not look for the pass's slot.
    /// </summary>
    internal bool Replays => ReplaysPasses && _state == CallState.Straight;

    /// <summary>
    /// Runs a pass, or does again what it did before. The caller promises that the pass issues the same operations with the same arrays
    /// and numbers whenever it runs with this slot, that the arrays live as long as the slot is used, and that the pass neither
    /// allocates nor moves data between host and device.
    /// </summary>
    /// <typeparam name="TState">What the pass needs; a value type, so that nothing is allocated.</typeparam>
    /// <param name="slot">The pass's slot; null to run it without one.</param>
    /// <param name="state">Handed to the pass.</param>
    /// <param name="pass">Issues the operations.</param>
    internal void Replay<TState>(RecordedPass? slot, TState state, Action<TState> pass)
    {
        ArgumentNullException.ThrowIfNull(pass);
        if (slot is null || !Replays) pass(state);
        else ReplayCore(slot, state, pass);
    }

    /// <summary>Whether the device records passes.</summary>
    private protected virtual bool ReplaysPasses => false;

    /// <summary>Runs a pass, or does again what it did before.</summary>
    /// <typeparam name="TState">What the pass needs.</typeparam>
    /// <param name="slot">The pass's slot.</param>
    /// <param name="state">Handed to the pass.</param>
    /// <param name="pass">Issues the operations.</param>
    private protected virtual void ReplayCore<TState>(RecordedPass slot, TState state, Action<TState> pass) => pass(state);
}
