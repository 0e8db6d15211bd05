namespace Gradpath.Diagnostics.SelfTest;

/// <summary>One line of the comparison of two devices.</summary>
/// <param name="Name">The op or method.</param>
/// <param name="Cases">Number of cases.</param>
/// <param name="Error">Largest relative error.</param>
/// <param name="Allowed">Largest that rounding explains.</param>
/// <param name="Fault">What went wrong first, or null.</param>
internal sealed record ComparisonLine(string Name, int Cases, double Error, double Allowed, string? Fault);
