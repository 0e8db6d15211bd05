using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>What a search gives: a circuit, and what the search did on the way (each search's result has its own trace).</summary>
public abstract record SearchResult
{
    /// <summary>Begins with nothing.</summary>
    private protected SearchResult()
    {
    }

    /// <summary>The circuit. Its provenance states the search, its options, the model, the prompts and the device.</summary>
    public required Circuit Circuit { get; init; }

    /// <summary>Prompt pairs per pass, at most.</summary>
    public required int BatchSize { get; init; }

    /// <summary>The most memory that was in use on the device, in bytes, weights included.</summary>
    public required long PeakDeviceBytes { get; init; }

    /// <summary>
    /// The search's work in whole forward passes over the prompts, a backward pass counted as one; NaN where that is not known.
    /// </summary>
    public double Passes { get; init; } = double.NaN;
}
