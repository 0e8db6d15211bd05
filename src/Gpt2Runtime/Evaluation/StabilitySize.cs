namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How stable the circuits of one size are.</summary>
/// <param name="Edges">Number of strongest edges.</param>
/// <param name="Jaccard">Mean Jaccard index of two circuits of drawn data sets.</param>
/// <param name="JaccardToAll">Mean Jaccard index of a circuit of a drawn data set and that of all prompt pairs.</param>
/// <param name="Core">Number of edges of the core.</param>
/// <param name="Contingent">Number of edges between core and noise.</param>
/// <param name="Noise">Number of edges that are in a circuit, and in few.</param>
public sealed record StabilitySize(int Edges, double Jaccard, double JaccardToAll, int Core, int Contingent, int Noise);
