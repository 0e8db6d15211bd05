using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Sessions;

/// <summary>The circuit that people found by hand for a task, where a model is the one that they looked at.</summary>
internal static class KnownCircuit
{
    /// <summary>The known circuit.</summary>
    /// <param name="model">The model.</param>
    /// <param name="task">The task.</param>
    /// <returns>The circuit; null where there is none, or the model is another than GPT-2 small.</returns>
    public static Circuit? Of(Gpt2Weights model, string task) => Of(model.Name, model.Config, task);

    /// <summary>The same before the weights are there.</summary>
    /// <param name="name">The model's name, see <see cref="ModelLoading.NameOf"/>.</param>
    /// <param name="config">Its shape.</param>
    /// <param name="task">The task.</param>
    public static Circuit? Of(string name, Gpt2Config config, string task) =>
        GroundTruth.Find(task) is { } known && name == "gpt2" && known.Circuit.Graph.Equals(new ComputationGraph(config))
            ? known.Circuit
            : null;

    /// <summary>Which there are, in words.</summary>
    public static string Choice =>
        $"those of {string.Join(" and ", GroundTruth.All.Select(t => t.Name))} are known, in GPT-2 small (models: gpt2)";
}
