using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Kernels;

namespace Gradpath.Host.Commands;

/// <summary>
/// <c>gradpath info</c>: opens a checkpoint, checks it and states its facts; with <c>--weights</c> also those of its values.
/// </summary>
internal static class InfoCommand
{
    public static CommandReport Run(InfoOptions o, Terminal terminal, CancellationToken cancellation)
    {
        using Device device = ComputeDevice.Open(o.Device, terminal);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(o.Model));
        Gpt2Config config = checkpoint.Config;
        ComputationGraph graph = new(config);

        FactSheet sheet = new();
        sheet.Row("model", checkpoint.Directory, ("model", checkpoint.Directory));
        sheet.Row("layers x heads", $"{config.Layers} x {config.Heads}", ("layers", config.Layers), ("heads", config.Heads));
        sheet.Row("width", $"{config.Width} (heads {config.HeadWidth}, MLPs {config.InnerWidth})",
            ("width", config.Width), ("head_width", config.HeadWidth), ("mlp_width", config.InnerWidth));
        sheet.Row("positions", Sizes.Count(config.Positions), ("positions", config.Positions));
        (string vocabulary, BpeTokenizer? tokenizer) = Vocabulary(checkpoint);
        sheet.Row("vocabulary", $"{Sizes.Of(config.Vocabulary, "token")}; {vocabulary}",
            ("vocabulary", config.Vocabulary), ("vocabulary_text", vocabulary));
        string? difference = tokenizer?.SizeDifference(config.Vocabulary);
        if (difference is not null) sheet.Row("", difference, ("vocabulary_difference", difference));
        if (tokenizer?.BeginToken is { } begin)
        {
            sheet.Row("begin token", $"{begin}, {tokenizer.BeginTokenSource}",
                ("begin_token", new JsonObject { ["id"] = begin.Id, ["text"] = begin.Text }),
                ("begin_token_source", tokenizer.BeginTokenSource));
        }
        else if (tokenizer is not null) sheet.Row("begin token", "none", ("begin_token", null));
        string activation = ActivationNames.Of(config.Activation);
        sheet.Row("activation", activation, ("activation", activation));
        sheet.Row("unembedding", config.TiedHead ? "the token embedding (tied)" : "its own", ("tied_unembedding", config.TiedHead));
        sheet.Row("parameters", Sizes.Count(checkpoint.ParameterCount), ("parameters", checkpoint.ParameterCount));
        sheet.Row("stored as", checkpoint.Dtype, ("stored_as", checkpoint.Dtype));
        string hash = checkpoint.ComputeHash(cancellation);
        sheet.Row("hash", hash, ("model_hash", hash));
        sheet.Row("writers, readers", $"{Sizes.Count(graph.Writers)}, {Sizes.Count(graph.Readers)}",
            ("writers", graph.Writers), ("readers", graph.Readers));
        sheet.Row("edges", Sizes.Count(graph.EdgeCount), ("n_edges", graph.EdgeCount));
        long weights = checkpoint.ParameterCount * sizeof(float), matrix = (long)graph.Writers * graph.Readers * sizeof(float);
        sheet.Row("weights in memory", Sizes.Bytes(weights), ("weight_bytes", weights));
        sheet.Row("score matrix", Sizes.Bytes(matrix), ("score_matrix_bytes", matrix));
        sheet.Row("device", $"{device.Description}, {Sizes.Bytes(device.FreeMemory)} free",
            ("device", device.Description), ("free_bytes", device.FreeMemory));
        TokenizerNotes.Warn(terminal, [.. checkpoint.Warnings, .. tokenizer?.Warnings ?? []]);
        CommandReport report = new();
        report.Sheet(sheet);
        if (o.Weights) AddWeights(report, [.. checkpoint.Summarize(cancellation)], checkpoint.Directory, terminal);
        return report;
    }

    private static void AddWeights(CommandReport report, TensorSummary[] tensors, string directory, Terminal terminal)
    {
        static string Text(double value) => double.IsNaN(value) ? "none" : value.ToString("G5", CultureInfo.InvariantCulture);
        report.Table(ReportTable.Of("weights", tensors)
            .Text("tensor", "tensor", t => t.Name)
            .Column("shape", "shape", t => t.Shape, t => $"[{string.Join(", ", t.Shape)}]", right: false)
            .Text("type", "type", t => t.Dtype)
            .Column("smallest", "smallest", t => t.Smallest, t => Text(t.Smallest))
            .Column("largest", "largest", t => t.Largest, t => Text(t.Largest))
            .Column("norm", "norm", t => t.Norm, t => Text(t.Norm))
            .Count("NaN", "nans", t => t.NaNs)
            .Count("infinite", "infinities", t => t.Infinities));
        TensorSummary[] bad = [.. tensors.Where(t => !t.IsFinite)];
        report.Line(
            bad.Length == 0
                ? $"all values of all {tensors.Length} tensors are finite"
                : $"{bad.Length} of {tensors.Length} tensors hold values that are not finite",
            ("tensors_not_finite", bad.Length));
        if (bad.Length == 0) return;
        report.ExitCode = ExitCode.Failure;
        TokenizerNotes.Warn(
            terminal, [$"{directory}: {bad[0].Name} holds values that are not finite numbers: no command runs this model"]);
    }

    // A vocabulary that cannot be read leaves the model as usable as none at all.
    private static (string Text, BpeTokenizer? Tokenizer) Vocabulary(Gpt2Checkpoint checkpoint)
    {
        if (!checkpoint.HasVocabulary) return ("no tokenizer.json, nor vocab.json and merges.txt: prompts must be token ids", null);
        try
        {
            BpeTokenizer tokenizer = BpeTokenizer.Load(checkpoint.Directory);
            return ($"their text is in {tokenizer.Files}", tokenizer);
        }
        catch (GradpathException error)
        {
            return ($"prompts must be token ids: {error.Message}", null);
        }
    }
}
