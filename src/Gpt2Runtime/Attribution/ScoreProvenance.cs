using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>How scores were made, as their file states it.</summary>
internal static class ScoreProvenance
{
    /// <summary>The provenance of a run.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="settings">Method and settings.</param>
    /// <param name="batchSize">Prompt pairs per batch.</param>
    /// <returns>The provenance, made now.</returns>
    public static Provenance Of(Gpt2Weights model, PromptSet prompts, ScoringSettings settings, int batchSize)
    {
        AttributionMethod method = settings.Method;
        return RunProvenance.Of(model, prompts, batchSize) with
        {
            Method = method.Name,
            Metric = method.HasMetric ? settings.Metric.Name : null,
            Options = Describe(settings),
            Ablation = method.Takes(MethodSettings.Ablation) ? CanonicalNames.Of(settings.Ablation) : null,
            Normalization = CanonicalNames.Of(settings.Normalization),
            Seed = method.Takes(MethodSettings.Seed) ? (long)settings.Seed : (long?)prompts.Seed,
            Sign = method.HasSign ? Provenance.LossSign : $"none: {method.Meaning}",
        };
    }

    /// <summary>The settings that decide the scores, under the names that command lines have for them.</summary>
    /// <param name="s">The settings.</param>
    /// <returns>Those that the method reads.</returns>
    public static JsonObject Describe(ScoringSettings s)
    {
        JsonObject json = [];
        if (s.Method.Members.Count > 0)
        {
            json["of"] = string.Join(',', s.Method.Members);
            json["by"] = CanonicalNames.Of(s.Method.Rule);
        }
        if (s.Method.Takes(MethodSettings.Steps)) json["steps"] = s.Steps;
        if (s.Method.Takes(MethodSettings.IgPoints)) json["ig-points"] = CanonicalNames.Of(s.IgPoints);
        if (s.Method.Takes(MethodSettings.EmbeddingPath))
        {
            json["path-objective"] = CanonicalNames.Of(s.Path.Objective);
            json["path-norm"] = CanonicalNames.Of(s.Path.Norm);
            json["path-eta"] = CanonicalNames.Of(s.Path.Step);
            json["path-start"] = CanonicalNames.Of(s.Path.Start);
            json["path-outer"] = CanonicalNames.Of(s.Path.Outer);
            json["path-direction"] = CanonicalNames.Of(s.Path.Direction);
        }
        if (s.Positions is { } positions) json["positions"] = CanonicalNames.Of(positions);
        return json;
    }
}
