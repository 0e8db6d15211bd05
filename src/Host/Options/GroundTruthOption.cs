using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Options;

/// <summary>The circuit that <c>--with</c>, <c>--ground-truth</c> or <c>--recall</c> names, to judge another one by.</summary>
internal static class GroundTruthOption
{
    /// <summary>The circuit that an option names: one found by hand, or a file.</summary>
    /// <exception cref="UsageException">It names neither.</exception>
    public static Circuit Read(string option, string with)
    {
        if (GroundTruth.Find(with) is { } truth) return truth.Circuit;
        if (!File.Exists(with) && Path.GetExtension(with).Length == 0)
        {
            throw new UsageException(
                $"--{option} {with}: neither a file nor a circuit found by hand; of these there are "
                    + $"{string.Join(" and ", GroundTruth.All.Select(t => t.Name))}.");
        }
        return Circuit.Load(with);
    }
}
