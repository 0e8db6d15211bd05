using System.Runtime.InteropServices;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>Gathers values by grid, cell and seed. The order in which they come does not matter.</summary>
internal sealed class GridBuilder
{
    private readonly Dictionary<GridKey, Dictionary<(string Row, string Column), SortedDictionary<int, double>>> _grids = [];

    /// <summary>Adds the value of a seed; one that is there already stays.</summary>
    /// <param name="key">The grid.</param>
    /// <param name="row">The cell's row.</param>
    /// <param name="column">The cell's column.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="value">The value; null for none.</param>
    public void Add(GridKey key, string row, string column, int seed, double? value)
    {
        if (value is not { } number) return;
        ref var cells = ref CollectionsMarshal.GetValueRefOrAddDefault(_grids, key, out _);
        cells ??= [];
        ref SortedDictionary<int, double>? seeds = ref CollectionsMarshal.GetValueRefOrAddDefault(cells, (row, column), out _);
        seeds ??= [];
        seeds.TryAdd(seed, number);
    }

    /// <summary>The grids, each with rows and columns in a given order.</summary>
    /// <param name="rows">The order of rows.</param>
    /// <param name="columns">The order of columns.</param>
    public IEnumerable<SeedGrid> Grids(IReadOnlyList<string> rows, IReadOnlyList<string> columns) =>
        _grids.Select(g => new SeedGrid(g.Key, rows, columns, g.Value));
}
