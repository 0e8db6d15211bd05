namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>How transcoders are trained.</summary>
internal sealed record TranscoderTrainingOptions
{
    /// <summary>The layers, ascending.</summary>
    public required IReadOnlyList<int> Layers { get; init; }

    /// <summary>Features a layer.</summary>
    public int Features { get; init; } = 512;

    /// <summary>Active features a position.</summary>
    public int K { get; init; } = 16;

    /// <summary>Steps.</summary>
    public int Steps { get; init; } = 2_000;

    /// <summary>Most positions of a step; a longer sequence is a step of its own.</summary>
    public int StepPositions { get; init; } = 1_024;

    /// <summary>The largest step of a parameter, in units of the outputs' root mean square.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Seed of the first weights and of the sequences' order.</summary>
    public ulong Seed { get; init; }

    /// <summary>The share of the learning rate at a step: it grows over the first hundredth and falls to 0 over the last fifth.</summary>
    /// <param name="step">The step, from 0.</param>
    public double RateAt(int step)
    {
        double warm = Math.Max(1, Steps / 100.0), fall = Math.Max(1, Steps / 5.0);
        return LearningRate * Math.Min(1, Math.Min((step + 1) / warm, (Steps - step) / fall));
    }
}
