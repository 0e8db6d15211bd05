using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Tests;

/// <summary>The examples in C# of the README and of the packages' pages, line by line.</summary>
internal static class ReadmeExample
{
    public static (EdgeScores Scores, double Faithfulness, Circuit Found) Run(string[] args, string file)
    {
        string directory = args[0];
        using var device = new CpuDevice();
        using var checkpoint = Gpt2Checkpoint.Open(directory);
        using var model = checkpoint.LoadWeights(device);
        BpeTokenizer tokenizer = BpeTokenizer.Load(directory);
        PromptSet prompts = PromptLoader.Load("ioi", null, tokenizer, new PromptOptions { Limit = 20 });
        var options = new AttributionOptions { Method = AttributionMethods.EapGp };
        EdgeScores scores = EdgeAttribution.Score(model, prompts, options);
        scores.Save(file);

        Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(scores, 200));
        EvaluationResult result = CircuitEvaluation.Evaluate(model, prompts, [circuit], new EvaluationOptions());
        double faithfulness = Faithfulness.Of(result.Full, result.Circuits[0], result.Empty);
        AcdcResult found = CircuitSearches.Acdc.Search(model, prompts, new AcdcOptions { Threshold = 0.05 });
        return (scores, faithfulness, found.Circuit);
    }

    public static Metric Margin()
    {
        MetricTraits traits = new() { NeedsAnswers = true, NeedsWrongAnswers = true };
        Metric margin = Metric.Of("margin", traits, (logits, clean, pair, gradient) =>
        {
            (int right, int wrong) = (pair.Answers[0], pair.WrongAnswers[0]);
            if (!gradient.IsEmpty) (gradient[right], gradient[wrong]) = (1, -1);
            return logits[right] - logits[wrong];
        });
        return margin;
    }

    public static DeviceKind Open()
    {
        using Device device = CudaDevice.Availability().IsUsable ? CudaDevice.Open() : new CpuDevice();
        return device.Kind;
    }
}
