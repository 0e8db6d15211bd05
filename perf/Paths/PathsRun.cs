using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;

namespace Gradpath.Perf.Paths;

/// <summary>One scorer on one half of a set of prompts, judged on the other.</summary>
/// <param name="Model">The model, as it was given.</param>
/// <param name="Set">The task, or the name of the file.</param>
/// <param name="Metric">What was scored and judged.</param>
/// <param name="Seed">The seed of the prompts, or of the halves.</param>
/// <param name="Scorer">The scorer's name.</param>
/// <param name="Cmd">Area under |1 - faithfulness| of the strongest edges by |score|.</param>
/// <param name="Cpr">Area under faithfulness of the strongest edges by score.</param>
/// <param name="Ratio">CMD over the baseline's.</param>
/// <param name="Seconds">Time of scoring.</param>
/// <param name="SecondsRatio">That over the baseline's.</param>
/// <param name="Pearson">Correlation of the scores with the effects by exact patching, without their signs where scores have none; NaN
/// where those were not asked for.</param>
/// <param name="Spearman">The same of the ranks.</param>
internal sealed record PathsRun(
    string Model, string Set, string Metric, int Seed, string Scorer, double Cmd, double Cpr, double Ratio, double Seconds,
    double SecondsRatio, double Pearson, double Spearman)
{
    /// <summary>Writes runs as a JSON list of objects, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="runs">The runs.</param>
    public static void Write(string path, IEnumerable<PathsRun> runs)
    {
        JsonArray list = [.. runs.Select(r => new JsonObject
        {
            ["model"] = r.Model,
            ["set"] = r.Set,
            ["metric"] = r.Metric,
            ["seed"] = r.Seed,
            ["scorer"] = r.Scorer,
            ["cmd"] = ResultJson.Number(r.Cmd),
            ["cpr"] = ResultJson.Number(r.Cpr),
            ["ratio"] = ResultJson.Number(r.Ratio),
            ["seconds"] = r.Seconds,
            ["pearson"] = ResultJson.Number(r.Pearson),
            ["spearman"] = ResultJson.Number(r.Spearman),
        })];
        ResultJson.Write(path, list);
    }
}
