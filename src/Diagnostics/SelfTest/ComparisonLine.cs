namespace Gradpath.Diagnostics.SelfTest;

/// <summary>One line of a stage of the self-test.</summary>
/// <param name="Name">The op, kernel, method or identity.</param>
/// <param name="Cases">Number of cases.</param>
/// <param name="Error">Largest relative error; NaN where nothing could be compared.</param>
/// <param name="Allowed">Largest that rounding explains.</param>
/// <param name="Fault">What went wrong first, or null.</param>
internal sealed record ComparisonLine(string Name, int Cases, double Error, double Allowed, string? Fault)
{
    /// <summary>How far scores agree beyond their largest difference; null where none were compared.</summary>
    public ScoreAgreement? Agreement { get; init; }

    /// <summary>A check that could not be done.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="fault">Why not.</param>
    public static ComparisonLine Failed(string name, string fault) => new(name, 0, double.NaN, 0, fault);
}
