using System.Diagnostics;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>What the CPU scores the edges of a <see cref="ScoredModel"/>.</summary>
/// <param name="Shape">The model's shape.</param>
/// <param name="Device">The CPU.</param>
/// <param name="Created">When, in UTC.</param>
/// <param name="Seconds">How long it took, with the making of the weights.</param>
/// <param name="Edges">The scores of each method by its name, row by row.</param>
internal sealed record CpuScores(
    string Shape, string Device, string Created, double Seconds, IReadOnlyDictionary<string, float[]> Edges)
{
    /// <summary>Computes the scores of all methods.</summary>
    /// <param name="shape">The model's shape.</param>
    /// <param name="device">The device, which is trusted.</param>
    /// <param name="progress">Told on the way; may be null.</param>
    /// <param name="cancellation">Stops it.</param>
    public static CpuScores Compute(string shape, Device device, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<AttributionMethod> methods = ScoredModel.Methods;
        progress?.Report(new RunProgress(0, methods.Count * Part.Whole, "weights"));
        using ScoredModel model = new(shape, device);
        Dictionary<string, float[]> edges = [];
        foreach (AttributionMethod method in methods)
        {
            Part? part = progress is null ? null : new Part(progress, edges.Count, methods.Count, method.Name);
            edges[method.Name] = model.Score(method, part, cancellation);
        }
        return new CpuScores(
            shape, device.Description, CpuScoresFile.Time(DateTime.UtcNow), Stopwatch.GetElapsedTime(start).TotalSeconds, edges);
    }

    // The progress of a method as a part of all of them.
    private sealed class Part(IProgress<RunProgress> told, int index, int count, string stage) : IProgress<RunProgress>
    {
        public const long Whole = 1000;

        public void Report(RunProgress value) =>
            told.Report(new RunProgress((index * Whole) + (Whole * value.Done / Math.Max(1, value.Total)), count * Whole, stage));
    }
}
