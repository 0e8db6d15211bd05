using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>
/// The least piece of a sweep that is computed, kept and retried: one method with one setting on one set of prompts of one model; or, where
/// a plan divides prompts, the scores of one part of them.
/// </summary>
internal sealed record SweepUnit
{
    /// <summary>Place in the plan, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>
    /// The first 32 hexadecimal digits of the SHA-256 of <see cref="Identity"/>: equal where, and only where, the result is.
    /// </summary>
    public required string Key { get; init; }

    /// <summary>Everything that the result depends on: hashes of model and prompts, method and options with their defaults, metric,
    /// ablation, sizes, evaluations, device and precision, version of results.</summary>
    public required JsonObject Identity { get; init; }

    /// <summary>The model, as the plan calls it.</summary>
    public required string Model { get; init; }

    /// <summary>What the plan's file calls the model, where <see cref="Model"/> is its path; else the same.</summary>
    public string ModelName
    {
        get => field ?? Model;
        init;
    }

    /// <summary>The prompts.</summary>
    public required SweepTask Task { get; init; }

    /// <summary>The method.</summary>
    public required SweepMethod Method { get; init; }

    /// <summary>The seed.</summary>
    public required int Seed { get; init; }

    /// <summary>The metric's name.</summary>
    public required string Metric { get; init; }

    /// <summary>What edges outside a circuit carry.</summary>
    public required Ablation Ablation { get; init; }

    /// <summary>Which part of the pairs to score this is, from 0, of how many; null where they are not divided, and for the unit that puts
    /// the parts together.</summary>
    public (int Part, int Of)? Part { get; init; }

    /// <summary>Keys of the units whose results this one reads.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>Estimated work, in multiply-adds: for dividing a sweep among machines and for the time left.</summary>
    public required double Cost { get; init; }

    /// <summary>What messages call it: <c>eap-gp steps=5, ioi, demo, seed 0</c>.</summary>
    public string Title =>
        $"{Method.Label}, {Task.Name}, {ModelName}, seed {Seed}" + (Part is { } p ? $", part {p.Part + 1} of {p.Of}" : "");
}
