namespace Gradpath.Kernels;

/// <summary>
/// A place where a device may keep what it made of a pass that runs again and again: the same operations on the same arrays with the
/// same numbers, of which only the arrays' contents change. See <see cref="Device.Replay{TState}"/>.
/// </summary>
internal sealed class RecordedPass : IDisposable
{
    /// <summary>Whether the pass is known to run many times, so that it is recorded as soon as it can be.</summary>
    internal bool Repeats { get; init; }

    /// <summary>How often the pass has run.</summary>
    internal int Runs { get; set; }

    /// <summary>What the device made of it; null until it did.</summary>
    internal IDisposable? Recording { get; set; }

    /// <inheritdoc />
    public void Dispose()
    {
        Recording?.Dispose();
        Recording = null;
        Runs = 0;
    }
}
