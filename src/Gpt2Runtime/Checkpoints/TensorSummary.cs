namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>What the values of a tensor in a weight file come to, as float32.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="Dtype">Its type in the file.</param>
/// <param name="Smallest">The smallest finite value; NaN where none is finite.</param>
/// <param name="Largest">The largest finite value; NaN where none is finite.</param>
/// <param name="Norm">The Euclidean norm of the finite values.</param>
/// <param name="NaNs">Number of values that are NaN.</param>
/// <param name="Infinities">Number of values that are infinite.</param>
public sealed record TensorSummary(
    string Name, IReadOnlyList<long> Shape, string Dtype, float Smallest, float Largest, double Norm, long NaNs, long Infinities)
{
    /// <summary>Whether every value is a finite number.</summary>
    public bool IsFinite => NaNs + Infinities == 0;

    /// <summary>Reads a tensor.</summary>
    /// <param name="file">The file.</param>
    /// <param name="entry">The tensor, of a floating-point type.</param>
    /// <param name="cancellation">Stops the work.</param>
    internal static TensorSummary Of(SafetensorsFile file, SafetensorsEntry entry, CancellationToken cancellation)
    {
        (float smallest, float largest) = (float.PositiveInfinity, float.NegativeInfinity);
        (double squares, long nans, long infinities) = (0, 0, 0);
        TensorReader reader = new(file, entry);
        while (reader.Next() is { IsEmpty: false } values)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (float value in values)
            {
                if (float.IsFinite(value))
                {
                    smallest = Math.Min(smallest, value);
                    largest = Math.Max(largest, value);
                    squares += (double)value * value;
                }
                else if (float.IsNaN(value)) nans++;
                else infinities++;
            }
        }
        bool none = smallest > largest;
        return new TensorSummary(
            entry.Name, entry.Shape, entry.Dtype, none ? float.NaN : smallest, none ? float.NaN : largest, Math.Sqrt(squares), nans,
            infinities);
    }
}
