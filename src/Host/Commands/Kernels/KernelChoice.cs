using System.Globalization;
using Gradpath.Diagnostics.KernelRuns;
using Gradpath.Diagnostics.Ops;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Commands;

/// <summary>What <c>kernels run NAME</c> names: an op, a kernel, which stands for its op, or a product with a shape or a plan.</summary>
/// <param name="Op">The op; null for a product of its own shape or plan.</param>
/// <param name="Works">The shapes at which the op is timed.</param>
/// <param name="Product">The product, or null.</param>
/// <param name="Kernel">The kernel that was named, or null.</param>
/// <param name="NeedsGpu">The option that only a GPU can do, or null.</param>
internal sealed record KernelChoice(
    OpRow? Op, IReadOnlyList<OpWork> Works, ProductRequest? Product, string? Kernel, string? NeedsGpu)
{
    private const string Gemm = "Gemm", Plain = "gemmPlain", AddSplits = "gemmAddSplits";
    private const int DefaultM = 160, DefaultN = 3072, DefaultK = 768, DefaultSplits = 20, MostExtent = 1 << 20;

    /// <summary>Reads the options.</summary>
    /// <param name="o">The options.</param>
    /// <exception cref="UsageException">A name, a shape or a plan is none.</exception>
    public static KernelChoice Of(KernelsOptions o)
    {
        string name = o.Run!;
        OpRow? op = OpCatalog.All.FirstOrDefault(r => TableNames.Same(name, r.Name));
        string? kernel = op is null ? OpCatalog.Kernels.Select(k => k.Kernel).FirstOrDefault(k => TableNames.Same(name, k)) : null;
        op ??= OpCatalog.All.FirstOrDefault(r => r.Kernels.Any(k => k.Kernel == kernel));
        if (op is null)
        {
            string[] names = [.. OpCatalog.All.Select(r => r.Name), .. OpCatalog.Kernels.Select(k => k.Kernel)];
            throw new UsageException($"--run {name}: there is no such op or kernel"
                + (NearestName.Of(name, names) is { } near ? $"; did you mean {near}?"
                    : "; 'gradpath kernels list' has the kernels' names, and 'gradpath bench --quick' the ops'."));
        }
        string? needs = o.Watch is not null ? "--watch" : kernel is not null ? $"--run {name}" : o.Plan is not null ? "--plan" : null;
        bool ownShape = op.Name == Gemm && o.Shape is not null && op.Works.All(w => !IsShape(w, o.Shape));
        if (op.Name == Gemm && (ownShape || kernel is not null || o.Plan is not null || o.Layout is not null))
            return new KernelChoice(null, [], ProductOf(o, kernel), kernel, needs);
        foreach ((string option, string? value) in new[] { ("layout", o.Layout), ("plan", o.Plan) })
            if (value is not null) throw new UsageException($"--{option} {value}: {op.Name} is no product.");
        OpWork[] works = [.. op.Works.Where(w => o.Shape is null || IsShape(w, o.Shape))];
        if (works.Length == 0 && o.Shape is not null)
        {
            throw new UsageException(
                $"--shape {o.Shape}: {op.Name} is timed at {string.Join("; ", op.Works.Select(w => w.Shape).Distinct())}.");
        }
        return new KernelChoice(op, works, null, kernel, needs);
    }

    private static bool IsShape(OpWork work, string shape) =>
        string.Equals(Bare(work.Shape), Bare(shape), StringComparison.OrdinalIgnoreCase);

    private static string Bare(string shape) => string.Concat(shape.Where(c => c != ' '));

    private static ProductRequest ProductOf(KernelsOptions o, string? kernel)
    {
        int[] extents = o.Shape is null
            ? [DefaultM, DefaultN, DefaultK]
            : Numbers(o.Shape, 3) ?? throw new UsageException(
                $"--shape {o.Shape}: a product's is M x N x K, each from 1 to {MostExtent}, as 160x3072x768.");
        if (o.Layout is not (null or "nn" or "nt" or "tn" or "tt"))
            throw new UsageException($"--layout {o.Layout}: choose {EnumNames.Choice(["nn", "nt", "tn", "tt"])}.");
        ProductRequest product = new(kernel ?? Gemm, extents[0], extents[1], extents[2])
        {
            TransposeA = o.Layout?[0] == 't',
            TransposeB = o.Layout?[1] == 't',
        };
        if (kernel is Plain)
        {
            if (o.Plan is not (null or "plain")) throw new UsageException($"--plan {o.Plan}: {kernel} has no other plan than plain.");
            return Planned(product, "plain");
        }
        if (kernel is null or AddSplits)
        {
            string? plan = o.Plan ?? (kernel is null ? null : $"64x64x{DefaultSplits}");
            if (plan is null) return product;

            // A plan is one of tensor cores unless something else is asked for: what the GPU prefers is known when it is open.
            const GemmArithmetic usual = GemmArithmetic.Fp16x3;
            product = product with { Arithmetic = CudaDevice.ArithmeticOf(ComputeDevice.Options(o), usual, usual) };
            product = Planned(product, plan);
            GemmShape shape = new(product.M, product.N, product.K, 1);
            if (kernel is AddSplits && product.Plan!(shape) is { Tile: not null } cut && (cut.Splits == 1 || cut.AddsInPlace(shape)))
            {
                throw new UsageException(
                    $"--plan {plan}: the product itself adds so few shares of K; {kernel} takes {DefaultSplits} or more.");
            }
            return product;
        }

        // A kernel is a tile, and its name says how it multiplies and how B lies; or it packs for one.
        GemmTile tile = Enum.GetValues<GemmArithmetic>().SelectMany(a => GemmTile.Of(a, packed: true).ToArray())
            .FirstOrDefault(t => t.KernelName(false) == kernel || t.KernelName(true) == kernel) ?? GemmTile.Packed;
        bool transposed = tile.KernelName(true) == kernel && tile.KernelName(false) != kernel;
        bool either = tile.KernelName(true) == tile.KernelName(false);
        if (!either && o.Layout is not null && product.TransposeB != transposed)
            throw new UsageException($"--layout {o.Layout}: {kernel} is for {(transposed ? "nt and tt" : "nn and tn")}.");
        product = product with { Arithmetic = tile.Arithmetic, TransposeB = either ? product.TransposeB : transposed };
        if (tile.IsPacked && product.TransposeA)
            throw new UsageException($"--layout {o.Layout}: {kernel} reads A as it is stored: nn and nt.");
        if (tile.IsPacked && product.K % 4 != 0)
            throw new UsageException($"--shape {o.Shape}: {kernel} takes a K that is a multiple of 4.");
        string words = $"{tile.Rows}x{tile.Columns}";
        if (o.Plan is not null && !$"{Bare(o.Plan)}x".StartsWith($"{words}x", StringComparison.Ordinal))
            throw new UsageException($"--plan {o.Plan}: {kernel} is the tile {words}; write {words}x2 for two shares of K.");
        return Planned(product, o.Plan ?? words, tile.IsPacked);
    }

    private static ProductRequest Planned(ProductRequest product, string plan, bool packed = false)
    {
        if (plan == "plain") return product with { Plan = s => new GemmPlan(null, 1, s.K), PlanWords = plan };
        int[]? numbers = Numbers(plan, 3) ?? Numbers(plan, 2);
        GemmTile[] tiles = GemmTile.Of(product.Arithmetic!.Value, packed).ToArray();
        GemmTile? tile = numbers is null ? null : tiles.FirstOrDefault(t => t.Rows == numbers[0] && t.Columns == numbers[1]);
        if (tile is null)
        {
            string choice = EnumNames.Choice([.. tiles.Select(t => $"{t.Rows}x{t.Columns}"), "plain"]);
            throw new UsageException($"--plan {plan}: choose {choice}; {tiles[0].Rows}x{tiles[0].Columns}x2 cuts K into two shares.");
        }
        int splits = numbers!.Length == 3 ? numbers[2] : 1;
        return product with
        {
            Plan = s => GemmPlan.Split(tile, s.K, splits),
            Packs = tile.IsPacked,
            PlanWords = $"{tile.Rows}x{tile.Columns}x{splits}",
        };
    }

    private static int[]? Numbers(string text, int count)
    {
        string[] parts = text.Split('x', StringSplitOptions.TrimEntries);
        if (parts.Length != count) return null;
        int[] numbers = new int[count];
        for (int i = 0; i < count; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i])) return null;
            if (numbers[i] is < 1 or > MostExtent) return null;
        }
        return numbers;
    }
}
