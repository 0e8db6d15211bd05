using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Graph.Exchange;
using Gradpath.Host.Options;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary>A file of a comparison of many.</summary>
/// <param name="Path">The file, as the user named it.</param>
/// <param name="Name">What tables and pictures call it.</param>
/// <param name="Scores">What it holds; null for a circuit found by hand.</param>
/// <param name="Circuit">Its circuit; null where it marks none and none is cut from its scores.</param>
internal sealed record ComparedFile(string Path, string Name, EdgeScores? Scores, Circuit? Circuit)
{
    /// <summary>Its graph.</summary>
    public ComputationGraph Graph => Scores?.Graph ?? Circuit!.Graph;

    /// <summary>Whether edges have scores that can be ranked.</summary>
    public bool HasScores => Scores is not null && !GraphContent.IsCircuitAlone(Scores);

    /// <summary>How it was made.</summary>
    public GivenFile Given => Scores is not null ? GivenFile.Of(Path, Scores) : GivenFile.Of(Path, Circuit!);

    /// <summary>Reads the files of a comparison.</summary>
    /// <param name="o">Which files, and how circuits are cut from scores.</param>
    /// <param name="terminal">Told of what is odd.</param>
    /// <exception cref="GradpathException">A file cannot be read, or is of another model than the first.</exception>
    public static ComparedFile[] Read(CompareOptions o, Terminal terminal)
    {
        string[] paths = [.. o.Files];
        string[] stems = [.. paths.Select(p => System.IO.Path.GetFileNameWithoutExtension(p))];
        ComparedFile[] files = [.. paths.Select((p, i) => Read(o, terminal, p, stems.Count(s => s == stems[i]) == 1 ? stems[i] : p))];
        foreach (ComparedFile file in files)
        {
            if (!file.Graph.Equals(files[0].Graph))
            {
                throw new GradpathException(
                    $"{file.Path}: belongs to a model of {file.Graph}, and {files[0].Path} to one of {files[0].Graph}.");
            }
            if (file.Circuit is not null) EmptyCircuits.Warn(terminal, file.Path, file.Circuit);
        }
        Origins.Compare(terminal, [.. files.Select(f => f.Given)]);
        return files;
    }

    private static ComparedFile Read(CompareOptions o, Terminal terminal, string path, string name)
    {
        if (!File.Exists(path) && GroundTruth.Find(path) is not null)
            return new ComparedFile(path, path, null, GroundTruthOption.Read("files", path));
        EdgeScores scores = GivenFile.Scores(path, terminal);
        if (!scores.EdgesInGraph.IsEmpty) return new ComparedFile(path, name, scores, Gpt2Runtime.Graph.Circuit.Load(path));
        if (o.TopN is not { } n) return new ComparedFile(path, name, scores, null);
        OptionChecks.AtMost("top-n", n, scores.Graph.EdgeCount, $"{path} scores {Sizes.Of(scores.Graph.EdgeCount, "edge")}");
        return new ComparedFile(path, name, scores, CircuitPruning.Prune(CircuitSelection.TopEdges(scores, n, o.Signed)));
    }
}
