using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Reports.Csv;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Comparison;

/// <summary>
/// The folder that a benchmark writes to: table, page, training, circuits, and what a resumed run needs (<see cref="ProgressFile"/>).
/// </summary>
internal sealed class ComparisonFolder : IDisposable
{
    private const string Command = "benchmark";

    private readonly string _path;
    private readonly List<ComparisonRow> _rows = [];
    private readonly List<(string Name, IReadOnlyList<EdgePruningStep> Steps)> _training = [];
    private readonly Dictionary<string, Circuit> _unwritten = [];
    private bool _isWritten = true;
    private ProgressFile? _file;

    private ComparisonFolder(string path) => _path = path;

    /// <summary>The table.</summary>
    public string Table => Path.Combine(_path, "table.csv");

    /// <summary>The page.</summary>
    public string Report => Path.Combine(_path, "report.html");

    /// <summary>The folder of circuits.</summary>
    public string Circuits => Path.Combine(_path, "circuits");

    /// <summary>The finished rows.</summary>
    public IReadOnlyList<ComparisonRow> Rows => _rows;

    /// <summary>How many rows are on the disk.</summary>
    public int Written { get; private set; }

    /// <summary>The steps of the training runs among them, by name.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<EdgePruningStep> Steps)> Training => _training;

    private string TrainingFile => Path.Combine(_path, "training.csv");

    /// <summary>Everything that is written to a folder.</summary>
    /// <param name="path">The folder, as <c>--out</c> names it.</param>
    public static IEnumerable<NamedPath> FilesIn(string path)
    {
        ComparisonFolder folder = new(path);
        return
        [
            new NamedPath("out", folder.Table), .. FileChecks.Beside("out", folder.Table), new NamedPath("out", folder.Report),
            new NamedPath("out", folder.TrainingFile), new NamedPath("out", folder.Circuits, IsFolder: true),
        ];
    }

    /// <summary>Makes the folder where it is not there.</summary>
    /// <exception cref="UsageException">It cannot be written to.</exception>
    /// <exception cref="GradpathException">It holds an earlier run that the user does not want to go on with, or the other way
    /// round.</exception>
    public static ComparisonFolder Open(string path, bool resume)
    {
        ComparisonFolder folder = new(path);
        if (File.Exists(path)) throw new UsageException($"--out {path}: it is a file; name a directory.");
        ProgressFile.Check(folder.Table, resume);
        try
        {
            Directory.CreateDirectory(folder.Circuits);
            AtomicFile.RequireWritable(folder.Table);
            AtomicFile.RequireWritable(Path.Combine(folder.Circuits, "any.json"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or GradpathException)
        {
            throw new UsageException($"--out {path}: cannot make this directory, or write to it: {e.Message}");
        }
        return folder;
    }

    /// <summary>What the table says that its rows were computed with.</summary>
    public Provenance Made { get; set; } = new();

    /// <summary>Reads the rows of an earlier run.</summary>
    /// <param name="run">What all rows depend on. No other run writes to the folder until this is disposed of.</param>
    /// <param name="resume">Whether to go on with an earlier run; else nothing is read.</param>
    /// <exception cref="GradpathException">The earlier run had something else; the message says what.</exception>
    public void Begin(JsonObject run, bool resume)
    {
        _file = new ProgressFile(Table, Command, run);
        _file.Lock(resume);
        if (!resume) return;
        foreach (JsonObject row in _file.Objects(_file.Load(), "rows"))
        {
            ComparisonRow read = ComparisonRow.FromJson(row) ?? throw _file.Damaged();
            if (_rows.Exists(r => r.Method == read.Method && r.Asked == read.Asked)) throw _file.Damaged();
            _rows.Add(read);
        }
        Written = _rows.Count;
        if (File.Exists(TrainingFile))
            _training.AddRange(ReportCsv.ReadTraining(TrainingFile).Select(t => (t.Key, (IReadOnlyList<EdgePruningStep>)t.Value)));
    }

    /// <summary>Whether a row is there, with its circuit.</summary>
    public bool Has(string method, double sparsity, JsonObject settings) =>
        _rows.Exists(r => r.Method == method && r.Asked == sparsity && JsonNode.DeepEquals(r.Settings, settings))
            && File.Exists(CircuitPath(method, sparsity));

    /// <summary>Adds a row, in the place of one for the same method and sparsity, and writes the table.</summary>
    /// <param name="row">The row.</param>
    /// <param name="circuit">Its circuit.</param>
    /// <param name="training">The steps of its training; null where it was not trained.</param>
    /// <returns>Null, or why it cannot be written now: it is kept, and written with the next row or at the end.</returns>
    public string? Add(ComparisonRow row, Circuit circuit, IReadOnlyList<EdgePruningStep>? training)
    {
        string name = NameOf(row.Method, row.Asked);
        _isWritten = false;
        _unwritten[CircuitPath(row.Method, row.Asked)] = circuit;
        if (training is not null)
        {
            _training.RemoveAll(t => t.Name == name);
            _training.Add((name, training));
        }
        _rows.RemoveAll(r => r.Method == row.Method && r.Asked == row.Asked);
        _rows.Add(row);
        try
        {
            Write();
            return null;
        }
        catch (GradpathException e)
        {
            return e.Message;
        }
    }

    // Rows that stand in the progress file have their circuits and their training beside it.
    private void Write()
    {
        foreach ((string path, Circuit circuit) in _unwritten.ToArray())
        {
            circuit.Save(path);
            _unwritten.Remove(path);
        }
        if (_training.Count > 0) TrainingCsv.Write(TrainingFile, _training);
        ComparisonTable.Write(Table, _rows, Made);
        _file!.Save(new JsonObject { ["rows"] = new JsonArray([.. _rows.Select(r => r.ToJson())]) });
        Written = _rows.Count;
        _isWritten = true;
    }

    /// <summary>Puts the rows that were asked for first, in their order, before those of earlier runs.</summary>
    public void Sort(IReadOnlyList<(string Method, double Sparsity)> wanted)
    {
        int Place(ComparisonRow row)
        {
            int place = Array.IndexOf([.. wanted], (row.Method, row.Asked));
            return place < 0 ? int.MaxValue : place;
        }
        ComparisonRow[] sorted = [.. _rows.OrderBy(Place)];
        _rows.Clear();
        _rows.AddRange(sorted);
        if (!_isWritten) Write();
        else ComparisonTable.Write(Table, _rows, Made);
    }

    /// <summary>Lets other runs write to the folder.</summary>
    public void Dispose() => _file?.Dispose();

    /// <summary>Writes the page.</summary>
    public void Write(ComparisonReport report) => AtomicFile.Write(Report, ComparisonPage.Of(report));

    /// <summary>The circuits of all rows.</summary>
    /// <param name="graph">Their graph: a file of a circuit without edges cannot be told from one of scores.</param>
    public IReadOnlyList<(string Method, double Asked, Circuit Circuit)> ReadCircuits(ComputationGraph graph) =>
        [.. _rows.Select(r => (r.Method, r.Asked, r["edges"] > 0 ? Circuit.Load(CircuitPath(r.Method, r.Asked)) : Circuit.Of(graph, [])))];

    private string CircuitPath(string method, double sparsity) => Path.Combine(Circuits, $"{NameOf(method, sparsity)}.json");

    private static string NameOf(string method, double sparsity) => $"{method}-{ComparisonTable.Sparsity(sparsity)}";
}
