namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>One step of training.</summary>
/// <param name="Step">Number of the step, from 1.</param>
/// <param name="Kl">KL(full model || masked model), mean over the step's prompts.</param>
/// <param name="EdgeLoss">The Lagrangian's part for edges.</param>
/// <param name="NodeLoss">The Lagrangian's part for nodes; 0 without a node target.</param>
/// <param name="EdgeTarget">The sparsity aimed at.</param>
/// <param name="EdgeSparsity">1 - the sum of the step's masks over the number of edges of the graph.</param>
/// <param name="NodeTarget">The same for nodes; 0 without a node target.</param>
/// <param name="NodeSparsity">The same for nodes; 0 without node masks.</param>
public readonly record struct EdgePruningStep(
    int Step, double Kl, double EdgeLoss, double NodeLoss, double EdgeTarget, double EdgeSparsity, double NodeTarget, double NodeSparsity);
