using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Host.Options;

namespace Gradpath.Host.Sessions;

/// <summary>What an <see cref="EvaluationSession"/> is opened with, beside the device.</summary>
/// <param name="Model">What the user calls the model.</param>
/// <param name="Prompts">The prompts.</param>
/// <param name="Options">How circuits are evaluated.</param>
/// <param name="Seed">The seed of random draws; null for 0.</param>
internal sealed record SessionRequest(string Model, PromptRequest Prompts, EvaluationOptions Options, int? Seed);
