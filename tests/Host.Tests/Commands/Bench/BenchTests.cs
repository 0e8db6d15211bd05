using System.Text.Json;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Host.Bench;
using Gradpath.Kernels.Checks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Tests;

[Trait("About", "speed")]
public sealed class BenchTests
{
    private static readonly Gpt2Config s_tiny = Workloads.Shape("tiny");

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
    [InlineData("W6")]
    [InlineData("W7")]
    public void Works_run(string name)
    {
        using CpuDevice device = new();
        using Gpt2Weights weights = RandomGpt2Weights.Create(s_tiny, 1, device);
        Work work = Works.Prepare(name, "tiny", weights, sample: false, CancellationToken.None);
        work.Run();
        work.Passes(1, null);
        Assert.True(work.Flops > 0);
        Assert.InRange(work.Bytes, 1, Works.WeightBytes(s_tiny));
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
        ComputationGraph graph = new(s_tiny);
        float[] all = EdgeAttribution.Score(weights, pairs, options).Scores;
        float[] part = EdgeAttribution.Score(weights, pairs, options with { OnlySublayers = s => s == 3 }).Scores;
        int column = graph.MlpColumn(1);
        for (int i = 0; i < all.Length; i++) Assert.Equal(i % graph.Readers == column ? all[i] : 0, part[i]);
        Assert.Contains(part, s => s != 0);
        Work sample = Works.Prepare("W4", "tiny", weights, sample: true, CancellationToken.None), whole = Works.Prepare("W4", "tiny", weights, sample: false, CancellationToken.None);
        Assert.Equal(whole.Flops, sample.WholeFlops);
        Assert.InRange(sample.Flops, 1, whole.Flops / 2);
    }

    /// <summary>
    /// GPT-2 small, 20 pairs of 16 tokens that share nothing: from no edge to all but one a circuit costs more and more, and the full one, which is the
    /// clean run, nothing; two runs cost 24 D^2 a row and layer, but for attention and the last layer's queries and MLPs.
    /// </summary>
    [Fact]
    public void Flops_of_circuits_are_those_of_what_runs()
    {
        ComputationGraph graph = new(Workloads.Shape("small"));
        WorkFlops flops = new(Workloads.Shape("small"), 20, 16, 0);
        (int, int)[] edges = [.. graph.Edges];
        double Of(int count) => flops.Evaluation(Circuit.Of(graph, edges.TakeLast(count)));
        const double D2 = 768.0 * 768, Logits = 2.0 * 768 * 50257 * 20;
        double runs = 2 * D2 * ((11 * 320 * 24) + (320 * 4) + (20 * 20)), full = Of(edges.Length);
        Assert.Equal(runs + (2 * Logits), full, 0.005 * full);
        Assert.Equal(full + Logits + (20 * 768), Of(1), 1.0);
        Assert.InRange(Of(1000), Of(100), Of(edges.Length - 1));
        Assert.InRange(Of(edges.Length - 1) - full, 0.9 * runs / 2, 1.1 * runs / 2 + Logits);
        Assert.Equal(Of(1) + Of(1000) - full, flops.Evaluation(Circuit.Of(graph, edges.TakeLast(1)), Circuit.Of(graph, edges.TakeLast(1000))), 1.0);
    }

    /// <summary>A step of edge pruning is what the masked pass says of itself, attention, logits and the last layer's unneeded rows aside.</summary>
    [Fact]
    public void Flops_of_edge_pruning_are_those_of_the_masked_pass()
    {
        Gpt2Config small = Workloads.Shape("small");
        WorkFlops flops = new(small, 32, 16, 0);
        double step = flops.EdgePruning(2, 32) - flops.EdgePruning(1, 32);
        double stated = 2.0 * 32 * 16 * new MaskedPlan(new ComputationGraph(small), null, false).WorkPerRow(768, 64, 3072);
        Assert.InRange(step / stated, 0.9, 1.0);
        Assert.Equal(0.25, ((flops with { Shared = 12 }).EdgePruning(2, 32) - (flops with { Shared = 12 }).EdgePruning(1, 32)) / step, 0.02);
    }

    /// <summary>Counted by hand: GPT-2 small, 20 pairs of 16 tokens that share nothing.</summary>
    [Fact]
    public void Flops_are_those_of_the_products()
    {
        WorkFlops whole = new(Workloads.Shape("small"), 20, 16, 0), shared = whole with { Shared = 12 };
        Assert.Equal(187, whole.Method(new AttributionOptions { Method = AttributionMethod.Eap }) / 1e9, 1.0);
        Assert.Equal(594.5, whole.Method(Works.EapIg) / 1e9, 1.0);
        Assert.Equal(962.3, whole.Method(Works.EapIg with { Method = AttributionMethod.EapGp }) / 1e9, 1.0);

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
