namespace Gradpath.Kernels.Cpu;

/// <summary>Divides the rows of an elementwise job into parts that are worth a thread's while.</summary>
/// <param name="Rows">Number of rows.</param>
/// <param name="Parts">Number of parts.</param>
internal readonly record struct RowRange(int Rows, int Parts)
{
    private const long WorthAThread = 16 * 1024;

    /// <summary>Divides rows.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="costPerRow">Elements that a row touches.</param>
    /// <param name="workers">Number of threads.</param>
    /// <returns>Up to four parts a thread, each of at least about 16 thousand elements.</returns>
    public static RowRange Divide(int rows, long costPerRow, int workers)
    {
        long byCost = rows * Math.Max(1, costPerRow) / WorthAThread;
        return new RowRange(rows, (int)Math.Clamp(Math.Min(byCost, workers * 4L), 1, Math.Max(1, rows)));
    }

    /// <summary>First row of a part.</summary>
    /// <param name="part">Index of the part.</param>
    /// <returns>The row.</returns>
    public int From(int part) => (int)((long)Rows * part / Parts);

    /// <summary>Row behind the last of a part.</summary>
    /// <param name="part">Index of the part.</param>
    /// <returns>The row.</returns>
    public int To(int part) => (int)((long)Rows * (part + 1) / Parts);
}
