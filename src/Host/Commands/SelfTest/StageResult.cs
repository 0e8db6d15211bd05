using Gradpath.Diagnostics.SelfTest;

namespace Gradpath.Host.Commands;

/// <summary>What a stage of the self-test found.</summary>
/// <param name="Name">The stage.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Lines">A line per check.</param>
internal sealed record StageResult(string Name, double Seconds, IReadOnlyList<ComparisonLine> Lines)
{
    /// <summary>The checks that failed.</summary>
    public IEnumerable<ComparisonLine> Failures => Lines.Where(l => l.Fault is not null);

    /// <summary>A line that says how it went.</summary>
    public string Summary =>
        $"{Name}: {Lines.Count} checks, {(Failures.Any() ? $"{Failures.Count()} FAILED" : "ok")}, {Sizes.Seconds(Seconds)}";
}
