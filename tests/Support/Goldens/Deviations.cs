using System.Globalization;
using Xunit.Abstractions;

namespace Gradpath.Tests.Support.Goldens;

/// <summary>Collects largest deviations by name, so that a test shows all of them before it fails for one.</summary>
internal sealed class Deviations(ITestOutputHelper output)
{
    private readonly SortedDictionary<string, (double Deviation, double Allowed)> _largest = new(StringComparer.Ordinal);

    /// <summary>Compares lists: largest |actual - expected| over the largest |expected| (at least <paramref name="scale"/>).</summary>
    public void Compare(string name, IEnumerable<double> expected, IEnumerable<double> actual, double allowed, double scale = 0)
    {
        double[] e = [.. expected], a = [.. actual];
        Assert.True(e.Length == a.Length, $"{name}: {e.Length} numbers expected, {a.Length} found");
        double largest = Math.Max(scale, e.Where(v => !double.IsNaN(v)).Select(Math.Abs).DefaultIfEmpty().Max());
        double deviation = 0;
        for (int i = 0; i < e.Length; i++)
        {
            Assert.True(double.IsNaN(e[i]) == double.IsNaN(a[i]), $"{name}: entry {i} is {a[i]}, expected {e[i]}");
            deviation = Math.Max(deviation, double.IsNaN(e[i]) ? 0 : Math.Abs(e[i] - a[i]));
        }
        Note(name, deviation == 0 ? 0 : deviation / largest, allowed);
    }

    public void Compare(string name, double[,] expected, double[,] actual, double allowed, double scale = 0)
    {
        Assert.Equal((expected.GetLength(0), expected.GetLength(1)), (actual.GetLength(0), actual.GetLength(1)));
        Compare(name, expected.Cast<double>(), actual.Cast<double>(), allowed, scale);
    }

    /// <summary>Prints the table and fails where a deviation is above what is allowed.</summary>
    public void Check()
    {
        foreach ((string name, (double deviation, _)) in _largest)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{deviation:0.0e-00}  {name}"));
        }
        Assert.NotEmpty(_largest);
        Assert.DoesNotContain(_largest, d => !(d.Value.Deviation <= d.Value.Allowed));
    }

    private void Note(string name, double deviation, double allowed)
    {
        if (!_largest.TryGetValue(name, out (double Deviation, double Allowed) known) || !(deviation <= known.Deviation))
        {
            _largest[name] = (deviation, allowed);
        }
    }
}
