using System.Text;
using Gradpath.Diagnostics.Bench;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Tests;
using Gradpath.PtxEmulator;

namespace Gradpath.Cuda.Tests;

/// <summary>Measured plans: how they are found, kept in a file, refused and used. The times here are the emulator's.</summary>
public sealed class PlanFileTests
{
    private static readonly GemmShape Shape = new(40, 72, 256, 1);

    [Fact]
    public void The_candidates_of_a_product_are_measured_and_the_fastest_is_kept()
    {
        using CudaDevice device = Open();
        PlanTuner tuner = new(device, new BenchTimer(device, quick: true, default));
        GemmPlanKey key = Key(device);
        IReadOnlyList<GemmPlan> candidates = tuner.CandidatesOf(key);
        Assert.Equal(candidates.Distinct().Count(), candidates.Count);
        Assert.Contains(GemmPlan.Choose(key, device.Plans.Gpu), candidates);
        Assert.True(candidates.Select(c => c.Tile).Distinct().Count() > 1 && candidates.Any(c => c.Splits > 1));
        TunedPlan tuned = tuner.Tune(key);
        Assert.Contains(tuned.Best.Plan, candidates);
        Assert.InRange(tuned.Best.Seconds, 1e-9, tuned.RunnerUp!.Value.Seconds);
        Assert.NotEqual(tuned.Best.Plan, tuned.RunnerUp!.Value.Plan);
        Assert.Null(device.ForcedPlan);
        Assert.Equal(device.OwnScratchBytes, device.AllocatedBytes);

        // What is small enough for the plain kernel has it among its candidates.
        Assert.Contains(tuner.CandidatesOf(key with { Shape = new GemmShape(8, 8, 64, 1) }), c => c.Tile is null);
    }

    [Fact]
    public void A_file_gives_back_what_it_was_written_from()
    {
        using CudaDevice device = Open();
        GemmPlanFile written = File(device, Forced(device, splits: 2)), read = GemmPlanFile.Read(written.Write());
        Assert.Equal(written.Plans, read.Plans);
        Assert.Equal(
            ("Emulated GPU", "9.0", 132, 12080, true, GemmPlanFile.KernelsHash),
            (read.Gpu, read.Capability, read.Multiprocessors, read.Driver, read.Emulated, read.Kernels));
        Assert.Equal(64, read.Hash.Length);
        Assert.Equal(64, read.Kernels.Length);
        Assert.Null(read.Obstacle(device.Info));
    }

    [Fact]
    public void Measured_plans_take_the_place_of_estimates_and_decide_the_bits()
    {
        float[] before, after, again;
        using (CudaDevice device = Open()) before = Run(device);
        using (CudaDevice device = Open())
        {
            GemmPlan chosen = device.PlanOf(Shape, true);
            string plain = device.Identity;
            GemmPlan other = Forced(device, chosen.Splits == 2 ? 1 : 2);
            device.UsePlans(GemmPlanFile.Read(File(device, other).Write()));
            Assert.Equal(other, device.PlanOf(Shape, true));
            Assert.NotEqual(plain, device.Identity);
            Assert.EndsWith(device.PlansHash!, device.Identity, StringComparison.Ordinal);
            after = Run(device);
            again = Run(device);

            // Products that the file lacks, another layout and a room that is too small have the estimate's.
            Assert.Equal(
                GemmPlan.Choose(Key(device) with { TransposedB = false }, device.Plans.Gpu), device.PlanOf(Shape, false));
            device.PartialsLimit = 0;
            Assert.Equal(1, device.PlanOf(Shape, true).Splits);
        }
        Assert.Equal(after, again);
        Assert.NotEqual(before, after);

        static float[] Run(CudaDevice device)
        {
            using Tensor a = device.StoreTensor(Numbers.Draw(1, Shape.M * Shape.K), Shape.M, Shape.K);
            using Tensor b = device.StoreTensor(Numbers.Draw(2, Shape.N * Shape.K), Shape.N, Shape.K);
            using Tensor c = device.Allocate(Shape.M, Shape.N);
            device.Gemm(a.AsMatrix(), b.AsMatrix().T, c.AsMatrix());
            float[] result = new float[Shape.M * Shape.N];
            device.Download(c, result);
            return result;
        }
    }

    [Theory]
    [InlineData("\"gpu\": \"Emulated GPU\"", "\"gpu\": \"NVIDIA L4\"", "it was measured on NVIDIA L4, and this GPU is Emulated GPU")]
    [InlineData("\"multiprocessors\": 132", "\"multiprocessors\": 114", "114 multiprocessors, and this GPU has 9.0 and 132")]
    [InlineData("\"capability\": \"9.0\"", "\"capability\": \"8.9\"", "compute capability 8.9")]
    [InlineData("\"kernels\": \"", "\"kernels\": \"0", "other kernels than this version's")]
    public void Plans_of_another_gpu_or_other_kernels_are_refused(string from, string to, string obstacle)
    {
        using CudaDevice device = Open();
        string text = Encoding.UTF8.GetString(File(device, Forced(device, 2)).Write());
        Assert.Contains(from, text, StringComparison.Ordinal);
        GemmPlanFile file = GemmPlanFile.Read(Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal)));
        Assert.Contains(obstacle, file.Obstacle(device.Info), StringComparison.Ordinal);
        Assert.Contains(obstacle, Assert.Throws<DeviceException>(() => device.UsePlans(file)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gradpath.plans.1", "plans", "as files of measured plans have")]
    [InlineData("\"tile\":\"64x64\"", "\"tile\":\"96x64\"", "no tile of fp16x3 is called 96x64")]
    [InlineData("\"splits\":2", "\"splits\":7", "256 is not cut into 7 shares")]
    [InlineData("\"splits\":2", "\"splits\":-1", "splits must be a whole number from 1, not -1")]
    [InlineData("\"layout\":\"nt\"", "\"layout\":\"tt\"", "no layout is called tt")]
    [InlineData("\"arithmetic\":\"fp16x3\"", "\"arithmetic\":\"fp8\"", "no arithmetic is called fp8")]
    [InlineData("\"m\":40,", "", "it is damaged")]
    [InlineData("\n  ]", "", "it is damaged")]
    [InlineData("\"emulated\": true", "\"emulated\": 1", "it is damaged")]
    public void A_file_that_is_none_says_what_is_wrong(string from, string to, string message)
    {
        using CudaDevice device = Open();
        string text = Encoding.UTF8.GetString(File(device, Forced(device, 2)).Write());
        Assert.Contains(from, text, StringComparison.Ordinal);
        byte[] bytes = Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal));
        Assert.Contains(message, Assert.Throws<FormatException>(() => GemmPlanFile.Read(bytes)).Message, StringComparison.Ordinal);
    }

    private static CudaDevice Open() => new(new EmulatedDriver(new EmulatorOptions { Races = false }), 0);

    private static GemmPlanKey Key(CudaDevice device) => new(Shape, device.Arithmetic, true, device.PartialsLimit);

    private static GemmPlan Forced(CudaDevice device, int splits) =>
        GemmPlan.Split(GemmTile.Of(device.Arithmetic).ToArray().Single(t => t.Name == "64x64"), Shape.K, splits);

    private static GemmPlanFile File(CudaDevice device, GemmPlan best) =>
        new PlanTuner(device, new BenchTimer(device, quick: true, default)).File(
        [
            new TunedPlan(Shape, device.Arithmetic, true, new TimedPlan(best, 1.5e-6), new TimedPlan(Forced(device, 1), 2e-6)),
            new TunedPlan(new GemmShape(4, 4, 4, 2), device.Arithmetic, false, new TimedPlan(new GemmPlan(null, 1, 4), 1e-6), null),
        ]);
}
