using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Options;

/// <summary>The circuit that <c>--with</c>, <c>--ground-truth</c> or <c>--recall</c> names, to judge another one by.</summary>
internal static class GroundTruthOption
{
    /// <summary>
    /// The circuit that an option names: one found by hand, a file, or the folder of a model that was made with its circuit.
    /// </summary>
    /// <exception cref="UsageException">It names neither.</exception>
    public static Circuit Read(string option, string with)
    {
        if (GroundTruth.Find(with) is { } truth) return truth.Circuit;
        string made = Path.Combine(with, CompiledModelFolder.Circuit);
        if (File.Exists(made)) return Circuit.Load(made);
        if (Directory.Exists(with)) throw new UsageException($"--{option} {with}: no model with a known circuit: {made} is not there.");
        if (!File.Exists(with) && Path.GetExtension(with).Length == 0)
        {
            throw new UsageException(
                $"--{option} {with}: neither a file nor a circuit found by hand; of these there are "
                    + $"{string.Join(" and ", GroundTruth.All.Select(t => t.Name))}.");
        }
        return Circuit.Load(with);
    }
}
