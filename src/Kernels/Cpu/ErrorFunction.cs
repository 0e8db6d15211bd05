namespace Gradpath.Kernels.Cpu;

/// <summary>The error function in float64, by its Taylor series near 0 and the continued fraction of erfc elsewhere.</summary>
internal static class ErrorFunction
{
    /// <summary>erf(x) = 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x; relative error below 1e-14.</summary>
    /// <param name="x">Any number.</param>
    /// <returns>A value from -1 to 1.</returns>
    public static double Erf(double x)
    {
        double magnitude = Math.Abs(x);
        if (magnitude > 6) return Math.Sign(x);
        return magnitude < 2.5 ? Series(x) : Math.Sign(x) * (1 - ComplementByFraction(magnitude));
    }

    // erf x = 2/sqrt(pi) exp(-x^2) sum over n of 2^n x^(2n+1) / (1 3 5 ... (2n+1)): all terms positive, so nothing cancels.
    private static double Series(double x)
    {
        double term = x;
        double sum = x;
        for (int n = 1; Math.Abs(term) > 1e-17 * Math.Abs(sum); n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }
        return 1.1283791670955126 * Math.Exp(-x * x) * sum;
    }

    // erfc x = exp(-x^2) / (sqrt(pi) (x + (1/2)/(x + 1/(x + (3/2)/(x + ...))))), evaluated from the inside.
    private static double ComplementByFraction(double x)
    {
        double fraction = x;
        for (int n = 60; n >= 1; n--) fraction = x + (0.5 * n / fraction);
        return Math.Exp(-x * x) * 0.56418958354775629 / fraction;
    }
}
