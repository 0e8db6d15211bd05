using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Sessions;

/// <summary>A file of scores or of a circuit that a command was given: where it is from must fit what the command does with it.</summary>
/// <param name="Path">The file, as the user named it.</param>
/// <param name="Made">How it was made; null where the file does not say.</param>
/// <param name="RequireModel">Refuses a model of another shape.</param>
internal sealed record GivenFile(string Path, Provenance? Made, Action<Gpt2Config> RequireModel)
{
    /// <summary>A file of a circuit.</summary>
    public static GivenFile Of(string path, Circuit circuit) =>
        new(path, circuit.Provenance, config => circuit.RequireModel(config, path));

    /// <summary>A file of scores.</summary>
    public static GivenFile Of(string path, EdgeScores scores) => new(path, scores.Provenance, config => scores.RequireModel(config, path));

    /// <summary>Reads scores that a command goes by: all of them are numbers.</summary>
    /// <param name="path">The file.</param>
    /// <param name="terminal">Told of edges that the file has not scored.</param>
    /// <exception cref="GradpathException">The file cannot be read, or a score is not finite.</exception>
    public static EdgeScores Scores(string path, Terminal terminal) => OptionChecks.TakeFrom(path, () =>
    {
        EdgeScores scores = EdgeScores.Load(path);
        scores.RequireFinite();
        WarnOfUnscored(terminal, path, scores);
        return scores;
    });

    /// <summary>Says where a file has edges that were not scored.</summary>
    /// <param name="terminal">Told of them.</param>
    /// <param name="path">The file.</param>
    /// <param name="scores">What it holds.</param>
    public static void WarnOfUnscored(Terminal terminal, string path, EdgeScores scores)
    {
        if (scores.UnscoredEdges == 0) return;
        terminal.Warn($"{Sizes.Count(scores.UnscoredEdges)} of the {Sizes.Of(scores.Graph.EdgeCount, "edge")} of {path} were not scored "
            + "(NaN or null) and count as 0");
    }

    /// <summary>How it was made, its name first.</summary>
    public JsonObject ToJson()
    {
        JsonObject json = Made?.ToJson() ?? [];
        json.Insert(0, "file", Path);
        return json;
    }

    /// <summary>The files that were given, of those that can be.</summary>
    public static GivenFile[] All(params GivenFile?[] files) => [.. files.OfType<GivenFile>()];
}
