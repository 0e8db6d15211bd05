using System.Text.Json;

namespace Gradpath.Tests.Support.Goldens;

/// <summary>Golden scores [F, K]; NaN where the file says null.</summary>
/// <param name="Key">What they are scores of.</param>
/// <param name="Matrix">Rows are writers, columns readers; 0 where there is no edge.</param>
/// <param name="Meta">Remarks: the source, steps and the like.</param>
internal sealed record GoldenScores(GoldenKey Key, double[,] Matrix, JsonElement Meta)
{
    /// <summary>The largest |score|, NaN aside.</summary>
    public double Largest => Matrix.Cast<double>().Where(v => !double.IsNaN(v)).Max(Math.Abs);
}

/// <summary>One item's golden path: named lists over its points, and single numbers as lists of one.</summary>
internal sealed record GoldenPath(GoldenKey Key, int Item, IReadOnlyDictionary<string, double[]> Values);

/// <summary>What graph.json says.</summary>
internal sealed record GoldenGraph(
    string[] Writers, string[] Readers, int[] FirstRowsPerReader, IReadOnlyList<(string Name, int Row, int Column)> Edges);

/// <summary>Golden baselines, per item.</summary>
internal sealed record GoldenBaseline(
    double[] LogitDiffClean, double[] LogitDiffCorrupted, double[] Kl, double[][] LastLogitsClean, double[][] LastLogitsCorrupted);

/// <summary>
/// Golden numbers of one model and task: <c>goldens/model/task</c>. Everything is read on first use.
/// The format is described beside the files.
/// </summary>
internal sealed class GoldenSet
{
    private readonly string _folder;
    private readonly Lazy<GoldenScores[]> _scores;
    private readonly Lazy<GoldenPath[]> _paths;
    private readonly Lazy<GoldenCircuits> _circuits;

    private GoldenSet(string name, string folder, string modelDirectory)
    {
        Name = name;
        _folder = folder;
        ModelDirectory = modelDirectory;
        Pairs = [.. File.ReadLines(Path.Combine(folder, "prompts.jsonl")).Where(l => l.Length > 0).Select(ReadPair)];
        _scores = new(() => [.. Json("scores.json").EnumerateObject().Select(s => new GoldenScores(
            GoldenKey.Parse(s.Name), GoldenJson.Matrix(s.Value.GetProperty("matrix")), s.Value.GetProperty("meta")))]);
        _paths = new(() => [.. Json("path.json").EnumerateObject().SelectMany(ReadPaths)]);
        _circuits = new(() => GoldenCircuits.Read(Json("circuits.json")));
    }

    /// <summary>The names of all sets, as test data.</summary>
    public static readonly string[] Names = ["tiny-random/equal", "tiny-random/padded", "nano-sort/sort_k2"];

    /// <summary><c>model/task</c>.</summary>
    public string Name { get; }

    /// <summary>The checkpoint's directory.</summary>
    public string ModelDirectory { get; }

    public PromptPair[] Pairs { get; }

    public IReadOnlyList<GoldenScores> Scores => _scores.Value;

    /// <summary>Every key's items in order.</summary>
    public IReadOnlyList<GoldenPath> Paths => _paths.Value;

    public GoldenCircuits Circuits => _circuits.Value;

    /// <summary>Reads a set.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public static GoldenSet Read(string name) =>
        new(name, RepositoryFiles.Data($"goldens/{name}"), RepositoryFiles.Data($"models/{name.Split('/')[0]}"));

    public GoldenScores Score(string key) => Scores.Single(s => s.Key.Text == key);

    public GoldenGraph ReadGraph()
    {
        JsonElement json = Json("../graph.json");
        return new GoldenGraph(
            GoldenJson.Strings(json.GetProperty("writers")),
            GoldenJson.Strings(json.GetProperty("readers")),
            [.. json.GetProperty("first_rows_per_reader").EnumerateArray().Select(e => e.GetInt32())],
            [.. json.GetProperty("edges").EnumerateArray().Select(e => (e[0].GetString()!, e[1].GetInt32(), e[2].GetInt32()))]);
    }

    public GoldenBaseline ReadBaseline()
    {
        JsonElement json = Json("baseline.json");
        JsonElement difference = json.GetProperty("logit_diff");
        return new GoldenBaseline(
            GoldenJson.Vector(difference.GetProperty("clean")),
            GoldenJson.Vector(difference.GetProperty("corrupted")),
            GoldenJson.Vector(json.GetProperty("kl_clean_to_corrupted")),
            [.. json.GetProperty("last_logits_clean").EnumerateArray().Select(GoldenJson.Vector)],
            [.. json.GetProperty("last_logits_corrupted").EnumerateArray().Select(GoldenJson.Vector)]);
    }

    private static PromptPair ReadPair(string line)
    {
        JsonElement json = JsonElement.Parse(line);
        int[] Ids(string name) => [.. json.GetProperty(name).EnumerateArray().Select(e => e.GetInt32())];
        return new PromptPair(Ids("clean_ids"), Ids("corrupted_ids"), Ids("answer_ids"), Ids("wrong_answer_ids"));
    }

    private static IEnumerable<GoldenPath> ReadPaths(JsonProperty entry)
    {
        GoldenKey key = GoldenKey.Parse(entry.Name);
        return entry.Value.GetProperty("items").EnumerateArray().Select((item, i) => new GoldenPath(
            key,
            i,
            item.EnumerateObject().ToDictionary(
                p => p.Name,
                p => p.Value.ValueKind == JsonValueKind.Array ? GoldenJson.Vector(p.Value) : [p.Value.GetDouble()],
                StringComparer.Ordinal)));
    }

    private JsonElement Json(string file) => JsonElement.Parse(File.ReadAllBytes(Path.Combine(_folder, file)));
}
