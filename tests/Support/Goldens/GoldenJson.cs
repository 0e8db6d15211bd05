using System.Text.Json;

namespace Gradpath.Tests.Support.Goldens;

/// <summary>JSON arrays as numbers; null is NaN.</summary>
internal static class GoldenJson
{
    public static double[] Vector(JsonElement json) =>
        [.. json.EnumerateArray().Select(e => e.ValueKind == JsonValueKind.Null ? double.NaN : e.GetDouble())];

    public static string[] Strings(JsonElement json) => [.. json.EnumerateArray().Select(e => e.GetString()!)];

    public static double[,] Matrix(JsonElement json)
    {
        double[][] rows = [.. json.EnumerateArray().Select(Vector)];
        double[,] matrix = new double[rows.Length, rows[0].Length];
        for (int r = 0; r < rows.Length; r++)
        {
            for (int c = 0; c < rows[r].Length; c++)
            {
                matrix[r, c] = rows[r][c];
            }
        }
        return matrix;
    }

    /// <summary>Nested arrays of numbers of any depth, row-major.</summary>
    public static IEnumerable<double> Flatten(JsonElement json) =>
        json.ValueKind == JsonValueKind.Array ? json.EnumerateArray().SelectMany(Flatten) : [json.GetDouble()];
}
