using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Programs;

namespace Gradpath.Perf;

/// <summary>The model shape that <c>--shape</c> names.</summary>
internal static class ShapeOption
{
    /// <summary>The shape.</summary>
    /// <param name="name">What was given.</param>
    /// <returns>A shape of GPT-2's.</returns>
    /// <exception cref="UsageException">There is no such shape.</exception>
    public static Gpt2Config Of(string name)
    {
        if (Workloads.ShapeNames.Contains(name)) return Workloads.Shape(name);
        throw new UsageException($"--shape {name}: no GPT-2 shape is called so; choose {EnumNames.Choice(Workloads.ShapeNames)}.");
    }
}
