namespace Gradpath.Kernels.Cpu;

/// <summary>
/// How a product is cut into parts for several threads: a grid of row ranges and column ranges of C. The cut never changes the result,
/// because every element of C is computed in the same order of k whatever part it is in.
/// </summary>
internal readonly struct GemmPartition
{
    // Work beside the multiply-adds, in multiply-adds for one element: what packing costs for an element of A and of B, and the fixed cost
    // of a part.
    private const double PackingOfA = 12;
    private const double PackingOfB = 12;
    private const double PartOverhead = 50_000;

    // Threads do not finish together, least of all on a machine with other work: this share of a part is lost on average, so that many
    // small parts are preferred to a few large ones unless packing makes up for it.
    private const double LostOfPart = 0.1;
    private const int MostPartsPerWorker = 8;

    /// <summary>Number of row ranges.</summary>
    public readonly int RowRanges;

    /// <summary>Number of column ranges.</summary>
    public readonly int ColumnRanges;

    private GemmPartition(int rowRanges, int columnRanges)
    {
        RowRanges = rowRanges;
        ColumnRanges = columnRanges;
    }

    /// <summary>The cut that takes the least time by a simple count of the work.</summary>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Depth.</param>
    /// <param name="batch">Number of products.</param>
    /// <param name="workers">Number of threads.</param>
    /// <param name="tileRows">Rows are cut in multiples of this.</param>
    /// <param name="tileColumns">Columns are cut in multiples of this.</param>
    /// <returns>The cut.</returns>
    public static GemmPartition Choose(int m, int n, int k, int batch, int workers, int tileRows, int tileColumns)
    {
        if (workers == 1) return new GemmPartition(1, 1);
        int rowTiles = (m + tileRows - 1) / tileRows, columnTiles = (n + tileColumns - 1) / tileColumns;
        GemmPartition best = new(1, 1);
        double least = double.MaxValue;
        int most = Math.Max(1, MostPartsPerWorker * workers / batch);
        for (int rowRanges = 1; rowRanges <= Math.Min(rowTiles, most); rowRanges++)
        {
            double rows = Math.Min(m, (double)((rowTiles + rowRanges - 1) / rowRanges * tileRows));
            for (int columnRanges = 1; columnRanges <= Math.Min(columnTiles, most / rowRanges); columnRanges++)
            {
                double columns = Math.Min(n, (double)((columnTiles + columnRanges - 1) / columnRanges * tileColumns));
                double part = (k * ((rows * columns) + (PackingOfA * rows) + (PackingOfB * columns))) + PartOverhead;
                int parts = batch * rowRanges * columnRanges;
                double time = part * (((parts + workers - 1) / workers) + LostOfPart);
                if (time < least)
                {
                    least = time;
                    best = new GemmPartition(rowRanges, columnRanges);
                }
            }
        }
        return best;
    }

    /// <summary>The start of a range.</summary>
    /// <param name="total">Length of what is cut.</param>
    /// <param name="multiple">Length of a tile.</param>
    /// <param name="range">Index of the range; the number of ranges gives the end of the last.</param>
    /// <param name="ranges">Number of ranges.</param>
    /// <returns>The first index of the range.</returns>
    public static int Start(int total, int multiple, int range, int ranges)
    {
        long tiles = ((long)total + multiple - 1) / multiple;
        return (int)Math.Min(total, tiles * range / ranges * multiple);
    }
}
