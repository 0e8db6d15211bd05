using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>One call scores and one saves: the scores know how they were made.</summary>
public sealed class ScoreProvenanceTests
{
    private static readonly string Demo = RepositoryFiles.DemoModel;

    [Theory]
    [InlineData("scores.json")]
    [InlineData("scores.safetensors")]
    public void Scores_are_saved_with_all_that_it_takes_to_repeat_them(string name)
    {
        using var folder = new TempFolder();
        using var device = new CpuDevice(1);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(Demo);
        using Gpt2Weights model = checkpoint.LoadWeights(device);
        PromptSet prompts = PromptLoader.Load("ioi", null, BpeTokenizer.Load(Demo), new PromptOptions { Limit = 2, Seed = 3 });
        EdgeScores scores = EdgeAttribution.Score(model, prompts, new AttributionOptions { Method = AttributionMethods.EapGp, Steps = 2 });
        scores.Save(folder[name]);
        EdgeScores read = EdgeScores.Load(folder[name]);
        Assert.Equal(scores.Values, read.Values);
        Assert.Equal(scores.NodeScores, read.NodeScores);
        Provenance p = read.Provenance!;
        Assert.Equal(("demo", checkpoint.Hash), (p.Model, p.ModelHash));
        Assert.Equal(("ioi", prompts.Source, prompts.Hash, 2, 3), (p.Task, p.Data, p.DataHash, p.Items, p.Seed));
        Assert.Equal(
            ("eap-gp", "logit-diff", null, "item", Provenance.LossSign), (p.Method, p.Metric, p.Ablation, p.Normalization, p.Sign));
        Assert.Equal(
            """{"steps":2,"path-objective":"residual-final","path-norm":"item","path-eta":"distance","path-start":"auto",""" +
            "\"path-outer\":\"delta\",\"path-direction\":\"auto\"}",
            p.Options.ToJsonString());
        Assert.Equal((device.Description, "fp32", "own", 2), (p.Device, p.Precision, p.Gemm, p.BatchSize));
        Assert.Equal(Provenance.ProgramVersion, p.Version);
        Assert.InRange(DateTime.UtcNow - p.Created!.Value, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(5));
    }

    [Fact]
    public void What_a_method_does_not_read_is_not_stated()
    {
        using OddModel odd = OddModel.Make("one head");
        Provenance Of(AttributionOptions options) => EdgeAttribution.Score(odd.Weights, PromptSet.Of(odd.Mixed), options).Provenance!;
        Provenance random = Of(new AttributionOptions { Method = AttributionMethods.Random, Seed = 5 });
        Assert.Equal(
            (null, null, "{}", 5, "none: a random number between 0 and 1"),
            (random.Metric, random.Ablation, random.Options.ToJsonString(), random.Seed, random.Sign));
        Provenance eap = Of(
            new() { Method = AttributionMethods.Eap, Ablation = Ablation.Zero, Metric = BuiltInMetrics.ProbabilityDifference });
        Assert.Equal(("prob-diff", "zero", "{}", null), (eap.Metric, eap.Ablation, eap.Options.ToJsonString(), eap.Seed));
        Assert.Equal("""{"steps":5,"ig-points":"left"}""", Of(new AttributionOptions()).Options.ToJsonString());
    }

    [Fact]
    public void The_prompt_sets_metric_is_the_default()
    {
        using OddModel odd = OddModel.Make("head bias");
        PromptSet prompts = PromptSet.Of(odd.Mixed, metric: BuiltInMetrics.ProbabilityDifference);
        EdgeScores own = EdgeAttribution.Score(odd.Weights, prompts, new AttributionOptions());
        Assert.Equal(
            EdgeAttribution.Score(odd.Weights, prompts, new AttributionOptions { Metric = BuiltInMetrics.ProbabilityDifference }).Values,
            own.Values);
        Assert.Equal("prob-diff", own.Provenance!.Metric);
    }
}
