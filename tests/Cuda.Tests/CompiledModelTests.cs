using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Cuda.Tests;

/// <summary>Models whose circuit is known on the emulated GPU: small units in the residual stream, a large gain, sharp attention.</summary>
public sealed class CompiledModelTests
{
    [Theory]
    [InlineData("fraction", "eap-ig")]
    [InlineData("induction", "eap-gp")]
    [InlineData("induction", "exact")]
    public void Scores_find_the_circuit_as_on_the_processor(string name, string method)
    {
        CompiledProgram program = CompiledPrograms.Find(name);
        CompiledModel model = program.Compile(new DistractorOptions(0));
        PromptSet prompts = PromptSet.Of(program.Pairs(3, 0), name);
        using CpuDevice cpu = new(1);
        using EmulatedGpu gpu = new();
        EdgeScores wanted = Score(cpu), got = Score(gpu.Device);
        float most = wanted.Values.ToArray().Max(MathF.Abs);
        foreach ((float expected, float found) in wanted.Values.ToArray().Zip(got.Values.ToArray()))
            Assert.InRange(found, expected - (1e-4f * most), expected + (1e-4f * most));
        RankingQuality quality = RankingQuality.Of(wanted, model.Circuit, model.Undecided);
        RankingQuality onGpu = RankingQuality.Of(got, model.Circuit, model.Undecided);
        Assert.Equal(quality.Area, onGpu.Area, 0.01);
        if (method == "exact") Assert.Equal(1, onGpu.Area, 0.02);

        EdgeScores Score(Device device)
        {
            using Gpt2Weights weights = Gpt2Weights.FromMemory(device, model.Config, model.Tensors, name);
            return EdgeAttribution.Score(weights, prompts, new AttributionOptions { Method = AttributionMethods.Find(method) });
        }
    }
}
