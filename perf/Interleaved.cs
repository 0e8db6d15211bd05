using Gradpath.Kernels;

namespace Gradpath.Perf;

/// <summary>Works that take turns, so that a machine whose speed drifts slows all of them.</summary>
internal static class Interleaved
{
    /// <summary>Runs each work once to warm up, then in rounds.</summary>
    /// <param name="device">Where they run.</param>
    /// <param name="rounds">Number of rounds.</param>
    /// <param name="works">The works.</param>
    /// <returns>Median seconds of each.</returns>
    public static double[] Medians(Device device, int rounds, params Action[] works)
    {
        double[][] seconds = [.. works.Select(_ => new double[rounds])];
        for (int round = -1; round < rounds; round++)
        {
            for (int i = 0; i < works.Length; i++)
            {
                double time = device.Time(works[i], 1);
                if (round >= 0) seconds[i][round] = time;
            }
        }
        return [.. seconds.Select(s => s.Order().ElementAt(rounds / 2))];
    }
}
