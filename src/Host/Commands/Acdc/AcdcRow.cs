using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Commands;

/// <summary>One circuit of an ACDC run, as it was written and measured.</summary>
/// <param name="File">Its file.</param>
/// <param name="Search">How it was found.</param>
/// <param name="Circuit">The circuit, pruned unless the user wanted otherwise.</param>
/// <param name="Outcome">What it makes of the prompts.</param>
/// <param name="Roc">Its point against the ground truth, where there is one.</param>
internal sealed record AcdcRow(string File, AcdcResult Search, Circuit Circuit, CircuitOutcome Outcome, RocPoint? Roc);
