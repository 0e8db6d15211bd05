using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>Sweeps without models: units, results and folders for tests.</summary>
internal static class SweepSamples
{
    /// <summary>The key of the unit that has failed in <see cref="Folder"/>.</summary>
    public static string Failed => Unit(1).Key;

    /// <summary>A plan that knows a name.</summary>
    public static JsonObject Plan => new() { ["name"] = "sample", ["seeds"] = new JsonArray(0, 1), ["train"] = 100 };

    /// <summary>A unit.</summary>
    /// <param name="index">Its place; also tells its key.</param>
    /// <param name="cost">Its cost.</param>
    /// <param name="needs">The keys of the units that it needs.</param>
    /// <param name="seed">Its seed.</param>
    public static SweepUnit Unit(int index, double cost = 1, IReadOnlyList<string>? needs = null, int seed = 0) => new()
    {
        Index = index,
        Key = Key(index),
        Identity = new JsonObject { ["the method"] = "eap", ["number"] = index },
        Model = "demo",
        Task = new SweepTask("ioi", "ioi", null, 3),
        Method = new SweepMethod("eap-gp", "score", [("steps", "5"), ("number", $"{index}")], 7),
        Seed = seed,
        Metric = "logit-diff",
        Ablation = Ablation.Zero,
        Needs = needs ?? [],
        Cost = cost,
    };

    /// <summary>Several units.</summary>
    /// <param name="count">How many.</param>
    public static SweepUnit[] Units(int count) => [.. Enumerable.Range(0, count).Select(i => Unit(i, seed: i % 4))];

    /// <summary>The key of a unit by its place.</summary>
    /// <param name="index">The place.</param>
    public static string Key(int index) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"unit {index}")))[..UnitJson.KeyLength];

    /// <summary>A result.</summary>
    /// <param name="key">The unit's key.</param>
    /// <param name="seconds">The time that it took.</param>
    public static UnitResult Result(string key, double seconds = 0.01) => new()
    {
        Key = key,
        GraphEdges = 40,
        TrainPairs = 6,
        JudgePairs = 4,
        Cpr = 0.1 + 0.2,
        Passes = double.NaN,
        Seconds = seconds,
        JudgeSeconds = 0,
        FullMetric = -1.5,
        Rows =
        [
            new UnitRow
            {
                Kind = "curve", JudgedOn = "ioi", Fraction = 0.1, Edges = 4, Sparsity = 0.9, Faithfulness = double.NaN, Kl = 1e-300,
            },
            new UnitRow { Kind = "found", JudgedOn = "sva", Edges = 0, EdgesAsked = 3, Sparsity = 1, Accuracy = 0.25 },
        ],
        Provenance = new JsonObject { ["method"] = "eap", ["seed"] = 1 },
    };

    /// <summary>Lays a sweep out.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="units">Its units.</param>
    public static SweepFolder LayOut(string path, IReadOnlyList<SweepUnit> units) =>
        SweepLayout.LayOut(path, Plan, "hash", units, "name: sample\n"u8.ToArray());

    /// <summary>The folder of a sweep of four units, one of which is done.</summary>
    /// <param name="model">Whose folder it is made in.</param>
    /// <param name="failure">Whether another has failed.</param>
    /// <param name="claim">Whether a third is claimed.</param>
    public static string Folder(TinyModel model, bool failure = false, bool claim = false)
    {
        string path = model.Path($"sweep-{failure}-{claim}");
        SweepFolder folder = LayOut(path, Units(4));
        folder.Write(new UnitOutcome(Result(Key(0))));
        if (failure) folder.Fail(UnitFailure.Now(folder.Units[1], "pairs.jsonl: row 3: it is too long", 1));
        if (claim)
        {
            File.WriteAllText(
                Path.Combine(folder.ClaimsFolder, Key(2)),
                """{"host":"node7","pid":12,"token":"a","taken":"2026-01-02T03:04:05.0000000Z"}""");
        }
        return path;
    }

    /// <summary>A terminal that nobody watches.</summary>
    /// <param name="error">Takes the error stream; null for none.</param>
    public static Terminal Terminal(TextWriter? error = null) => new(TextReader.Null, TextWriter.Null, error ?? TextWriter.Null);

    /// <summary>Work that tests say.</summary>
    /// <param name="run">Computes a unit.</param>
    public sealed class Work(Func<SweepUnit, string, CancellationToken, UnitOutcome> run) : IUnitWork
    {
        /// <summary>Work that gives a sample result.</summary>
        public Work()
            : this((unit, _, _) => new UnitOutcome(Result(unit.Key)))
        {
        }

        /// <inheritdoc />
        public UnitOutcome Run(
            SweepUnit unit, string progressFile, IProgress<RunProgress>? progress, CancellationToken cancellation) =>
            run(unit, progressFile, cancellation);
    }
}
