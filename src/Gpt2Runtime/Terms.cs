namespace Gradpath.Gpt2Runtime;

/// <summary>Every <see cref="Term"/> that the library's messages use.</summary>
internal static class Terms
{
    public static Term Ablation => new(nameof(Ablation));

    public static Term AnswerReading => new(nameof(AnswerReading));

    public static Term BatchSize => new(nameof(BatchSize));

    public static Term Candidates => new(nameof(Candidates));

    /// <summary>Random subsets of the edges that a ranking leaves out.</summary>
    public static Term Checks => new(nameof(Checks));

    /// <summary>The checkpoint, where it is worth looking into.</summary>
    public static Term Checkpoint => new("the checkpoint");

    public static Term CircuitSelection => new(nameof(CircuitSelection));

    /// <summary>Where prompts are read from.</summary>
    public static Term Data => new(nameof(Data));

    /// <summary>How often masks are drawn and trained.</summary>
    public static Term Draws => new(nameof(Draws));

    public static Term EmbeddingPathDirection => new("EmbeddingPath.Direction");

    public static Term EmbeddingPathNorm => new("EmbeddingPath.Norm");

    public static Term EmbeddingPathObjective => new("EmbeddingPath.Objective");

    public static Term EmbeddingPathOuter => new("EmbeddingPath.Outer");

    public static Term EmbeddingPathStart => new("EmbeddingPath.Start");

    public static Term EmbeddingPathStep => new("EmbeddingPath.Step");

    /// <summary>The methods that an ensemble is made of.</summary>
    public static Term EnsembleMembers => new("Ensemble.Members");

    /// <summary>What helps where all prompts together need too much memory.</summary>
    public static Term FewerPrompts => new("fewer or shorter prompts");

    /// <summary>What helps where prompts were made for another vocabulary.</summary>
    public static Term GeneratedPrompts => new("prompts that are generated for this one");

    /// <summary>Heads per layer, where a file does not say.</summary>
    public static Term Heads => new(nameof(Heads));

    public static Term IgPoints => new(nameof(IgPoints));

    /// <summary>The scores that masks start from.</summary>
    public static Term Init => new(nameof(Init));

    /// <summary>How scores per prompt pair are kept.</summary>
    public static Term ItemType => new("their type");

    /// <summary>Number of layers, where a file does not say.</summary>
    public static Term Layers => new(nameof(Layers));

    public static Term LearningRate => new(nameof(LearningRate));

    public static Term Limit => new(nameof(Limit));

    public static Term MaxGradientNorm => new(nameof(MaxGradientNorm));

    public static Term MemoryBudget => new(nameof(MemoryBudget));

    public static Term Method => new(nameof(Method));

    public static Term Metric => new(nameof(Metric));

    public static Term MultiplierRate => new(nameof(MultiplierRate));

    public static Term NodeMasks => new(nameof(NodeMasks));

    public static Term NodeTarget => new(nameof(NodeTarget));

    public static Term Normalization => new(nameof(Normalization));

    public static Term Order => new(nameof(Order));

    /// <summary>The part of labels by which prompt pairs make groups.</summary>
    public static Term Part => new(nameof(Part));

    public static Term Positions => new(nameof(Positions));

    public static Term PrependBos => new(nameof(PrependBos));

    public static Term RateWarmup => new(nameof(RateWarmup));

    /// <summary>Whose input the first paths lead to.</summary>
    public static Term Receivers => new(nameof(Receivers));

    public static Term RecordPath => new(nameof(RecordPath));

    /// <summary>The file that a run writes at its end.</summary>
    public static Term Result => new("result file");

    /// <summary>Going on from what a stopped run has left.</summary>
    public static Term Resume => new("resume");

    /// <summary>How many prompt pairs are drawn.</summary>
    public static Term Sample => new(nameof(Sample));

    public static Term Schedule => new(nameof(Schedule));

    /// <summary>What gives the scores that a search starts from.</summary>
    public static Term Scorer => new(nameof(Scorer));

    public static Term Scores => new(nameof(Scores));

    public static Term Seed => new(nameof(Seed));

    /// <summary>Whose output is replaced.</summary>
    public static Term Senders => new(nameof(Senders));

    /// <summary>The share of the edges that the first stage of HAP keeps.</summary>
    public static Term Share => new("share");

    public static Term Sizes => new(nameof(Sizes));

    /// <summary>How many of the first prompt pairs are left out.</summary>
    public static Term Skip => new(nameof(Skip));

    public static Term Sparsity => new(nameof(Sparsity));

    /// <summary>Which half of the prompt pairs is taken.</summary>
    public static Term Split => new(nameof(Split));

    public static Term Steps => new(nameof(Steps));

    public static Term Target => new(nameof(Target));

    public static Term TargetWarmup => new(nameof(TargetWarmup));

    public static Term Task => new(nameof(Task));

    /// <summary>The least effect that path tracing follows.</summary>
    public static Term Threshold => new(nameof(Threshold));

    /// <summary>The number of strongest senders that path tracing follows.</summary>
    public static Term Top => new(nameof(Top));

    /// <summary>How many of the strongest edges count as found.</summary>
    public static Term VerifiedFound => new("Found");

    /// <summary>In which share of the subsets every edge is.</summary>
    public static Term VerifiedShare => new("Share");

    public static Term WeightDecay => new(nameof(WeightDecay));

    /// <summary>What lists the tensors of a checkpoint with their ranges.</summary>
    public static Term WeightsListing => new("a listing of the weights");

    /// <summary>A term with a value.</summary>
    /// <param name="term">The term.</param>
    /// <param name="value">The value: a number, or a value of an enumeration, which is written as files have it.</param>
    /// <returns>The term with that value.</returns>
    public static Term With(this Term term, object value) => term with
    {
        Value = value is Enum name ? CanonicalNames.Of(name) : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture),
    };

    /// <summary>A kind of run, by the name that progress files have for it.</summary>
    /// <param name="name">Such as <c>acdc</c>.</param>
    /// <returns>The term.</returns>
    public static Term Search(string name) => new("search", name);
}
