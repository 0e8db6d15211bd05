using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime.Graph;
using Xunit.Abstractions;

namespace Gradpath.Host.Tests;

/// <summary>
/// Runs that are killed, at steps of their writing and at any moment: nothing half-written remains, and the rerun or the resumed run ends
/// with the same files as one that was left alone. A few trials of each command; <c>GRADPATH_KILLS=N</c> does N in all.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="output">Told how many trials there were, with which seeds.</param>
public sealed partial class KillTests(TinyModel model, ITestOutputHelper output) : IClassFixture<TinyModel>
{
    private const int FewTrials = 2;
    private const int Seed = 20;

    private static readonly int[] s_signals = [Child.Kill, Child.Kill, Child.Terminate, Child.Interrupt];

    private static readonly Dictionary<string, string> s_lines = new()
    {
        ["acdc"] = "acdc --tau 0.001 --out {0}/out.json --log {0}/log.csv",
        ["acdc sweep"] = "acdc --thresholds 0.001,0.01 --out {0}/out.json --log {0}/log.csv --table {0}/table.csv",
        ["path-patch"] = "path-patch --iterate --top-n 3 --out {0}/out.json --effects {0}/effects.csv --picture {0}/maps.svg",
        ["edge-prune"] = "edge-prune --sparsity 0.5 --steps 25 --out {0}/out.json --log {0}/log.csv",
        ["hap"] = "hap --sparsity 0.7 --steps 20 --out {0}/out.json --log {0}/log.csv",
        ["search"] = "search --method acdc --threshold 0.01 --out {0}/out.safetensors",
        ["score"] = "score --method exact --batch-size 2 --out {0}/out.json",
        ["benchmark"] = "benchmark --methods eap,acdc,edge-prune --sparsity 0.5,0.7 --steps 10 --train-limit 3 --out {0}/out",
    };

    public static TheoryData<string> Commands => [.. s_lines.Keys];

    [SkippableTheory]
    [MemberData(nameof(Commands))]
    public void A_killed_run_ends_like_one_that_was_left_alone(string command)
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such signals on Windows");
        int trials = int.TryParse(Environment.GetEnvironmentVariable("GRADPATH_KILLS"), CultureInfo.InvariantCulture, out int all)
            ? Math.Max(1, all / s_lines.Count)
            : FewTrials;
        using TempFolder whole = new();
        long start = Stopwatch.GetTimestamp();
        Child left = Child.Run(new Child.Plan
        {
            Arguments = Line(command, whole.Path),
            Folder = whole.Path,
            At = new KillPoint(0, 0),
            CountFile = model.Path("steps.txt"),
        });
        Assert.True(left.ExitCode == 0, left.Error);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        int steps = int.Parse(File.ReadAllText(model.Path("steps.txt")), CultureInfo.InvariantCulture), ended = 0;
        SortedDictionary<string, string> expected = Contents(whole.Path);
        for (int trial = 0; trial < trials; trial++)
        {
            Random random = new(Seed + trial);
            int signal = s_signals[random.Next(s_signals.Length)];
            bool atStep = random.Next(3) > 0;
            using TempFolder folder = new();
            Child child = Child.Run(new Child.Plan
            {
                Arguments = Line(command, folder.Path),
                Folder = folder.Path,
                At = new KillPoint(atStep ? random.Next(1, steps + 1) : 0, signal),
                Sent = atStep ? null : (signal, time * random.NextDouble()),
            });
            string what = $"{command}, seed {Seed + trial}: exit code {child.ExitCode}\n{child.Error}";
            Assert.True(child.ExitCode == 0 || child.ExitCode == 128 + signal, what);
            Assert.DoesNotContain("   at ", child.Error, StringComparison.Ordinal);
            RequireWhole(folder.Path, what);
            if (child.ExitCode == 0) ended++;
            else
            {
                bool resume = Directory.GetFiles(folder.Path, "*.progress", SearchOption.AllDirectories).Length > 0;
                Cli again = Cli.Run([.. Line(command, folder.Path), .. resume ? (string[])["--resume"] : []]);
                Assert.True(again.ExitCode == 0, $"{what}\nthen: {again.Error}");
            }
            SortedDictionary<string, string> now = Contents(folder.Path);
            Assert.True(expected.Keys.SequenceEqual(now.Keys), $"{what}\nfiles: {string.Join(' ', now.Keys)}");
            foreach ((string name, string content) in expected)
                Assert.True(content == now[name], $"{what}\n{name} differs:\n{content}\n\n{now[name]}");
        }
        output.WriteLine($"{command}: {trials} kills, seeds {Seed} to {Seed + trials - 1}, {steps} steps; {ended} runs ended before");
    }

    private string[] Line(string command, string folder)
    {
        string[] words = s_lines[command].Split(' ');
        return
        [
            words[0], "--model", model.ModelDirectory, "--data", model.Pairs, "--device", "cpu", "--threads", "1",
            .. words[1..].Select(w => w.Replace("{0}", folder, StringComparison.Ordinal)),
        ];
    }

    // What stands under its name is whole, whenever the process ended.
    private static void RequireWhole(string folder, string what)
    {
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
        {
            string extension = Path.GetExtension(file);
            if (extension is ".json" or ".progress") Assert.True(JsonNode.Parse(File.ReadAllText(file)) is JsonObject, what);
            if (extension == ".csv") Assert.EndsWith("\n", File.ReadAllText(file), StringComparison.Ordinal);
            if (extension == ".safetensors") EdgeScores.Load(file);
            if (extension == ".html") Assert.EndsWith("</html>", File.ReadAllText(file).TrimEnd(), StringComparison.Ordinal);
        }
    }

    // All files by name, without what no two runs share: times, and the hash of a state that has some. Of pages, which show them
    // everywhere, only that they are there.
    private static SortedDictionary<string, string> Contents(string folder)
    {
        SortedDictionary<string, string> contents = new(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
        {
            contents[Path.GetRelativePath(folder, file)] = Path.GetExtension(file) switch
            {
                ".html" => "",
                ".csv" => WithoutTimes(File.ReadAllText(file)),
                ".safetensors" => Bits(EdgeScores.Load(file)),
                _ => Times().Replace(File.ReadAllText(file), ""),
            };
        }
        return contents;
    }

    private static string Bits(EdgeScores scores) =>
        $"{Convert.ToHexString(MemoryMarshal.AsBytes(scores.Values))} {string.Join(' ', scores.EdgesInGraph.ToArray())}";

    private static string WithoutTimes(string csv)
    {
        string[][] rows = [.. csv.TrimEnd('\n').Split('\n').Select(line => line.Split(','))];
        int[] kept = [.. Enumerable.Range(0, rows[0].Length).Where(c => !rows[0][c].StartsWith("seconds", StringComparison.Ordinal))];
        return string.Join('\n', rows.Select(row => string.Join(',', kept.Where(c => c < row.Length).Select(c => row[c]))));
    }

    [GeneratedRegex("""\\?"(created|sha256|seconds|seconds_with_search|find_seconds)\\?":\s*(\\?"[^"\\]*\\?"|[-+0-9.eE]+|null)""")]
    private static partial Regex Times();
}
