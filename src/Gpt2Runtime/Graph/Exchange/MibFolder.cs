using System.Globalization;

namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>
/// The folder of a task and a model in a submission to MIB's circuit track, such as <c>ioi_gpt2</c>: one file with a score for every edge,
/// or nine circuits of at most 0.1, 0.2, 0.5, 1, 2, 5, 10, 20 and 50 percent of the edges. Its files are the EAP-IG library's JSON.
/// </summary>
internal static class MibFolder
{
    private const string Importances = "importances.json";

    /// <summary>The most that each of the nine circuits may have of a graph's edges, in percent.</summary>
    public static IReadOnlyList<double> Percents { get; } = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];

    /// <summary>The most edges of a circuit.</summary>
    /// <param name="percent">Its place among the nine.</param>
    /// <param name="graph">The graph.</param>
    public static int Most(double percent, ComputationGraph graph) => (int)((percent * graph.EdgeCount / 100) + 1e-9);

    /// <summary>The nine circuits of scores: the strongest edges by absolute score, pruned.</summary>
    /// <param name="scores">The scores.</param>
    public static IReadOnlyList<EdgeScores> Cut(EdgeScores scores) =>
    [
        .. Percents.Select(p =>
        {
            int most = Most(p, scores.Graph);
            Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(scores, most));
            return CircuitFile.Marked(SelectedCircuit.State(circuit, "top-n", most, signed: false, pruned: true, filled: false));
        }),
    ];

    /// <summary>Reads a folder.</summary>
    /// <param name="path">The folder of a task and a model.</param>
    /// <returns>The scores, or the circuits with the smallest first.</returns>
    /// <exception cref="GradpathException">It holds neither.</exception>
    public static IReadOnlyList<EdgeScores> Read(string path)
    {
        if (!Directory.Exists(path)) throw new GradpathException($"{path}: is no directory; the folder of a task and a model is needed.");
        string[] files = [.. Directory.GetFiles(path, "*.json").Order(StringComparer.Ordinal)];
        if (files.Length == 1) return [ScoreFile.Read(files[0])];
        if (files.Length == Percents.Count) return [.. files.Select(ScoreFile.Read).OrderBy(GraphContent.EdgeCount)];
        string other = files.Length == 0 && Directory.GetFiles(path, "*.pt") is [var torch, ..] ? $" {ScoreFile.OfTorch(torch)}" : "";
        throw new GradpathException(
            $"{path}: holds {files.Length} .json files; one of scores or the nine of circuits are needed.{other}");
    }

    /// <summary>Writes a folder that is not there yet, and only a whole one.</summary>
    /// <param name="path">The folder of a task and a model.</param>
    /// <param name="graphs">Scores, or nine circuits.</param>
    /// <exception cref="GradpathException">They are neither, or the folder cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<EdgeScores> graphs)
    {
        (string Name, EdgeScores Scores)[] files = Files(path, graphs);
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.Exists(target)) throw new GradpathException($"cannot write {path}: it is there already; name a folder that is not.");
        string aside = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(aside);
            foreach ((string name, EdgeScores scores) in files) ScoreFile.Write(Path.Combine(aside, name), scores);
            Directory.Move(aside, target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"cannot write {path}: {AtomicFile.Reason(e)}", e);
        }
        finally
        {
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
        }
    }

    private static (string Name, EdgeScores Scores)[] Files(string path, IReadOnlyList<EdgeScores> graphs)
    {
        if (graphs is [var one])
        {
            return GraphContent.IsCircuitAlone(one)
                ? throw new GradpathException(
                    $"{path}: MIB takes a score for every edge or nine circuits, and this is one circuit without scores.")
                : [(Importances, one)];
        }
        EdgeScores? open = graphs.FirstOrDefault(g => g.EdgesInGraph.IsEmpty);
        if (graphs.Count != Percents.Count || open is not null)
        {
            string given = open is null ? $"{graphs.Count} circuits are given" : "scores without a circuit are among what is given";
            throw new GradpathException($"{path}: {given}; MIB takes one file of scores, or nine circuits of at most "
                + $"{string.Join(", ", Percents.Select(Text))} percent of the edges.");
        }
        EdgeScores[] ordered = [.. graphs.OrderBy(GraphContent.EdgeCount)];
        for (int i = 0; i < ordered.Length; i++)
        {
            (int edges, int most) = (GraphContent.EdgeCount(ordered[i]), Most(Percents[i], ordered[i].Graph));
            if (!ordered[i].Graph.Equals(ordered[0].Graph))
                throw new GradpathException($"{path}: the circuits are of {ordered[0].Graph} and of {ordered[i].Graph}.");
            if (edges > most)
            {
                throw new GradpathException(
                    $"{path}: circuit {i + 1} has {edges} edges; {Text(Percents[i])} percent of {ordered[i].Graph.EdgeCount} are {most}.");
            }
        }
        return [.. ordered.Select((g, i) => ($"{Text(Percents[i])}.json", g))];
    }

    private static string Text(double percent) => percent.ToString("0.###", CultureInfo.InvariantCulture);
}
