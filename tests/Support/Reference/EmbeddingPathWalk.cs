
namespace Gradpath.Tests.Support.Reference;

/// <summary>
/// The path of EAP-GP, free of any model. Several items walk side by side, each at a point of its own:
///   g = gradient of the item's objective at its point,  W = ||g|| of the item, or over all items together,
///   point = point - eta g / W;  where W is below 1e-12 the point stays.
/// </summary>
internal sealed class EmbeddingPathWalk
{
    private EmbeddingPathWalk(IReadOnlyList<IReadOnlyList<RealMatrix>> points, IReadOnlyList<IReadOnlyList<double>> norms)
    {
        Points = points;
        GradientNorms = norms;
    }

    /// <summary>[item][j], j = 0..k: the start and the point after each step.</summary>
    public IReadOnlyList<IReadOnlyList<RealMatrix>> Points { get; }

    /// <summary>[item][j], j = 0..k-1: the objective's gradient norm of the item at point j.</summary>
    public IReadOnlyList<IReadOnlyList<double>> GradientNorms { get; }

    /// <summary>Walks k steps.</summary>
    /// <param name="starts">Every item's first point.</param>
    /// <param name="etas">Every item's step length.</param>
    /// <param name="steps">k.</param>
    /// <param name="norm">Whether every item divides by its own norm or by the norm over all.</param>
    /// <param name="gradient">Gradient of an item's objective at a point.</param>
    /// <param name="direction">What an item's step goes against, of its gradient; null for the gradient itself.</param>
    /// <param name="length">Length of an item's step: of its number, its point, its gradient and what it goes against; null for
    /// eta.</param>
    public static EmbeddingPathWalk Run(
        IReadOnlyList<RealMatrix> starts,
        IReadOnlyList<double> etas,
        int steps,
        ReferenceNorm norm,
        Func<int, RealMatrix, RealMatrix> gradient,
        Func<int, RealMatrix, RealMatrix>? direction = null,
        Func<int, int, RealMatrix, RealMatrix, RealMatrix, double>? length = null)
    {
        List<RealMatrix>[] points = [.. starts.Select(s => new List<RealMatrix> { s })];
        List<double>[] norms = [.. starts.Select(_ => new List<double>())];
        for (int j = 0; j < steps; j++)
        {
            RealMatrix[] g = [.. points.Select((list, item) => gradient(item, list[^1]))];
            RealMatrix[] against = direction is null ? g : [.. g.Select((m, item) => direction(item, m))];
            double together = Math.Sqrt(against.Sum(m => RealMatrix.Dot(m, m)));
            for (int item = 0; item < g.Length; item++)
            {
                RealMatrix point = points[item][^1], way = against[item];
                double w = norm == ReferenceNorm.Batch ? together : way.Norm();
                double eta = length is null ? etas[item] : length(item, j, point, g[item], way);
                points[item].Add(w < 1e-12 ? point : RealMatrix.Combine(point, -eta / w, way));
                norms[item].Add(g[item].Norm());
            }
        }
        return new EmbeddingPathWalk(points, norms);
    }
}
