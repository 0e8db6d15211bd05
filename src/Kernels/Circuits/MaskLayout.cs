namespace Gradpath.Kernels.Circuits;

/// <summary>
/// Which cells of a mask matrix parameters stand for. Parameters are first the edges', then (where there are gates) one per writer.
/// </summary>
/// <param name="Edges">Number of edges.</param>
/// <param name="Cell">[edges]: position in the mask matrix, growing; so a writer's edges lie together.</param>
/// <param name="Gates">Number of gates; 0 where edges stand for themselves.</param>
/// <param name="GateOf">[edges]: the gate of an edge's writer; not read without gates.</param>
/// <param name="GateStart">[gates + 1]: first edge of each gate's writer; not read without gates.</param>
/// <param name="Cells">Cells of the mask matrix.</param>
internal sealed record MaskLayout(
    int Edges, DeviceArray<int> Cell, int Gates, DeviceArray<int> GateOf, DeviceArray<int> GateStart, int Cells) : IDisposable
{
    /// <summary>Edges plus gates.</summary>
    public int Parameters => Edges + Gates;

    /// <inheritdoc />
    public void Dispose()
    {
        Cell.Dispose();
        GateOf.Dispose();
        GateStart.Dispose();
    }
}
