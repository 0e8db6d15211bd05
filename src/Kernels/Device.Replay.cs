namespace Gradpath.Kernels;

// Replay: passes that repeat.
public abstract partial class Device
{
    /// <summary>Whether this device gains from <see cref="Replay{TState}"/>; where not, callers need not look for the pass's slot.</summary>
    public virtual bool Replays => false;

    /// <summary>
    /// Runs a pass, or does again what it did before. The caller promises that the pass issues the same operations with the same arrays
    /// and numbers whenever it runs with this slot, that the arrays live as long as the slot is used, and that the pass neither
    /// allocates nor moves data between host and device.
    /// </summary>
    /// <typeparam name="TState">What the pass needs; a value type, so that nothing is allocated.</typeparam>
    /// <param name="slot">The pass's slot; null to run it without one.</param>
    /// <param name="state">Handed to the pass.</param>
    /// <param name="pass">Issues the operations.</param>
    public virtual void Replay<TState>(RecordedPass? slot, TState state, Action<TState> pass) => pass(state);
}
