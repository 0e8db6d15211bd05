using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Pages;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath report</c>.</summary>
[Verb("report", HelpText = "Make an HTML page of scores: the circuit as a graph, the score matrix, curves, tables. One file that needs no network.")]
internal sealed class ReportOptions : CommandOptions
{
    [Option("scores", Required = true, MetaValue = "FILE...", HelpText = "Score files of one model, one per method: .json or .safetensors.")]
    public IEnumerable<string> Scores { get; set; } = [];

    [Option("path", MetaValue = "FILE.csv...", HelpText = "Paths that 'gradpath score --record-path' wrote.")]
    public IEnumerable<string> Paths { get; set; } = [];

    [Option("curve", MetaValue = "FILE.csv...", HelpText = "Faithfulness curves: columns method, fraction, edges, edges_after_prune, faithfulness and, for a band, low and high.")]
    public IEnumerable<string> Curves { get; set; } = [];

    [Option("training", MetaValue = "FILE.csv...", HelpText = "Training that 'gradpath edge-prune --log' or 'gradpath hap --log' wrote.")]
    public IEnumerable<string> Training { get; set; } = [];

    [Option("out", Required = true, MetaValue = "FILE.html", HelpText = "The page.")]
    public string Out { get; set; } = "";

    [Option("title", MetaValue = "TEXT", HelpText = "The heading (default: the task and the model).")]
    public string? Title { get; set; }

    [Option("top-n", MetaValue = "N", Default = 100, HelpText = "Number of edges that the graph shows at first.")]
    public int TopN { get; set; } = 100;
}

/// <summary><c>gradpath report</c>: result files in, a page out.</summary>
internal static class ReportCommand
{
    public static int Run(ReportOptions o, Terminal terminal)
    {
        if (!o.Out.EndsWith(".html", StringComparison.OrdinalIgnoreCase)) throw new UsageException($"--out {o.Out}: the file must end in .html.");
        if (o.TopN < 0) throw new UsageException($"--top-n {o.TopN}: must be 0 or more.");
        OutputFile.RequireWritable("out", o.Out, AtomicFile.RequireWritable);
        List<ReportMethod> methods = ReadMethods([.. o.Scores]);
        Attach(methods, o.Paths, ReportCsv.ReadPaths, (method, path) => method with { Path = path });
        Attach(methods, o.Curves, ReportCsv.ReadCurves, (method, curve) => method with { Curve = curve });
        Attach(methods, o.Training, ReportCsv.ReadTraining, (method, training) => method with { Training = training });
        HtmlReport.Write(o.Out, ReportData.Of(o.Title ?? DefaultTitle(methods[0].Scores.Provenance), methods) with { Top = o.TopN });
        terminal.Out.WriteLine($"report of {string.Join(", ", methods.Select(m => m.Name))}: {o.Out}");
        return ExitCode.Success;
    }

    /// <summary>The heading where none is given.</summary>
    public static string DefaultTitle(Provenance? p) => (p?.Task, p?.Model) switch
    {
        ({ } task, { } model) => $"Circuit of {task} in {model}",
        (null, { } model) => $"Circuit in {model}",
        ({ } task, null) => $"Circuit of {task}",
        _ => "Circuit",
    };

    /// <summary>Reads score files. A file is called by its method, or by its own name where it states none or two files share one.</summary>
    public static List<ReportMethod> ReadMethods(string[] files)
    {
        EdgeScores[] scores = [.. files.Select(ScoreFile.Read)];
        string?[] names = [.. scores.Select(s => s.Provenance?.Method)];
        return
        [
            .. files.Zip(scores, names).Select(f => new ReportMethod(
                f.Third is { } name && names.Count(n => n == name) == 1 ? name : Path.GetFileNameWithoutExtension(f.First), f.Second)),
        ];
    }

    private static void Attach<T>(
        List<ReportMethod> methods, IEnumerable<string> files, Func<string, IReadOnlyDictionary<string, List<T>>> read, Func<ReportMethod, List<T>, ReportMethod> with)
    {
        foreach (string file in files)
        {
            foreach ((string name, List<T> records) in read(file))
            {
                int place = Find(methods, name, file);
                methods[place] = with(methods[place], records);
            }
        }
    }

    // What a CSV file holds belongs to the method that it names or, where score files share a method, to the score file of its own name.
    private static int Find(List<ReportMethod> methods, string name, string file)
    {
        int place = methods.FindIndex(m => m.Name == name);
        if (place < 0) place = methods.FindIndex(m => m.Scores.Provenance?.Method == name && m.Name == Path.GetFileNameWithoutExtension(file));
        return place >= 0
            ? place
            : throw new GradpathException($"{file}: is about '{name}', of which there is no score file; there are {EnumNames.Choice(methods.Select(m => m.Name))}."
                + " Where score files share a method, give the CSV file the name of its score file.");
    }
}
