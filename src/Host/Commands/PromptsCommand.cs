using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Host.Commands;

/// <summary>Options of <c>gradpath prompts</c>.</summary>
[Verb("prompts", HelpText = "Make prompt pairs of a task for a model's vocabulary and write them as JSONL.")]
internal sealed class PromptsOptions : CommandOptions
{
    [Option("task", Required = true, MetaValue = "TASK", HelpText = "ioi, greater-than, sva, gender-bias, country-capital or hypernymy.")]
    public string Task { get; set; } = "";

    [Option("model", Required = true, MetaValue = "MODEL", HelpText = VocabularyDirectory.Help)]
    public string Model { get; set; } = "";

    [Option("count", MetaValue = "N", Default = 100, HelpText = "How many prompt pairs.")]
    public int Count { get; set; }

    [Option("seed", MetaValue = "N", Default = 0UL, HelpText = "Seed of the draw.")]
    public ulong Seed { get; set; }

    [Option("out", Required = true, MetaValue = "FILE", HelpText = "The JSONL file to write.")]
    public string Out { get; set; } = "";
}

/// <summary>
/// Makes prompt pairs of a task and writes them as JSONL. Needs only the vocabulary of the model.
/// </summary>
internal static class PromptsCommand
{
    public static int Run(PromptsOptions options, Terminal terminal)
    {
        MethodOptions.Positive("count", options.Count);
        TaskNames.Check(options.Task);
        AtomicFile.RequireWritable(options.Out);
        BpeTokenizer tokenizer = BpeTokenizer.Load(VocabularyDirectory.Find(options.Model));
        TokenizerNotes.Warn(terminal, tokenizer.Warnings);
        IReadOnlyList<PromptPair> pairs = PromptGenerator.Generate(options.Task, tokenizer, options.Count, options.Seed);
        PromptWriter.Write(options.Out, pairs, tokenizer);
        terminal.Out.WriteLine($"{pairs.Count} prompt pairs of {options.Task}: {options.Out}");
        return ExitCode.Success;
    }
}
