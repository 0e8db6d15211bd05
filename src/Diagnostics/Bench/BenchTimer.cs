using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Bench;

/// <summary>
/// Times work until its median can be trusted: warm-up, then rounds of as many repeats as make a round long enough to time.
/// </summary>
/// <param name="device">Where the work runs.</param>
/// <param name="quick">Whether fewer and shorter rounds will do.</param>
/// <param name="cancellation">Stops between rounds.</param>
internal sealed class BenchTimer(Device device, bool quick, CancellationToken cancellation)
{
    private const int MostRepeats = 2000;
    private const double LongWork = 1;

    /// <summary>Seconds of one run of an op.</summary>
    /// <param name="work">The op.</param>
    /// <returns>The median over rounds.</returns>
    public double Op(Action work)
    {
        // The compiler makes a loop's second, faster version while the first one runs, and waits a tenth of a second before it begins.
        double warmUp = 0.3, round = quick ? 0.003 : 0.02, once = device.Time(work, 1), spent = once;
        while (spent < warmUp)
        {
            once = device.Time(work, 1);
            spent += once;
            cancellation.ThrowIfCancellationRequested();
        }
        return Rounds(work, quick ? 5 : 15, (int)Math.Clamp(round / Math.Max(once, 1e-9), 1, MostRepeats));
    }

    /// <summary>
    /// Seconds of one run of one of many ways to do the same on a GPU: warmed by three runs, which also record its graph.
    /// </summary>
    /// <param name="work">The way.</param>
    /// <returns>The median over a few short rounds.</returns>
    public double Candidate(Action work)
    {
        double once = 0;
        for (int i = 0; i < 3; i++) once = device.Time(work, 1);
        return Rounds(work, quick ? 3 : 7, (int)Math.Clamp(0.002 / Math.Max(once, 1e-9), 1, MostRepeats));
    }

    /// <summary>
    /// Seconds of one run of a whole work: one run to warm up, then the median of several, fewer of one that takes long; of one that takes
    /// a minute the only one.
    /// </summary>
    /// <param name="work">The work.</param>
    /// <returns>The median.</returns>
    public double Work(Action work)
    {
        double first = device.Time(work, 1);
        return first > 60 * LongWork ? first : Rounds(work, quick || first > 5 * LongWork ? 3 : 7, 1);
    }

    private double Rounds(Action work, int rounds, int repeats)
    {
        double[] seconds = new double[rounds];
        for (int i = 0; i < rounds; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            seconds[i] = device.Time(work, repeats);
        }
        Array.Sort(seconds);
        return seconds[rounds / 2];
    }
}
