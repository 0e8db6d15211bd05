namespace Gradpath.Kernels.Circuits;

/// <summary>What pulls masks to a sparsity: a Lagrangian with a linear and a quadratic term for edges, and for gates where they have a
/// target.</summary>
/// <param name="Edges">Edges of which the masks are a part: the sparsity is 1 - sum of masks / edges.</param>
/// <param name="Gates">Gates; 0 where there are none.</param>
/// <param name="GatesHaveTarget">Whether the gates are pulled too.</param>
internal readonly record struct MaskConstraints(int Edges, int Gates, bool GatesHaveTarget)
{
    /// <summary>Multipliers that are at work.</summary>
    public int Multipliers => GatesHaveTarget ? 4 : 2;
}
