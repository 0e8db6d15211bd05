namespace Gradpath.Host.Sweeps.Merge;

/// <summary>What a grid is about.</summary>
/// <param name="Kind">What it shows.</param>
/// <param name="Scope">What all cells share.</param>
/// <param name="Measure">The measure.</param>
/// <param name="Size">The size of circuits; null where there is none.</param>
/// <param name="Of">The task of an overlap, the method of a transfer; null else.</param>
internal sealed record GridKey(GridKind Kind, SweepScope Scope, SweepMeasure Measure, CircuitSize? Size = null, string? Of = null)
{
    /// <summary>What values depend on beside their measure, in words; null for nothing.</summary>
    public string? Over { get; init; }

    /// <summary>What rows and columns stand for.</summary>
    public (string Row, string Column) Heads => Kind switch
    {
        GridKind.Overlap => ("method", "method"),
        GridKind.Transfer => ("circuit of", "judged on"),
        _ => ("method", "task"),
    };

    /// <summary>The heading, without the scope.</summary>
    public string Title => Kind switch
    {
        GridKind.Overlap => $"Overlap of edges on {Of}, {Size!.Label}",
        GridKind.Transfer => $"Transfer between tasks: {Measure.Name} of circuits of {Of}, {Size!.Label}",
        GridKind.Curve => $"{Name} along the curve at {Size!.Label}",
        GridKind.Circuit when Size!.Place is null => $"{Name} of circuits of {Size.Label}",
        GridKind.Circuit => $"{Name} of circuits with {Size!.Label}",
        _ => Size is null ? Name : $"{Name} at {Size.Label}",
    };

    private string Name => char.ToUpperInvariant(Measure.Name[0]) + Measure.Name[1..];
}
