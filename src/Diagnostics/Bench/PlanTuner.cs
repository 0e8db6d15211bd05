using System.Globalization;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.Bench;

/// <summary>Measures the plans of products on a GPU.</summary>
/// <param name="device">The GPU; it must have no plans that were measured before.</param>
/// <param name="timer">How.</param>
/// <param name="quick">Whether fewer products and plans will do.</param>
internal sealed class PlanTuner(CudaDevice device, BenchTimer timer, bool quick = false)
{
    // An estimate that is so much longer than the best one is not wrong enough for its plan to win.
    private const double Hopeless = 3;
    private const int MostCandidates = 16, MostProducts = 256, QuickCandidates = 6, QuickProducts = 64, EmulatedProducts = 3;

    /// <summary>The products that works run, by the arithmetic of the device.</summary>
    /// <param name="runs">Runs each work once.</param>
    /// <returns>The largest first, and no more than are worth measuring.</returns>
    public IReadOnlyList<GemmPlanKey> ProductsOf(IEnumerable<Action> runs)
    {
        foreach (Action run in runs) run();
        device.Synchronize();
        return
        [
            .. device.Plans.Products
                .Where(p => p.Arithmetic == device.Arithmetic && p.WorkspaceBytes == device.PartialsLimit
                    && !(p.Packed && p.TransposedB && p.Shape.Batch > 1))
                .OrderByDescending(p => p.Shape.Work * p.Shape.Batch)
                .ThenBy(p => (p.Shape.M, p.Shape.N, p.Shape.K, p.TransposedB, p.Packed))
                .Take(device.IsEmulated ? EmulatedProducts : quick ? QuickProducts : MostProducts),
        ];
    }

    /// <summary>The plans of a product that are worth measuring: by estimate, the best first.</summary>
    /// <param name="product">The product.</param>
    public IReadOnlyList<GemmPlan> CandidatesOf(GemmPlanKey product)
    {
        GemmGpu gpu = device.Plans.Gpu;
        List<GemmPlan> all = GemmPlan.Candidates(product, gpu);
        List<GemmPlan> tiles = [.. all.Where(p => p.Tile is not null).OrderBy(Clocks)];
        double most = tiles.Count == 0 ? 0 : Hopeless * Clocks(tiles[0]);
        int count = quick ? QuickCandidates : MostCandidates;
        return [.. all.Where(p => p.Tile is null), .. tiles.TakeWhile(p => Clocks(p) <= most).Take(count)];

        double Clocks(GemmPlan plan) => plan.Clocks(product.Shape, gpu, gpu.Blocks(plan.Tile!, product.TransposedB));
    }

    /// <summary>Measures a product's plans.</summary>
    /// <param name="product">The product.</param>
    /// <returns>The fastest.</returns>
    public TunedPlan Tune(GemmPlanKey product)
    {
        GemmShape s = product.Shape;
        double bytes = sizeof(float) * (double)s.Batch * (((double)s.M * s.K) + ((double)s.K * s.N) + ((double)s.M * s.N));
        using Rotation rotation = new(device, bytes, x =>
        {
            Matrix a = x.Tensor(s.Batch, s.M, s.K).AsMatrix(s.M, s.K), c = x.Tensor(s.Batch, s.M, s.N).AsMatrix(s.M, s.N);
            Tensor right = x.Tensor(s.Batch, s.K, s.N);
            Matrix b = product.TransposedB ? right.AsMatrix(s.N, s.K).T : right.AsMatrix(s.K, s.N);
            if (product.Packed) x.Own(device.PackFactors([new Matrix(b.Storage, 0, s.Batch * b.Rows, b.Columns, b.Stride, b.Transposed)]));
            GemmOptions options = new(
                Batch: s.Batch, StepA: (long)s.M * s.K, StepB: (long)s.K * s.N, StepC: (long)s.M * s.N);
            return () => device.Gemm(a, b, c, options);
        });
        List<TimedPlan> timed = [];
        Func<GemmShape, GemmPlan>? before = device.ForcedPlan;
        try
        {
            foreach (GemmPlan plan in CandidatesOf(product))
            {
                rotation.Forget();
                device.ForcedPlan = _ => plan;
                timed.Add(new TimedPlan(plan, timer.Candidate(rotation.Run) / rotation.Copies));
            }
        }
        finally
        {
            device.ForcedPlan = before;
        }
        TimedPlan[] order = [.. timed.OrderBy(t => t.Seconds)];
        return new TunedPlan(s, product.Arithmetic, product.TransposedB, order[0], order.Length > 1 ? order[1] : null)
        {
            Packed = product.Packed,
        };
    }

    /// <summary>A file of what was measured.</summary>
    /// <param name="plans">The plans.</param>
    /// <returns>The file, with what this GPU is.</returns>
    public GemmPlanFile File(IReadOnlyList<TunedPlan> plans) => new()
    {
        Gpu = device.Info.Name,
        Capability = GemmPlanFile.CapabilityOf(device.Info),
        Multiprocessors = device.Info.Multiprocessors,
        Driver = device.DriverVersion,
        Emulated = device.IsEmulated,
        Created = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        Version = Provenance.ProgramVersion,
        Kernels = GemmPlanFile.KernelsHash,
        Plans = plans,
    };
}
