using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Host.Sessions;

/// <summary>Saves a long run's state now and then, on the way to whoever shows its progress.</summary>
/// <param name="inner">Who shows it; may be null.</param>
/// <param name="save">Saves the state.</param>
/// <param name="clock">Tells the time.</param>
internal sealed class ProgressSaver(IProgress<AttributionProgress>? inner, Action save, TimeProvider clock) : IProgress<AttributionProgress>
{
    /// <summary>Time between two saves: little to lose, and no time lost to writing.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private long _saved = clock.GetTimestamp();

    /// <inheritdoc />
    public void Report(AttributionProgress value)
    {
        inner?.Report(value);
        if (clock.GetElapsedTime(_saved) < Interval) return;
        save();
        _saved = clock.GetTimestamp();
    }
}
