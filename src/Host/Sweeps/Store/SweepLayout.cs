using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>Lays the folder of a sweep out, and opens one that is there.</summary>
internal static class SweepLayout
{
    private const int Format = 1;

    /// <summary>The file of a sweep's plan and units, in its folder.</summary>
    public const string PlanFile = "plan.json";
    private const string PlanCopy = "plan.yaml";
    private const string Taken =
        $"a sweep's folder has a {PlanFile} of its own, and this one is another plan; name another folder, or move the plan";

    private const string Advice =
        "delete this file alone and run the plan into the folder again: what is done of it is kept, and only what is missing is computed";

    /// <summary>
    /// Makes a folder for a sweep, or goes on with the one that is there. Of several processes that begin at once one writes the plan, and
    /// the others find that it is theirs.
    /// </summary>
    /// <param name="path">The folder.</param>
    /// <param name="plan">The canonical plan.</param>
    /// <param name="planHash">Its hash.</param>
    /// <param name="units">The units, in the plan's order.</param>
    /// <param name="copy">The plan's file, byte for byte.</param>
    /// <exception cref="GradpathException">The folder cannot be written to, is damaged, or holds another sweep; the message says what
    /// differs.</exception>
    public static SweepFolder LayOut(
        string path, JsonObject plan, string planHash, IReadOnlyList<SweepUnit> units, ReadOnlyMemory<byte> copy)
    {
        SweepFolder there = Begin(path, plan, planHash, units) ? new SweepFolder(path, plan, planHash, units) : Open(path);
        RequireSame(there, plan, planHash, units);
        string copied = Path.Combine(path, PlanCopy);
        if (!File.Exists(copied)) AtomicFile.Write(copied, stream => stream.Write(copy.Span));
        return GoOn(there);
    }

    /// <summary>
    /// Gives a folder a plan in the place of the one that it has, or makes it. What is done of it, or has failed, stays so: a unit's key
    /// says all that its result depends on. Processes that work at the former plan go on with that.
    /// </summary>
    /// <param name="path">The folder.</param>
    /// <param name="plan">The canonical plan.</param>
    /// <param name="planHash">Its hash.</param>
    /// <param name="units">The units, in the plan's order.</param>
    /// <param name="copy">The plan's file, byte for byte; empty where there is none, and the copy that is there stays.</param>
    /// <param name="former">The sweep that the folder held before; null where it held none.</param>
    /// <exception cref="GradpathException">The folder cannot be written to, or is damaged.</exception>
    public static SweepFolder Extend(
        string path, JsonObject plan, string planHash, IReadOnlyList<SweepUnit> units, ReadOnlyMemory<byte> copy,
        out SweepFolder? former)
    {
        former = Begin(path, plan, planHash, units) ? null : Open(path);
        if (former is not null && Difference(former, plan, planHash, units) is not null)
            AtomicFile.Write(PlanIn(path), stream => WriteJson(stream, ToJson(plan, planHash, units)));
        if (!copy.IsEmpty) AtomicFile.Write(Path.Combine(path, PlanCopy), stream => stream.Write(copy.Span));
        return GoOn(new SweepFolder(path, plan, planHash, units));
    }

    /// <summary>Makes what is missing in the folder of a sweep, and sees to it that units can be computed there.</summary>
    /// <param name="there">The sweep.</param>
    /// <returns>The same.</returns>
    /// <exception cref="GradpathException">The folder cannot be written to.</exception>
    public static SweepFolder GoOn(SweepFolder there)
    {
        foreach (string folder in (string[])["units", "failed", "claims"]) SweepFolder.MakeFolder(Path.Combine(there.Path, folder));
        AtomicFile.RequireWritable(Path.Combine(there.Path, "units", "any"));
        return there;
    }

    /// <summary>Refuses what cannot become a folder, before models are opened for nothing.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="GradpathException">It is a file.</exception>
    public static void RequireUsable(string path)
    {
        if (File.Exists(path)) throw new GradpathException($"{path}: it is a file; name a folder");
    }

    /// <summary>Opens the folder of a sweep. No model is needed.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="GradpathException">It holds no sweep, or is damaged.</exception>
    public static SweepFolder Open(string path)
    {
        string file = PlanIn(path);
        if (File.Exists(path)) throw new GradpathException($"{path}: it is a file; name the folder of a sweep");
        if (!Directory.Exists(path)) throw new GradpathException($"{path}: there is no such folder");
        if (!File.Exists(file)) throw new GradpathException($"{path}: it holds no sweep: there is no {PlanFile} in it");
        ReadOnlySpan<byte> text = FileBytes.Read(file).Span;
        if (IsOwn(text)) throw new GradpathException($"{path}: it holds no sweep: {Taken}");
        return StrictJson.ReadSealed(text, file, Advice, json =>
        {
            if (json.Count("format") is var format && format != Format)
            {
                throw new GradpathException(
                    $"{file}: its format is {format}, and this version of the program knows format {Format}; use the version that made it");
            }
            IReadOnlyList<SweepUnit> units = json.Objects("units", UnitJson.Read);
            HashSet<string> keys = new(StringComparer.Ordinal);
            for (int i = 0; i < units.Count; i++)
            {
                if (units[i].Index != i) throw json.Fault($"units[{i}].index", $"is not {i}");
                if (!keys.Add(units[i].Key)) throw json.Fault($"units[{i}].key", "is also the key of another unit");
            }
            foreach (SweepUnit unit in units)
            {
                if (unit.Needs.FirstOrDefault(n => !keys.Contains(n)) is not null)
                    throw json.Fault($"units[{unit.Index}].needs", "names what is no unit");
            }
            return new SweepFolder(path, json.Free("plan"), json.Text("plan_hash"), units);
        });
    }

    /// <summary>Refuses a folder that holds the very plan under the name that a sweep's own file has.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="plan">The plan's file.</param>
    /// <exception cref="UsageException">It does.</exception>
    public static void RequireApart(string path, string plan)
    {
        if (Path.GetFullPath(PlanIn(path)) != Path.GetFullPath(plan) || !File.Exists(plan)) return;
        throw new UsageException(IsOwn(FileBytes.Read(plan).Span)
            ? $"--plan {plan}: {Taken}."
            : $"--plan {plan}: it is the file of a sweep; name its folder, {path}, in its place.");
    }

    // A user's plan has methods; what a sweep writes begins with what no plan has, however it was cut off.
    private static bool IsOwn(ReadOnlySpan<byte> text) => text.IndexOf("methods"u8) >= 0 && text.IndexOf("\"plan_hash\""u8) < 0;

    /// <summary>The file of a sweep's plan and units.</summary>
    /// <param name="path">The sweep's folder.</param>
    public static string PlanIn(string path) => Path.Combine(path, PlanFile);

    // Whether the folder held no sweep, and this one was begun in it.
    private static bool Begin(string path, JsonObject plan, string planHash, IReadOnlyList<SweepUnit> units)
    {
        RequireUsable(path);
        SweepFolder.MakeFolder(path);
        return !File.Exists(PlanIn(path)) && Create(PlanIn(path), ToJson(plan, planHash, units));
    }

    private static JsonObject ToJson(JsonObject plan, string planHash, IReadOnlyList<SweepUnit> units) => new()
    {
        ["format"] = Format,
        ["plan_hash"] = planHash,
        ["plan"] = plan.DeepClone(),
        ["units"] = new JsonArray([.. units.Select(UnitJson.ToJson)]),
    };

    private static void WriteJson(Stream stream, JsonObject content) => stream.Write(SealedJson.Write(content));

    // Appears whole, and never in the place of another: whether it is this one.
    private static bool Create(string file, JsonObject content)
    {
        string aside = $"{file}.{Guid.NewGuid().ToString("N")[..12]}.new";
        try
        {
            AtomicFile.Write(aside, stream => WriteJson(stream, content));
            if (Posix.TryLink(aside, file) is not { } made) return Move(aside, file);
            Posix.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
            return made;
        }
        finally
        {
            File.Delete(aside);
        }
    }

    private static bool Move(string aside, string file)
    {
        try
        {
            File.Move(aside, file, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(file))
        {
            // Another process was first.
            return false;
        }
    }

    /// <summary>Refuses a folder that holds another sweep.</summary>
    /// <param name="there">The sweep in the folder.</param>
    /// <param name="plan">The canonical plan.</param>
    /// <param name="planHash">Its hash.</param>
    /// <param name="units">Its units.</param>
    /// <exception cref="GradpathException">It is another; the message says what differs.</exception>
    public static void RequireSame(SweepFolder there, JsonObject plan, string planHash, IReadOnlyList<SweepUnit> units)
    {
        if (Difference(there, plan, planHash, units) is not { } difference) return;
        throw new GradpathException(
            $"{there.Path}: holds the sweep {Quoted.Name(there.Name)} {difference}; name another folder, or add --extend, which "
            + "makes this plan the folder's and keeps what is done of units that are in both");
    }

    // Null where both are the same.
    private static string? Difference(SweepFolder there, JsonObject plan, string planHash, IReadOnlyList<SweepUnit> units)
    {
        if (there.PlanHash != planHash) return $"of another plan ({Differs(FirstDifference(there.Plan, plan) ?? "hash")})";
        int i = Enumerable.Range(0, Math.Max(units.Count, there.Units.Count)).FirstOrDefault(
            n => n >= units.Count || n >= there.Units.Count || units[n].Key != there.Units[n].Key, -1);
        if (i < 0) return null;
        return i < units.Count && i < there.Units.Count && FirstDifference(there.Units[i].Identity, units[i].Identity) is { } entry
            ? $"with other units (unit {i + 1} is '{there.Units[i].Title}', and its {Differs(entry)} now)"
            : $"with other units (there are {there.Units.Count}, and the plan has {units.Count} now)";
    }

    private static string Differs(string key) => $"{Quoted.Text(key)[1..^1]} {(key.EndsWith('s') ? "differ" : "differs")}";

    private static string? FirstDifference(JsonObject one, JsonObject other) =>
        one.Select(e => e.Key).Union(other.Select(e => e.Key), StringComparer.Ordinal)
            .FirstOrDefault(key => one.ContainsKey(key) != other.ContainsKey(key) || !JsonNode.DeepEquals(one[key], other[key]));
}
