using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using CsvHelper;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>Plans of tiny sweeps, and how tests run them.</summary>
internal static class SweepPlans
{
    /// <summary>The tail of every command line: one processor, so that tests do not wait for each other.</summary>
    public static readonly string[] Cpu = ["--device", "cpu", "--threads", "1"];

    /// <summary>A plan of a tiny model with its own pairs.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rest">Its methods and whatever else.</param>
    /// <param name="name">The file's name.</param>
    public static string Write(TinyModel model, string rest, string name = "plan.yaml")
    {
        File.WriteAllText(model.Path(name), $"models: {model.ModelDirectory}\n{rest}\n");
        return model.Path(name);
    }

    /// <summary>A plan of three units: two methods that score, one that searches.</summary>
    /// <param name="model">The model.</param>
    public static string Tiny(TinyModel model) => Write(model, $$"""
        tasks: {data: {{model.Pairs}}}
        methods: [eap, {name: eap-ig, steps: 2}, {name: hap, sparsity: 0.7, steps: 4}]
        prompts: {train: 3, judge: 3}
        sizes: {edges: [5, 10]}
        evaluate: [curve, sizes, overlap]
        """, "tiny.yaml");

    /// <summary>The folder of that sweep, done at the first call.</summary>
    /// <param name="model">The model.</param>
    public static string Swept(TinyModel model)
    {
        string folder = model.Path("tiny-sweep");
        if (!Directory.Exists(folder)) Run(Tiny(model), folder).Succeeds("3 of 3 units done");
        return folder;
    }

    /// <summary>Runs a sweep.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="options">Further options.</param>
    public static Cli Run(string plan, string folder, params string[] options) =>
        Cli.Run(["sweep", plan, "--out", folder, .. Cpu, .. options]);

    /// <summary>The units of a sweep's folder.</summary>
    /// <param name="folder">The folder.</param>
    public static IReadOnlyList<SweepUnit> Units(string folder) => SweepLayout.Open(folder).Units;

    /// <summary>The keys of the units that a plan has, without running any.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="options">Further options.</param>
    public static string[] Keys(string plan, params string[] options)
    {
        Cli run = Cli.Run(["sweep", plan, "--check", "--json", .. options]);
        Assert.True(run.ExitCode == 0, run.Error + run.Out);
        return [.. JsonNode.Parse(run.Out)!["tables"]!["units"]!.AsArray().Select(u => u!["key"]!.GetValue<string>())];
    }

    /// <summary>All that a sweep's folder says of its units, by file, but for times: bit for bit where numbers are.</summary>
    /// <param name="folder">The folder.</param>
    public static SortedDictionary<string, string> Contents(string folder)
    {
        SortedDictionary<string, string> contents = new(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(Path.Combine(folder, "units"), "*", SearchOption.AllDirectories))
        {
            string name = Path.GetFileName(file);
            contents[name] = Path.GetExtension(file) switch
            {
                ".json" => Timeless(JsonNode.Parse(File.ReadAllText(file))!.AsObject()).ToJsonString(),
                _ when name.EndsWith(".sums.safetensors", StringComparison.Ordinal) => Convert.ToHexString(File.ReadAllBytes(file)),
                ".safetensors" => Bits(EdgeScores.Load(file)),
                _ => "",
            };
        }
        return contents;
    }

    /// <summary>The merged table of a sweep without the columns that no two runs share.</summary>
    /// <param name="folder">The folder.</param>
    public static string Table(string folder)
    {
        Cli.Run("sweep", "merge", folder).Succeeds();
        return WithoutTimes(Path.Combine(folder, "table.csv"));
    }

    private static string WithoutTimes(string file)
    {
        using CsvReader reader = CsvReader.Create(File.ReadAllBytes(file), new CsvReaderOptions { HasHeader = false });
        List<string[]> rows = [];
        while (reader.Read()) rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetString)]);
        int[] kept = [.. Enumerable.Range(0, rows[0].Length).Where(c => rows[0][c] is not ("seconds" or "judge_seconds" or "created"))];
        Assert.Equal(rows[0].Length - 3, kept.Length);
        return string.Join('\n', rows.Select(row => string.Join('\t', kept.Select(c => row[c]))));
    }

    private static JsonObject Timeless(JsonObject result)
    {
        // Of files with dates in them.
        result.Remove("checksum");
        result.Remove("files");
        result.Remove("seconds");
        result.Remove("judge_seconds");
        JsonObject provenance = result["provenance"]!.AsObject();
        provenance.Remove("created");

        // ACDC states its own time there.
        provenance["options"]?.AsObject().Remove("seconds");
        return result;
    }

    private static string Bits(EdgeScores scores) =>
        $"{Convert.ToHexString(MemoryMarshal.AsBytes(scores.Values))} {string.Join(' ', scores.EdgesInGraph.ToArray())}";
}
