using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// How far a search has come: the objective of every candidate tested, in order, per threshold. All decisions follow from these numbers,
/// so a search that is given them again repeats its course without running the model and goes on where it stopped.
/// </summary>
internal sealed class AcdcState
{
    private readonly List<double>[] _objectives;
    private readonly AcdcEffort[] _efforts;

    /// <summary>Nothing done yet.</summary>
    /// <param name="thresholds">Number of thresholds.</param>
    public AcdcState(int thresholds)
    {
        _objectives = [.. Enumerable.Range(0, thresholds).Select(_ => new List<double>())];
        _efforts = new AcdcEffort[thresholds];
    }

    /// <summary>Number of candidates tested so far.</summary>
    public long Tested => _objectives.Sum(o => (long)o.Count);

    /// <summary>Reads what <see cref="ToJson"/> gave.</summary>
    /// <param name="json">The state.</param>
    /// <param name="checkpoint">Where it is from.</param>
    /// <param name="thresholds">Number of thresholds.</param>
    /// <returns>The state.</returns>
    /// <exception cref="GradpathException">It is damaged or of another search.</exception>
    public static AcdcState FromJson(JsonObject json, RunCheckpoint checkpoint, int thresholds)
    {
        AcdcState state = new(thresholds);
        for (int t = 0; t < thresholds; t++)
        {
            if (json[Key(t)] is not JsonObject search) throw checkpoint.Damaged();
            List<double> objectives = state._objectives[t];
            objectives.AddRange(checkpoint.Unpack<double>(search, "objectives"));
            if (t > 0 && objectives.Count > 0 && state._objectives[t - 1].Count == 0) throw checkpoint.Damaged();
            state._efforts[t] = new AcdcEffort(
                objectives.Count,
                checkpoint.Number<long>(search, "runs"),
                checkpoint.Number<long>(search, "sublayers"),
                checkpoint.Number<double>(search, "seconds"));
        }
        return state;
    }

    /// <summary>The state for saving.</summary>
    /// <returns>By threshold.</returns>
    public JsonObject ToJson()
    {
        JsonObject json = [];
        for (int t = 0; t < _objectives.Length; t++)
        {
            json[Key(t)] = new JsonObject
            {
                ["objectives"] = RunCheckpoint.Pack<double>(_objectives[t].ToArray()),
                ["runs"] = _efforts[t].Runs,
                ["sublayers"] = _efforts[t].Sublayers,
                ["seconds"] = _efforts[t].Seconds,
            };
        }
        return json;
    }

    /// <summary>What a search has tested.</summary>
    public IReadOnlyList<double> Objectives(int threshold) => _objectives[threshold];

    /// <summary>What it took.</summary>
    public AcdcEffort Effort(int threshold) => _efforts[threshold];

    /// <summary>Adds a pass, all at once: a state never holds half of one.</summary>
    public void Add(int threshold, ReadOnlySpan<double> decided, long runs, long sublayers, double seconds)
    {
        _objectives[threshold].AddRange(decided);
        AcdcEffort effort = _efforts[threshold];
        _efforts[threshold] = new AcdcEffort(
            effort.Tested + decided.Length, effort.Runs + runs, effort.Sublayers + sublayers, effort.Seconds + seconds);
    }

    private static string Key(int threshold) => threshold.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
