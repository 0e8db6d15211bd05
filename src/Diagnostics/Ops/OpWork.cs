namespace Gradpath.Diagnostics.Ops;

/// <summary>An op at one shape, with what it has to do at least.</summary>
/// <param name="Special">What is special about the call; empty for the plain one.</param>
/// <param name="Shape">The shape in words.</param>
/// <param name="Flops">Additions and multiplications of one call; a root, an exponential and the like count as one.</param>
/// <param name="Bytes">Bytes that one call reads and writes if every element goes over the memory bus once.</param>
/// <param name="Prepare">Makes operands and gives back the call.</param>
internal sealed record OpWork(string Special, string Shape, double Flops, double Bytes, Func<WorkOperands, Action> Prepare)
{
    /// <summary>The plain call at one shape.</summary>
    public OpWork(string shape, double flops, double bytes, Func<WorkOperands, Action> prepare)
        : this("", shape, flops, bytes, prepare)
    {
    }

    /// <summary>The op's name, and after a comma what is special about the call.</summary>
    /// <param name="op">The op.</param>
    public string Title(OpRow op) => Special.Length == 0 ? op.Name : $"{op.Name}, {Special}";
}
