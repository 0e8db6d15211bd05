using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Host.Commands;

/// <summary>Options of <c>gradpath prompts</c>.</summary>
[Verb("prompts", HelpText = "Make prompt pairs of a task for a model's vocabulary and write them as JSONL.")]
internal sealed class PromptsOptions
{
    [Option("task", Required = true, HelpText = "ioi, greater-than, sva, gender-bias, country-capital or hypernymy.")]
    public string Task { get; set; } = "";

    [Option("model", Required = true, HelpText = "A directory with vocab.json and merges.txt.")]
    public string Model { get; set; } = "";

    [Option("count", Default = 100, HelpText = "How many prompt pairs.")]
    public int Count { get; set; }

    [Option("seed", Default = 0UL, HelpText = "Seed of the draw.")]
    public ulong Seed { get; set; }

    [Option("out", Required = true, HelpText = "The JSONL file to write.")]
    public string Out { get; set; } = "";
}

/// <summary>
/// Makes prompt pairs of a task and writes them as JSONL. Needs only the vocabulary of the model.
/// </summary>
internal static class PromptsCommand
{
    public static int Run(PromptsOptions options)
    {
        try
        {
            var tokenizer = BpeTokenizer.Load(options.Model);
            var pairs = PromptGenerator.Generate(options.Task, tokenizer, options.Count, options.Seed);
            PromptWriter.Write(options.Out, pairs, tokenizer);
            return 0;
        }
        catch (GradpathException error)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }
}
