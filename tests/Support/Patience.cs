using System.Diagnostics;

namespace Gradpath.Tests.Support;

/// <summary>Limits of time that work of the wrong order would exceed on any machine, and that the right work keeps on a busy one.</summary>
internal static class Patience
{
    private const int Attempts = 3;

    /// <summary>
    /// Does work, again if it took longer than the limit: what the machine was busy with passes, what the work needs does not.
    /// </summary>
    /// <param name="seconds">The limit, many times what the work needs.</param>
    /// <param name="work">The work.</param>
    public static void Within(double seconds, Action work)
    {
        double least = double.PositiveInfinity;
        for (int attempt = 0; attempt < Attempts && least > seconds; attempt++)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        Assert.True(least <= seconds, $"it took {least:F1} s each time; the limit is {seconds} s");
    }
}
