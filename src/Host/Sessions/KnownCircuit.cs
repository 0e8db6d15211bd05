using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Sessions;

/// <summary>
/// The circuit that is known of a model: the one that lies beside a model that was made with it, else the one that people found by hand for
/// a task, where the model is the one that they looked at.
/// </summary>
internal static class KnownCircuit
{
    /// <summary>The known circuit.</summary>
    /// <param name="checkpoint">The model.</param>
    /// <param name="name">Its name, see <see cref="ModelLoading.NameOf"/>.</param>
    /// <param name="task">The task.</param>
    /// <returns>The circuit and what it is called; null where there is none.</returns>
    /// <exception cref="GradpathException">The circuit beside the model cannot be read.</exception>
    public static (Circuit Circuit, string Name)? Of(Gpt2Checkpoint checkpoint, string name, string task)
    {
        if (CompiledModelFolder.Read(checkpoint) is { } made) return (made, $"{name}/{CompiledModelFolder.Circuit}");
        return GroundTruth.Find(task) is { } known && name == "gpt2"
            && known.Circuit.Graph.Equals(new ComputationGraph(checkpoint.Config)) ? (known.Circuit, task) : null;
    }

    /// <summary>Which there are, in words.</summary>
    public static string Choice =>
        $"those of {string.Join(" and ", GroundTruth.All.Select(t => t.Name))} are known, in GPT-2 small (models: gpt2), and those of "
        + "models that make-model has made";
}
