namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>The options that a method reads, beside those that all read: normalisation and batch size.</summary>
[Flags]
public enum MethodSettings
{
    /// <summary>No other.</summary>
    None = 0,

    /// <summary><see cref="AttributionOptions.Metric"/>: scores are of a metric's loss.</summary>
    Metric = 1,

    /// <summary><see cref="AttributionOptions.Steps"/>.</summary>
    Steps = 2,

    /// <summary><see cref="AttributionOptions.Ablation"/>.</summary>
    Ablation = 4,

    /// <summary><see cref="AttributionOptions.IgPoints"/>.</summary>
    IgPoints = 8,

    /// <summary><see cref="AttributionOptions.EmbeddingPath"/>.</summary>
    EmbeddingPath = 16,

    /// <summary><see cref="AttributionOptions.Seed"/>.</summary>
    Seed = 32,

    /// <summary><see cref="AttributionOptions.RecordPath"/>.</summary>
    RecordPath = 64,
}
