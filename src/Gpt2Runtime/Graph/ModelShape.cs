using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>Whether what a file holds was made for a model.</summary>
internal static class ModelShape
{
    /// <summary>Refuses a model of another shape.</summary>
    /// <param name="graph">The graph that the file describes.</param>
    /// <param name="width">Its model's width, or 0 where the file did not say.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="source">The file, for the message.</param>
    /// <param name="what">Subject and verb of the message.</param>
    /// <exception cref="GradpathException">The shapes differ; the message states both.</exception>
    public static void Require(ComputationGraph graph, int width, Gpt2Config config, string source, string what)
    {
        bool sameWidth = width == 0 || width == config.Width;
        if (graph.Layers == config.Layers && graph.Heads == config.Heads && sameWidth) return;
        string stated = width == 0 ? "" : $", width {width}";
        throw new GradpathException(
            $"{source}: the {what} to a model of {graph}{stated}; this model has "
            + $"{config.Layers} layers x {config.Heads} heads, width {config.Width}.");
    }
}
