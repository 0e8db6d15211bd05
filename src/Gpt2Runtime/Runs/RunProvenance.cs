using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>What the provenance of every result says that comes from running prompt pairs through a model.</summary>
internal static class RunProvenance
{
    /// <summary>The common part.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="batchSize">Prompt pairs per pass.</param>
    /// <returns>A provenance made now, without method, metric and ablation.</returns>
    public static Provenance Of(Gpt2Weights model, PromptSet prompts, int batchSize) => new()
    {
        Version = Provenance.ProgramVersion,
        Model = model.Name,
        ModelHash = model.Hash,
        Data = prompts.Source,
        DataHash = prompts.Hash,
        Task = prompts.Task,
        BeginToken = prompts.BeginToken,
        Answers = prompts.AnswerReading == AnswerReading.OneToken ? null : CanonicalNames.Of(prompts.AnswerReading),
        Corruption = prompts.Corruption,
        Device = model.Device.Description,
        Precision = CanonicalNames.Of(model.Device.Precision),
        Gemm = CanonicalNames.Of(model.Device.Multiplier),
        GemmPlans = model.Device.PlansHash,
        BatchSize = batchSize,
        Items = prompts.Pairs.Count,
        Created = DateTime.UtcNow,
    };
}
