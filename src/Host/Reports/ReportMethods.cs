using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Reports;

/// <summary>Score files as the methods of a report.</summary>
internal static class ReportMethods
{
    /// <summary>
    /// Reads score files. A file is called by its method, or by its own name where it states none or two files share one.
    /// </summary>
    /// <param name="files">The files.</param>
    /// <param name="terminal">Told of edges that a file has not scored.</param>
    public static List<ReportMethod> Read(string[] files, Terminal terminal)
    {
        EdgeScores[] scores = [.. files.Select(f => GivenFile.Scores(f, terminal))];
        string?[] names = [.. scores.Select(s => s.Provenance?.Method)];
        return
        [
            .. files.Zip(scores, names).Select(f => new ReportMethod(
                f.Third is { } name && names.Count(n => n == name) == 1 ? name : Path.GetFileNameWithoutExtension(f.First), f.Second)
            {
                Spans = PositionalFile.HasPositions(f.First) ? PositionalScores.Load(f.First) : null,
            }),
        ];
    }
}
