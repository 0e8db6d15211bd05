using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>What scores of two devices must have in common.</summary>
/// <param name="Error">The largest difference, relative to the largest score.</param>
/// <param name="Correlation">The least correlation.</param>
/// <param name="Overlap">The least share of the strongest edges that are among the strongest on both.</param>
/// <remarks>
/// fp32: devices add in other orders; CPUs with vectors of 512, 256 and 128 bits and without differ by at most a fifth of 1e-4. An error of
/// 1e-4 of the largest score in every score, where the largest is up to a hundred times the root mean square, leaves a correlation of
/// 1 - 5e-5. The weakest of the thousand strongest is three hundredths of the largest, so that a few in a thousand change places. Along a
/// path errors grow from step to step. Rounded factors: what <see cref="RoundedFactors"/> allows two layers, for every two layers; where
/// factors are cut off rather than rounded, errors do not cancel. The emulated GPU shows up to a third of it on two layers. A relative
/// error r of all scores leaves a correlation of 1 - r^2 / 2, and those change places that lie within r of the weakest of the strongest,
/// about as large a share.
/// </remarks>
internal sealed record ScoreBounds(double Error, double Correlation, double Overlap)
{
    private const double Agreement = 1e-4, AgreementAlongPaths = 1e-3, ChainLayers = 2;
    private const double Like = 0.9999, Shared = 0.99, SharedAlongPaths = 0.98;

    // Beyond these nothing would be tested.
    private const double MostError = 0.5, LeastCorrelation = 0.9, LeastOverlap = 0.6;

    /// <summary>What is allowed.</summary>
    /// <param name="method">The method.</param>
    /// <param name="precision">What the device under test rounds factors to.</param>
    /// <param name="layers">The model's layers.</param>
    public static ScoreBounds Of(AttributionMethod method, MatrixPrecision precision, int layers)
    {
        bool walks = method.Takes(MethodSettings.EmbeddingPath);
        double units = (walks ? RoundedFactors.Amplified : RoundedFactors.Chain) * layers / ChainLayers;
        double rounded = RoundedFactors.Allowed(precision, units);
        return new ScoreBounds(
            Math.Min(MostError, (walks ? AgreementAlongPaths : Agreement) + rounded),
            Math.Max(LeastCorrelation, Like - (rounded * rounded / 2)),
            Math.Max(LeastOverlap, (walks ? SharedAlongPaths : Shared) - rounded));
    }
}
