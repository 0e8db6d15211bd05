using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Commands;

/// <summary>
/// Every effect of path patching as CSV: one line per round, set of receivers and sender that feeds it; then, of kind <c>edge</c>, one per
/// edge that was followed.
/// </summary>
internal static class PathPatchingEffectsCsv
{
    /// <summary>Writes the effects; a file that exists is replaced, and only by a whole one.</summary>
    public static void Write(string path, PathPatchingReport report) => AtomicFile.Write(path, stream =>
    {
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine("round,kind,receivers,positions,sender,effect,percent");
        ComputationGraph graph = report.Trace.Circuit.Graph;
        for (int r = 0; r < report.Trace.Rounds.Count; r++)
        {
            PathRound round = report.Trace.Rounds[r];
            foreach (PathMap map in round.Maps)
            {
                for (int row = 0; row < map.Effects.Length; row++)
                {
                    if (!double.IsNaN(map.Effects[row])) Line(r, map.Kind, map.Receivers, row, map.Effects[row]);
                }
            }
            foreach (PathEdge edge in round.Edges) Line(r, "edge", [edge.Receiver], edge.Row, edge.Effect);
        }

        void Line(int round, string kind, IReadOnlyList<PathReceiver> receivers, int row, double effect)
        {
            string names = string.Join(' ', receivers.Select(x => graph.ReaderName(x.Column)));
            // One text for each receiver where they differ; several positions have commas between.
            string[] texts = [.. receivers.Select(x => x.Positions.Text.Replace(',', '|')).Distinct()];
            string positions = texts.Length == 1 ? texts[0] : string.Join(' ', receivers.Select(x => x.Positions.Text.Replace(',', '|')));
            string percent = report.Relative ? report.Shown(effect).ToString("R", CultureInfo.InvariantCulture) : "";
            csv.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{round + 1},{kind},{names},{positions},{graph.WriterName(row)},{effect:R},{percent}"));
        }
    });
}
