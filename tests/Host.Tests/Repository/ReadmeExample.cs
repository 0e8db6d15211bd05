using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Tests;

/// <summary>The README's example of embedding the scorer, line by line.</summary>
internal static class ReadmeExample
{
    public static AttributionResult Run(string directory)
    {
        using var device = new CpuDevice();
        using var checkpoint = Gpt2Checkpoint.Open(directory);
        using var model = checkpoint.LoadWeights(device);
        BpeTokenizer tokenizer = BpeTokenizer.Load(directory);
        PromptSet prompts = PromptLoader.Load("ioi", null, tokenizer, new PromptOptions { Limit = 20 });
        var options = new AttributionOptions { Method = AttributionMethod.EapGp, Metric = prompts.Metric };
        AttributionResult result = EdgeAttribution.Score(model, prompts.Pairs, options);
        return result;
    }
}
