using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Gpt2Runtime.Transcoders;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Sessions;
using Gradpath.Kernels;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath transcode graph</c>: a prompt in, its attribution graph out.</summary>
internal static class TranscodeGraphCommand
{
    private const int LongestSlug = 40;

    public static CommandReport Run(TranscodeGraphOptions o, Terminal terminal, CancellationToken cancellation)
    {
        if (o.Prompt.Length == 0) throw new UsageException("--prompt: give a text.");
        StageClock clock = new(terminal);
        clock.Start("load");
        using Device device = ComputeDevice.Open(o, terminal);
        RunDetails.Device(terminal, device);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(o.Model));
        using TranscoderSet transcoders = TranscoderFolder.Open(o.Transcoders, o.Folded, checkpoint);
        BpeTokenizer tokenizer = BpeTokenizer.Load(checkpoint.Directory);
        TokenizerNotes.Warn(terminal, tokenizer.Warnings);
        int[] tokens = Tokens(o, tokenizer, checkpoint.Config);
        using Gpt2Weights weights = ModelLoading.Load(o.Model, checkpoint, device, terminal, cancellation);
        RunDetails.Model(terminal, checkpoint, weights);
        int[] missing = [.. Enumerable.Range(0, checkpoint.Config.Layers).Where(l => transcoders.Layers[l] is null)];
        if (missing.Length > 0)
        {
            terminal.Warn($"{transcoders.Name} has no transcoder of layer {string.Join(", ", missing)}: there the whole MLP is error",
                "note");
        }
        clock.Start("graph");
        TranscoderGraphOptions options = new()
        {
            MaxFeatures = o.MaxFeatures,
            MaxLogits = o.MaxLogits,
            LogitProbability = o.LogitProbability,
        };
        AttributionGraph graph = ScoringProgress.Run(terminal, "attribution graph", progress =>
            AttributionGraphBuilder.Build(weights, transcoders, tokens, options, progress, cancellation));
        clock.Start("prune");
        Provenance made = Made(o, weights, transcoders, tokens, tokenizer);
        PrunedGraph pruned = new(graph.With(made), o.NodeThreshold, o.EdgeThreshold);
        clock.Start("write");
        GraphText text = new(Slug(o.Prompt), o.Prompt, transcoders.Name, token => Shown(tokenizer, token));
        if (AtomicFile.Extension(o.Out, ofStreams: ".json") == ".html") AtomicFile.Write(o.Out, AttributionGraphPage.Of(pruned, text));
        else AttributionGraphJson.Write(o.Out, pruned, text);
        clock.Stop();
        return Report(o, pruned, text, made, clock, device);
    }

    private static CommandReport Report(
        TranscodeGraphOptions o, PrunedGraph pruned, GraphText text, Provenance made, StageClock clock, Device device)
    {
        AttributionGraph graph = pruned.Graph;
        CommandReport report = new() { Provenance = made.ToJson() };
        int active = graph.Fits.Sum(f => f.Active);
        string left = graph.FeatureCount < active ? $", {Sizes.Count(graph.FeatureCount)} of them in the graph" : "";
        report.Line(
            $"{Sizes.Of(graph.Tokens.Length, "token")}, {Sizes.Of(active, "active feature")}{left}",
            ("tokens", graph.Tokens.Length), ("active_features", active), ("features", graph.FeatureCount));
        report.Table(ReportTable.Of("logits", graph.Logits)
            .Text("next token", "token", l => text.Token(l.Token))
            .Hidden("token_id", l => l.Token)
            .Ratio("probability", "probability", l => l.Probability));
        report.Table(ReportTable.Of("layers", graph.Fits)
            .Count("layer", "layer", f => f.Layer)
            .Count("features", "features", f => f.Features)
            .Count("active", "active", f => f.Active)
            .Number("a position", "l0", f => f.L0)
            .Ratio("unexplained", "fvu", f => f.UnexplainedVariance));
        int features = pruned.Nodes.Count(graph.IsFeature), errors = pruned.Nodes.Count(graph.IsError);
        report.Line(
            $"after pruning: {Sizes.Of(features, "feature")}, {Sizes.Of(errors, "error")}, {Sizes.Of(pruned.Edges.Length, "edge")}",
            ("kept_features", features), ("kept_errors", errors), ("kept_edges", pruned.Edges.Length));
        report.Line(
            $"replacement score {Sizes.Ratio(pruned.Replacement)} (influence from tokens, not errors), completeness "
            + $"{Sizes.Ratio(pruned.Completeness)} (incoming edges that are from no error)",
            ("replacement_score", pruned.Replacement), ("completeness_score", pruned.Completeness));
        int[] top = [.. pruned.Nodes.Where(graph.IsFeature).OrderBy(n => pruned.Influence[n]).Take(o.Top)];
        int first = graph.Sources.Count;
        report.Table(ReportTable.Of("top_features", top)
            .Text("feature", "node_id", n => AttributionGraphJson.Id(graph, n))
            .Text("at", "token", n => text.Token(graph.Tokens[graph.Sources.Slots[n].Position]))
            .Number("activation", "activation", n => graph.Sources.Slots[n].Activation)
            .Ratio("influence up to here", "influence", n => pruned.Influence[n])
            .Number("on the first logit", "direct_effect", n => graph.Weight(n, first)));
        report.Line($"device: {made.Device}, {made.Precision}, at most {Sizes.Bytes(device.PeakBytes)} in use",
            ("peak_bytes", device.PeakBytes));
        RunFacts.Time(report, clock);
        report.File("graph", o.Out);
        return report;
    }

    private static int[] Tokens(TranscodeGraphOptions o, BpeTokenizer tokenizer, Gpt2Config config)
    {
        int[] tokens = tokenizer.Encode(o.Prompt);
        if (!o.NoBos && tokenizer.BeginToken is { } begin) tokens = [begin.Id, .. tokens];
        if (tokens.FirstOrDefault(t => t >= config.Vocabulary, -1) is >= 0 and var outside)
            throw new GradpathException($"--prompt has token {outside}, but the model has {config.Vocabulary} tokens");
        return tokens.Length <= config.Positions ? tokens : throw new GradpathException(
            $"--prompt has {tokens.Length} tokens with the begin token, but the model takes at most {config.Positions}: shorten it");
    }

    private static Provenance Made(
        TranscodeGraphOptions o, Gpt2Weights weights, TranscoderSet transcoders, int[] tokens, BpeTokenizer tokenizer) => new()
        {
            Version = Provenance.ProgramVersion,
            Model = weights.Name,
            ModelHash = weights.Hash,
            Data = "prompt",
            DataHash = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(o.Prompt))),
            BeginToken = o.NoBos || tokenizer.BeginToken is not { } begin || tokens[0] != begin.Id ? null : begin,
            Method = "transcoder-graph",
            Device = weights.Device.Description,
            Precision = EnumNames.Of(weights.Device.Precision),
            Gemm = EnumNames.Of(weights.Device.Multiplier),
            Created = DateTime.UtcNow,
            Options = new JsonObject
            {
                ["transcoders"] = transcoders.Name,
                ["folded"] = o.Folded,
                ["max-features"] = o.MaxFeatures,
                ["max-logits"] = o.MaxLogits,
                ["logit-probability"] = o.LogitProbability,
                ["node-threshold"] = o.NodeThreshold,
            },
        };

    private static string Shown(BpeTokenizer tokenizer, int token) => tokenizer.Knows(token) ? tokenizer.Decode([token]) : $"#{token}";

    private static string Slug(string prompt)
    {
        string slug = string.Concat(prompt.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-')).Trim('-');
        while (slug.Contains("--", StringComparison.Ordinal)) slug = slug.Replace("--", "-", StringComparison.Ordinal);
        return slug.Length == 0 ? "graph" : slug.Length <= LongestSlug ? slug : slug[..LongestSlug].TrimEnd('-');
    }
}
