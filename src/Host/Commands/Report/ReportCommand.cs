using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath report</c>: result files in, a page out.</summary>
internal static class ReportCommand
{
    public static CommandReport Run(ReportOptions o, Terminal terminal, CancellationToken cancellation)
    {
        List<ReportMethod> methods = ReportMethods.Read([.. o.Scores], terminal);
        Origins.Compare(terminal, [.. o.Scores.Zip(methods, (file, method) => GivenFile.Of(file, method.Scores))]);
        Attach(methods, o.Paths, ReportCsv.ReadEmbeddingPaths, (method, path) => method with { EmbeddingPath = path });
        Attach(methods, o.Curves, ReportCsv.ReadCurves, (method, curve) => method with { Curve = curve });
        List<TrainingLog> logs = AttachTraining(methods, o.Training);
        string[] sections = [.. o.Attribution.Select(AttributionSection.Of)];
        cancellation.ThrowIfCancellationRequested();
        IReadOnlyList<TruthOverlap> overlaps = o.GroundTruth is null
            ? []
            : TruthOverlap.Of(methods, GroundTruthOption.Read("ground-truth", o.GroundTruth));
        string title = o.Title ?? ReportData.DefaultTitle([.. methods.Select(m => m.Scores.Provenance)]);
        ReportData data = ReportData.Of(title, methods) with { Top = o.TopN, Logs = logs, Sections = sections };
        HtmlReport.Write(o.Out, data with { Facts = [.. data.Facts, .. overlaps.Select(t => KeyValuePair.Create(t.Heading, t.Text))] });
        CommandReport report = new();
        string[] names = [.. methods.Select(m => m.Name)];
        report.Fact("methods", names);
        if (overlaps.Count > 0) report.Table(TruthOverlap.Table(overlaps));
        report.File("report", o.Out, $"report of {string.Join(", ", names)}: {o.Out}");
        return report;
    }

    private static void Attach<T>(
        List<ReportMethod> methods, IEnumerable<string> files, Func<string, IReadOnlyDictionary<string, List<T>>> read,
        Func<ReportMethod, List<T>, ReportMethod> with)
    {
        foreach (string file in files)
        {
            foreach ((string name, List<T> records) in read(file))
            {
                int place = Place(methods, name, file);
                if (place < 0) throw NoScores(methods, name, file);
                methods[place] = with(methods[place], records);
            }
        }
    }

    // What a CSV file holds belongs to the method that it names or, where score files share a method, to the score file of its own name.
    private static int Place(List<ReportMethod> methods, string name, string file)
    {
        int place = methods.FindIndex(m => Same(m.Name, name));
        return place >= 0
            ? place
            : methods.FindIndex(m => Same(m.Scores.Provenance?.Method, name) && m.Name == Path.GetFileNameWithoutExtension(file));
    }

    private static GradpathException NoScores(List<ReportMethod> methods, string name, string file) => new(
        $"{file}: is about '{name}', of which there is no score file; there are {EnumNames.Choice(methods.Select(m => m.Name))}."
        + " Where score files share a method, give the CSV file the name of its score file.");

    // A training log needs no scores: 'hap --compare' also logs plain edge pruning, whose circuit has no file.
    private static List<TrainingLog> AttachTraining(List<ReportMethod> methods, IEnumerable<string> files)
    {
        List<TrainingLog> logs = [];
        foreach (string file in files)
        {
            foreach ((string name, List<EdgePruningStep> steps) in ReportCsv.ReadTraining(file))
            {
                int place = Place(methods, name, file);
                if (place >= 0) methods[place] = methods[place] with { Training = steps };
                else logs.Add(new TrainingLog(name, steps));
            }
        }
        return logs;
    }

    // Searches had other names in earlier files.
    private static bool Same(string? a, string b) =>
        a == b || (a is not null && b is not null && CircuitSearches.TryFind(a, out CircuitSearch? search)
            && CircuitSearches.TryFind(b, out CircuitSearch? other) && search == other);
}
