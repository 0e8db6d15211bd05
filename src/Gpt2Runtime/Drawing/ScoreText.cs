using System.Globalization;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>Scores as people read them.</summary>
internal static class ScoreText
{
    /// <summary>A score with its sign, to four digits.</summary>
    /// <param name="score">The score.</param>
    /// <returns>The text.</returns>
    public static string Of(float score)
    {
        float size = MathF.Abs(score);
        return size is > 0 and (< 1e-4f or >= 1e5f)
            ? score.ToString("+0.000e+00;-0.000e+00", CultureInfo.InvariantCulture)
            : score.ToString("+0.00000;-0.00000;0", CultureInfo.InvariantCulture);
    }
}
