using System.Text.Json;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Host.Bench;
using Gradpath.Kernels.Checks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Tests;

public sealed class BenchTests
{
    private static readonly Gpt2Config s_tiny = new() { Layers = 2, Heads = 3, Width = 24, InnerWidth = 96, Positions = 16, Vocabulary = 50257 };

    [Fact]
    public void Measurements_are_printed_and_written()
    {
        using TempFolder folder = new();
        Cli.Run("bench", "--quick", "--only", "Fill,SequenceDots", "--json", folder["bench.json"]).Succeeds("copy rate", "GEMM rate", "800 x 768", "4 measurements");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(folder["bench.json"]));
        Assert.Equal(["copy rate", "GEMM rate", "Fill", "SequenceDots"], json.RootElement.EnumerateArray().Select(l => l.GetProperty("name").GetString()));
        JsonElement fill = json.RootElement[2];
        Assert.Equal("cpu", fill.GetProperty("device").GetString());
        Assert.Equal(800 * 768 * 4, fill.GetProperty("bytes").GetDouble());
        Assert.Equal(0, fill.GetProperty("flops").GetDouble());
        double copyRate = json.RootElement[0].GetProperty("bytes").GetDouble() / json.RootElement[0].GetProperty("seconds").GetDouble();
        Assert.Equal(800 * 768 * 4 / copyRate / fill.GetProperty("seconds").GetDouble(), fill.GetProperty("share_of_limit").GetDouble(), 1e-9);
    }

    [Fact]
    public void Every_op_is_timed() => Assert.Equal(
        OpChecks.All.Select(c => c.Method).Distinct().Order(),
        OpWorks.All.Select(w => w.Op.Split(',')[0]).Distinct().Order());

    [Fact]
    public void Every_op_runs_on_its_operands()
    {
        using CpuDevice device = new();
        foreach (OpWork work in OpWorks.All.Where(w => w.Flops < 1e9))
        {
            using OpWorkOperands operands = new(device);
            work.Prepare(operands)();
        }
    }

    [Theory]
    [InlineData("W1")]
    [InlineData("W2")]
    [InlineData("W3")]
    [InlineData("W4")]
    public void Works_run(string name)
    {
        using CpuDevice device = new();
        using Gpt2Weights weights = RandomGpt2Weights.Create(s_tiny, 1, device);
        Work work = Works.Prepare(name, "tiny", weights, sample: false, CancellationToken.None);
        work.Run();
        Assert.True(work.Flops > 0);
        Assert.Null(work.WholeFlops);
    }

    /// <summary>The sample's scores are those of the whole; its flops are a part of the whole's.</summary>
    [Fact]
    public void A_sample_of_exact_patching_is_a_part_of_it()
    {
        using CpuDevice device = new();
        using Gpt2Weights weights = RandomGpt2Weights.Create(s_tiny, 1, device);
        var pairs = Workloads.Pairs(3, 6, 4);
        AttributionOptions options = new() { Method = AttributionMethod.Exact };
        Gpt2Runtime.Graph.ComputationGraph graph = new(s_tiny);
        float[] all = EdgeAttribution.Score(weights, pairs, options).Scores;
        float[] part = EdgeAttribution.Score(weights, pairs, options with { OnlySublayers = s => s == 3 }).Scores;
        int column = graph.MlpColumn(1);
        for (int i = 0; i < all.Length; i++) Assert.Equal(i % graph.Readers == column ? all[i] : 0, part[i]);
        Assert.Contains(part, s => s != 0);
        Work sample = Works.Prepare("W4", "tiny", weights, sample: true, CancellationToken.None), whole = Works.Prepare("W4", "tiny", weights, sample: false, CancellationToken.None);
        Assert.Equal(whole.Flops, sample.WholeFlops);
        Assert.InRange(sample.Flops, 1, whole.Flops / 2);
    }

    /// <summary>Counted by hand: GPT-2 small, 20 pairs of 16 tokens that share nothing.</summary>
    [Fact]
    public void Flops_are_those_of_the_products()
    {
        WorkFlops whole = new(Workloads.Shape("small"), 20, 16, 0), shared = whole with { Shared = 12 };
        Assert.Equal(187, whole.Method(new AttributionOptions { Method = AttributionMethod.Eap }) / 1e9, 1.0);
        Assert.Equal(596, whole.Method(Works.EapIg) / 1e9, 1.0);
        Assert.Equal(965, whole.Method(Works.EapIg with { Method = AttributionMethod.EapGp }) / 1e9, 1.0);

        // A quarter of the rows in every pass, and the other three quarters once.
        Assert.InRange(shared.Method(Works.EapIg) / whole.Method(Works.EapIg), 0.25, 0.35);
        Assert.Equal(whole.Method(Works.EapIg), shared.Method(Works.EapIg with { WholePrompts = true }));
    }

    [Theory]
    [InlineData("--only Nothing", "--only Nothing")]
    [InlineData("--json /nowhere/bench.json", "/nowhere")]
    [InlineData("--device warp", "warp")]
    public void Options_that_make_no_sense_are_refused(string options, string mention) => Cli.Run(["bench", "--quick", .. options.Split(' ')]).Fails(2, mention);
}
