namespace Gradpath.Tests.Support.Ops;

/// <summary>Random readers of a residual stream and the gradients at their inputs in float64, straight from the definition.</summary>
internal sealed class PlainReaders(int rows, int readers, int headWidth, int width)
{
    public const float Epsilon = 1e-5f;

    /// <summary>[rows, width] the residual stream.</summary>
    public float[] X { get; } = Numbers.Draw(11, rows * width, 2, 0.5);

    /// <summary>[rows, readers * head width] gradients at the readers' outputs.</summary>
    public float[] Dy { get; } = Numbers.Draw(12, rows * readers * headWidth);

    /// <summary>[width, readers * head width].</summary>
    public float[] Weight { get; } = Numbers.Draw(13, width * readers * headWidth);

    public float[] Bias { get; } = Numbers.Draw(14, readers * headWidth);

    public float[] Gain { get; } = Numbers.Draw(15, width, 0.5, 1);

    public float[] Shift { get; } = Numbers.Draw(16, width, 0.5);

    /// <summary>[readers, baseRows, width]: sums over the points of the gradients at the readers' inputs, before the LayerNorm.</summary>
    public double[] Gradients(int baseRows)
    {
        var result = new double[readers * baseRows * width];
        for (int r = 0; r < rows; r++)
        {
            double[] x = Numbers.Wide(X[(r * width)..((r + 1) * width)]);
            double mean = x.Average();
            double rstd = 1 / Math.Sqrt(x.Average(v => (v - mean) * (v - mean)) + Epsilon);
            double[] standard = Array.ConvertAll(x, v => (v - mean) * rstd);
            for (int c = 0; c < readers; c++)
            {
                var t = new double[width];
                for (int d = 0; d < width; d++)
                {
                    for (int w = 0; w < headWidth; w++)
                    {
                        int at = (c * headWidth) + w;
                        t[d] += (double)Gain[d] * Weight[(d * readers * headWidth) + at] * Dy[(r * readers * headWidth) + at];
                    }
                }
                double along = Numbers.Dot(t, standard) / width, level = t.Average();
                for (int d = 0; d < width; d++)
                {
                    result[(((c * baseRows) + (r % baseRows)) * width) + d] += rstd * (t[d] - level - (standard[d] * along));
                }
            }
        }
        return result;
    }
}
