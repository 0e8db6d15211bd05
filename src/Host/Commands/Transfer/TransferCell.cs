using Gradpath.Gpt2Runtime.Evaluation;

namespace Gradpath.Host.Commands;

/// <summary>The circuit of one task on the prompts of one, at one size.</summary>
/// <param name="Edges">The size that was asked for.</param>
/// <param name="Of">The task whose circuit it is.</param>
/// <param name="On">The task that judges.</param>
/// <param name="Overlap">What the circuits of both share.</param>
/// <param name="Chance">The Jaccard index of edges that random circuits of their sizes have on average, nearly.</param>
/// <param name="Effect">What the circuit does.</param>
internal sealed record TransferCell(
    int Edges, TransferTask Of, TransferTask On, GroundTruthOverlap Overlap, double Chance, TransferEffect Effect);
