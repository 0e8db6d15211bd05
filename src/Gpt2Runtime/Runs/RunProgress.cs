namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>How far a run is.</summary>
/// <param name="Done">Units of work done. It never falls.</param>
/// <param name="Total">Units in all.</param>
/// <param name="Stage">What is being done, in words for a progress bar; may be empty.</param>
public readonly record struct RunProgress(long Done, long Total, string Stage)
{
    /// <summary>How the run at hand was cut into batches; null where it was not, or was told how.</summary>
    public BatchSummary? Plan { get; init; }
}
