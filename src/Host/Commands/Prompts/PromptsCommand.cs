using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;

namespace Gradpath.Host.Commands;

/// <summary>
/// Makes prompt pairs of a task and writes them as JSONL. Needs only the vocabulary of the model.
/// </summary>
internal static class PromptsCommand
{
    public static CommandReport Run(PromptsOptions options, Terminal terminal, CancellationToken cancellation)
    {
        CircuitTask task = TaskNames.Parse(options.Task);
        BpeTokenizer tokenizer = BpeTokenizer.Load(VocabularyDirectory.Find(options.Model));
        TokenizerNotes.Warn(terminal, tokenizer.Warnings);
        IReadOnlyList<PromptPair> pairs = PromptProgress.Run(
            terminal,
            options.Count,
            "--count",
            progress => PromptGenerator.Generate(task.Name, tokenizer, options.Count, options.Seed, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        PromptWriter.Write(options.Out, pairs, tokenizer, task.Metric);
        CommandReport report = new();
        report.Fact("task", task.Name);
        report.Fact("prompt_pairs", pairs.Count);
        report.Fact("seed", options.Seed);
        report.File("prompts", options.Out, $"{Sizes.Of(pairs.Count, "prompt pair")} of {task}: {options.Out}");
        return report;
    }
}
