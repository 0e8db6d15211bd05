using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>A reader whose input is patched, at some positions.</summary>
/// <param name="Column">Its column in <see cref="Graph.ComputationGraph"/>.</param>
/// <param name="Positions">At other positions it reads what it would read anyhow.</param>
public sealed record PathReceiver(int Column, TokenPositions Positions);
