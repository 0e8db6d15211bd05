using Gradpath.Diagnostics.Bench;
using Gradpath.Diagnostics.Ops;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;
using Gradpath.Perf.Ops;
using Gradpath.PtxEmulator;

namespace Gradpath.Perf.Tests;

public sealed class BreakdownTests
{
    [Fact]
    public void The_savings_of_every_task_are_stated()
    {
        string output = PerfCli.Succeeds(
            "savings --shape tiny --pairs 2 --rounds 1 --device cpu", "| greater-than | generated | 2 |", "at the answer's only: ratio");
        foreach (CircuitTask task in TaskCatalog.All) Assert.Contains($"| {task.Name} |", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_sets_are_taken_where_they_are()
    {
        using TempFolder folder = new();
        Directory.CreateDirectory(folder["sva"]);
        File.WriteAllText(Path.Combine(folder["sva"], "prompts.jsonl"), """{"clean_ids":[5,6,7,8],"corrupted_ids":[5,6,7,9],"answer_ids":[1],"wrong_answer_ids":[2]}""" + "\n");
        PerfCli.Succeeds($"savings --shape tiny --pairs 2 --rounds 1 --device cpu --data {folder.Path}",
            "| sva | prompts.jsonl | 1 | 4.0 | 75 % |", "| ioi | generated | 2 |");
    }

    [Fact]
    public void A_profile_names_ops_and_products() =>
        PerfCli.Succeeds("profile W1 --shape tiny --device cpu", "W1: EAP-IG, 5 points, tiny", "| AttentionBackward |",
            "| GemmActivate 240 x 96 x 24 |", "| all matrix products |", "| outside every op |");

    [Fact]
    public void Scaling_fits_an_exponent_to_every_quantity() =>
        PerfCli.Succeeds("scaling --shape tiny --quick --device cpu --threads 2", "| layers | 1, 2 |", "| width | 64, 128 |",
            "| tokens | 8, 16 |", "| steps | 2, 4 |", "| cores | 1, 2 |");

    [Theory]
    [InlineData(1.5, 3)]
    [InlineData(-1, 0.2)]
    public void The_exponent_of_a_power_is_found(double exponent, double factor)
    {
        double[] x = [1, 2, 5, 17];
        Assert.Equal(exponent, ScalingCommand.Exponent(x, [.. x.Select(v => factor * Math.Pow(v, exponent))]), 1e-12);
    }

    /// <summary>The same bits with and without, every product counted with its flops, and nothing counted before or after.</summary>
    [Fact]
    public void A_profile_changes_nothing()
    {
        using CpuDevice device = new(1);
        PromptPair[] pairs = Workloads.Pairs(3, 6, 4);
        float[] plain = Score(), watched;
        OpProfile profile = new(device);
        using (profile)
        {
            Assert.Throws<InvalidOperationException>(() => new OpProfile(device));
            watched = Score();
        }
        long calls = profile.Costs.Values.Sum(c => c.Calls);
        Assert.Equal(plain, watched);
        Assert.Equal(plain, Score());
        Assert.Equal(calls, profile.Costs.Values.Sum(c => c.Calls));
        Assert.All(profile.Costs.Where(c => c.Key.StartsWith("Gemm ", StringComparison.Ordinal)), c => Assert.True(c.Value.Flops > 0));
        OpCost product = profile.Costs.First(c => c.Key.EndsWith("x 96 x 24", StringComparison.Ordinal)).Value;
        Assert.Equal(0, product.Flops % (2 * 96 * 24 * product.Calls));

        float[] Score()
        {
            using Gpt2Weights weights = RandomGpt2Weights.Create(Workloads.Shape("tiny"), 1, device);
            var options = new AttributionOptions { Method = AttributionMethods.EapGp };
            return EdgeAttribution.Score(weights, PromptSet.Of(pairs), options).Values.ToArray();
        }
    }

    /// <summary>On a GPU events take the time: the device is waited for once, however many ops there are.</summary>
    [Fact]
    public void A_profile_of_a_GPU_times_by_events()
    {
        using EmulatedDriver driver = new(new EmulatorOptions { Races = false });
        using CudaDevice device = new(driver, 0);
        using Tensor a = device.Allocate(8, 12), b = device.Allocate(12, 4), c = device.Allocate(8, 4);
        device.Fill(a, 1, a.Length);
        device.Fill(b, 1, b.Length);
        using (OpProfile profile = new(device))
        {
            for (int i = 0; i < 3; i++) device.Gemm(a.AsMatrix(), b.AsMatrix(), c.AsMatrix());
            device.Fill(c, 1, c.Length);
            Assert.Equal(8, driver.LiveEvents);
            Assert.Equal(["Fill", "Gemm 8 x 4 x 12"], profile.Costs.Keys.Order());
            OpCost product = profile.Costs["Gemm 8 x 4 x 12"];
            Assert.Equal((3L, 3 * 2.0 * 8 * 4 * 12), (product.Calls, product.Flops));
            Assert.True(product.Seconds > 0 && double.IsFinite(product.Seconds));

            // Events are used again.
            double before = product.Seconds;
            device.Gemm(a.AsMatrix(), b.AsMatrix(), c.AsMatrix());
            Assert.True(profile.Costs["Gemm 8 x 4 x 12"].Seconds > before);
            Assert.Equal(8, driver.LiveEvents);
        }
        Assert.Equal(0, driver.LiveEvents);
    }

    [Fact]
    public void Every_family_of_ops_is_benchmarked()
    {
        string[] families = [.. OpsCommand.Families.Select(f => ((OpBenchmark)Activator.CreateInstance(f)!).Family).Order()];
        Assert.Equal(OpCatalog.All.Select(op => op.Family).Distinct().Order(), families);
    }

    [Fact]
    public void An_op_is_benchmarked_and_allocates_nothing() => PerfCli.Succeeds(
        "ops --quick --filter PathStep --device cpu --threads 1", "| Call", "1 cases, 1 of them run and allocate 0 bytes a call");
}
