using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// How far a search has come: the objective of every candidate tested, in order, per threshold. All decisions follow from these numbers,
/// so a search that is given them again repeats its course without running the model and goes on where it stopped.
/// </summary>
public sealed class AcdcState
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

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="file">The file, of this very run.</param>
    /// <param name="thresholds">Number of thresholds.</param>
    /// <returns>The state.</returns>
    /// <exception cref="GradpathException">The file is damaged or of another run.</exception>
    public static AcdcState Load(ProgressFile file, int thresholds)
    {
        ArgumentNullException.ThrowIfNull(file);
        JsonObject json = file.Load();
        AcdcState state = new(thresholds);
        for (int t = 0; t < thresholds; t++)
        {
            if (json[Key(t)] is not JsonObject search) throw file.Damaged();
            state._objectives[t].AddRange(file.Unpack<double>(search, "objectives"));
            state._efforts[t] = new AcdcEffort(
                state._objectives[t].Count, file.Number<long>(search, "runs"), file.Number<long>(search, "sublayers"), file.Number<double>(search, "seconds"));
        }
        return state;
    }

    /// <summary>Writes the state.</summary>
    /// <param name="file">Where to.</param>
    /// <exception cref="GradpathException">The file cannot be written.</exception>
    public void Save(ProgressFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        JsonObject json = [];
        for (int t = 0; t < _objectives.Length; t++)
        {
            json[Key(t)] = new JsonObject
            {
                ["objectives"] = ProgressFile.Pack<double>(_objectives[t].ToArray()),
                ["runs"] = _efforts[t].Runs,
                ["sublayers"] = _efforts[t].Sublayers,
                ["seconds"] = _efforts[t].Seconds,
            };
        }
        file.Save(json);
    }

    /// <summary>What a search has tested.</summary>
    internal IReadOnlyList<double> Objectives(int threshold) => _objectives[threshold];

    /// <summary>What it took.</summary>
    internal AcdcEffort Effort(int threshold) => _efforts[threshold];

    /// <summary>Adds a pass, all at once: a state never holds half of one.</summary>
    internal void Add(int threshold, ReadOnlySpan<double> decided, long runs, long sublayers, double seconds)
    {
        _objectives[threshold].AddRange(decided);
        AcdcEffort effort = _efforts[threshold];
        _efforts[threshold] = new AcdcEffort(effort.Tested + decided.Length, effort.Runs + runs, effort.Sublayers + sublayers, effort.Seconds + seconds);
    }

    private static string Key(int threshold) => threshold.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
