using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>A circuit of GPT-2 small that people found by hand, as a set of edges to compare with.</summary>
/// <param name="Name">The task.</param>
/// <param name="Circuit">The edges.</param>
/// <param name="Classes">Its nodes by the part that they play.</param>
/// <remarks>
/// The papers describe classes of heads and what each reads from which; the edges follow from that by rules, those that Conmy et al.
/// (2023) score ACDC with. Their extra edges from a query, key or value to its own head do not exist in this graph and are left out.
/// </remarks>
public sealed record GroundTruth(string Name, Circuit Circuit, IReadOnlyList<NodeClass> Classes)
{
    /// <summary>Indirect object identification: <c>ioi</c>.</summary>
    public static GroundTruth Ioi { get; } = IoiGroundTruth.Make();

    /// <summary>Greater-Than: <c>greater-than</c>.</summary>
    public static GroundTruth GreaterThan { get; } = GreaterThanGroundTruth.Make();

    /// <summary>All that there are.</summary>
    public static IReadOnlyList<GroundTruth> All { get; } = [Ioi, GreaterThan];

    /// <summary>Finds one by name.</summary>
    /// <param name="name">The task.</param>
    /// <returns>The circuit, or null.</returns>
    public static GroundTruth? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(t => TableNames.Same(name, t.Name));
    }
}
