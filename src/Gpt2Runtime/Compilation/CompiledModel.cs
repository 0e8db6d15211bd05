using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>A model that a program was compiled to, and its circuit.</summary>
/// <param name="Config">The model's shape.</param>
/// <param name="Tensors">Its weights, row-major, by the names of Hugging Face checkpoints without their prefix.</param>
/// <param name="Circuit">The true edges: those that carry information which the answer depends on.</param>
/// <param name="Undecided">Edges that count neither as true nor as false: those of backup heads, which matter where another head is cut and
/// only there. Empty where there are none.</param>
internal sealed record CompiledModel(
    Gpt2Config Config, IReadOnlyDictionary<string, ReadOnlyMemory<float>> Tensors, Circuit Circuit, Circuit Undecided);
