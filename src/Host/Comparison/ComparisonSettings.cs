using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Discovery;

namespace Gradpath.Host.Comparison;

/// <summary>What is compared, and how.</summary>
internal sealed record ComparisonSettings
{
    /// <summary>The methods.</summary>
    public required IReadOnlyList<ComparedMethod> Methods { get; init; }

    /// <summary>Shares of all edges that the circuits are to lack.</summary>
    public required IReadOnlyList<double> Sparsities { get; init; }

    /// <summary>Cut scores from the logits back instead of taking the edges of largest absolute score.</summary>
    public bool Greedy { get; init; }

    /// <summary>Thresholds to try per sparsity, at most, for searches that have one.</summary>
    public int ThresholdRuns { get; init; }

    /// <summary>Training steps; null for the default.</summary>
    public int? Steps { get; init; }

    /// <summary>Prompt pairs per training step; null for the default.</summary>
    public int? TrainBatch { get; init; }

    /// <summary>How much above each sparsity training aims.</summary>
    public double Overshoot { get; init; }

    /// <summary>Share of the edges that the scores of a search keep that starts from some.</summary>
    public double Share { get; init; }

    /// <summary>How scores are cut, as options call it.</summary>
    public string Select => Greedy ? "greedy" : "top-n";

    /// <summary>Refuses a sparsity that a method cannot be asked for.</summary>
    /// <param name="sparsity">The sparsity.</param>
    /// <exception cref="OptionException">Names the option.</exception>
    public void Check(double sparsity)
    {
        foreach (CircuitSearch search in Methods.Select(m => m.Search).OfType<CircuitSearch>())
        {
            if (Options(search, sparsity) is EdgePruningOptions training) training.Resolve(EdgePruningOptions.SmallGraph);
        }
    }

    /// <summary>What a method's circuits depend on beside model, prompts, metric, ablation and seed.</summary>
    /// <param name="method">The method.</param>
    public JsonObject Describe(ComparedMethod method)
    {
        if (method.Search is not { } search) return new JsonObject { ["select"] = Select, ["filled"] = true };
        JsonObject json = [];
        if (search.Sizing == SearchSizing.Threshold) json["runs"] = ThresholdRuns;
        if (search.Defaults is EdgePruningOptions)
        {
            json["steps"] = Steps;
            json["train-batch"] = TrainBatch;
            json["overshoot"] = Overshoot;
        }
        if (search.Defaults is HybridPruningOptions) json["keep"] = Share;
        return json;
    }

    /// <summary>A search's options, but for what all searches of a session share.</summary>
    /// <param name="search">The search.</param>
    /// <param name="sparsity">The share of all edges that the circuit is to lack.</param>
    public SearchOptions Options(CircuitSearch search, double sparsity)
    {
        if (search.Defaults is not EdgePruningOptions training) return search.Defaults;
        training = training with
        {
            Sparsity = sparsity,
            Target = Overshoot > 0 ? sparsity + Overshoot : null,
            Steps = Steps ?? 0,
            BatchSize = TrainBatch ?? EdgePruningOptions.PublishedBatch,
        };
        return training is HybridPruningOptions hybrid ? hybrid with { Share = Share } : training;
    }
}
