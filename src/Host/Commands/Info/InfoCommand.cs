using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Kernels;
using Spectre.Console;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath info</c>: opens a checkpoint, checks it and states its facts; no weight is read.</summary>
internal static class InfoCommand
{
    public static int Run(InfoOptions o, Terminal terminal)
    {
        using Device device = ComputeDevice.Open(o.Device, terminal);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(o.Model));
        Gpt2Config config = checkpoint.Config;
        ComputationGraph graph = new(config);

        Table table = new Table { Border = TableBorder.Simple, ShowHeaders = false }.AddColumn("").AddColumn("");
        void Row(string name, string value) => table.AddRow(new Text(name), new Text(value));
        Row("model", checkpoint.Directory);
        Row("layers x heads", $"{config.Layers} x {config.Heads}");
        Row("width", $"{config.Width} (heads {config.HeadWidth}, MLPs {config.InnerWidth})");
        Row("positions", Sizes.Count(config.Positions));
        (string vocabulary, BpeTokenizer? tokenizer) = Vocabulary(checkpoint);
        Row("vocabulary", $"{Sizes.Count(config.Vocabulary)} tokens; {vocabulary}");
        if (tokenizer?.SizeDifference(config.Vocabulary) is { } difference) Row("", difference);
        if (tokenizer?.BeginToken is { } begin) Row("begin token", $"{begin}, {tokenizer.BeginTokenSource}");
        else if (tokenizer is not null) Row("begin token", "none");
        Row("activation", EnumNames.Of(config.Activation).Replace('-', '_'));
        Row("unembedding", config.TiedHead ? "the token embedding (tied)" : "its own");
        Row("parameters", Sizes.Count(checkpoint.ParameterCount));
        Row("stored as", checkpoint.Dtype);
        Row("hash", checkpoint.Hash);
        Row("writers, readers", $"{Sizes.Count(graph.Writers)}, {Sizes.Count(graph.Readers)}");
        Row("edges", Sizes.Count(graph.EdgeCount));
        Row("weights in memory", Sizes.Bytes(checkpoint.ParameterCount * sizeof(float)));
        Row("score matrix", Sizes.Bytes((long)graph.Writers * graph.Readers * sizeof(float)));
        Row("device", $"{device.Description}, {Sizes.Bytes(device.FreeMemory)} free");
        terminal.Console.Write(table);
        TokenizerNotes.Warn(terminal, tokenizer?.Warnings ?? []);
        return ExitCode.Success;
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
