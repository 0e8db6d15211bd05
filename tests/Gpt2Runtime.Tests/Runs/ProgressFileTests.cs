using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Runs;

public sealed class ProgressFileTests
{
    [Fact]
    public void What_was_saved_comes_back_bit_for_bit()
    {
        using TempFolder folder = new();
        ProgressFile file = new(folder["out.json"], "acdc", Run(0.1));
        Assert.Equal(folder["out.json.progress"], file.Path);
        double[] doubles = [0.1, double.NaN, -0.0, double.Epsilon];
        float[] floats = [1 / 3f];
        file.Save(new JsonObject { ["a"] = ProgressFile.Pack<double>(doubles), ["b"] = ProgressFile.Pack<float>(floats), ["n"] = 7 });
        file.Save(new JsonObject { ["a"] = ProgressFile.Pack<double>(doubles), ["b"] = ProgressFile.Pack<float>(floats), ["n"] = 8 });
        JsonObject state = new ProgressFile(folder["out.json"], "acdc", Run(0.1)).Load();
        Assert.Equal(
            doubles.Select(BitConverter.DoubleToInt64Bits),
            file.Unpack<double>(state, "a", 4, gaps: true).Select(BitConverter.DoubleToInt64Bits));
        Assert.Equal(floats, file.Unpack<float>(state, "b"));
        Assert.Throws<GradpathException>(() => file.Unpack<double>(state, "a"));
        Assert.Throws<GradpathException>(() => file.Unpack<float>(state, "b", 3));
        Assert.Throws<GradpathException>(() => file.Unpack<double>(state, "b"));
        Assert.Equal(8, file.Number<int>(state, "n"));
        Assert.Throws<GradpathException>(() => file.Unpack<double>(state, "n"));
        Assert.Throws<GradpathException>(() => file.Number<int>(state, "missing"));
        file.Delete();
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_state_that_changed_on_the_disk_is_refused()
    {
        using TempFolder folder = new();
        var file = new ProgressFile(folder["out.json"], "acdc", Run(0.1));
        file.Save(new JsonObject { ["values"] = ProgressFile.Pack<double>([1, 2, 3]), ["done"] = 1.5 });
        Assert.Equal(1.5, (double)file.Load()["done"]!);
        string text = File.ReadAllText(file.Path);
        File.WriteAllText(file.Path, text.Replace("1.5", "1.6", StringComparison.Ordinal));
        Assert.Contains("delete it to start over", Assert.Throws<GradpathException>(file.Load).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_run_is_refused_by_what_differs()
    {
        using TempFolder folder = new();
        string result = folder["out.json"];
        new ProgressFile(result, "acdc", Run(0.1)).Save([]);
        void Refused(ProgressFile file, params string[] mentions)
        {
            string message = Assert.Throws<GradpathException>(() => file.Load()).Message;
            Assert.All(mentions, m => Assert.Contains(m, message, StringComparison.Ordinal));
        }
        Refused(new ProgressFile(result, "acdc", Run(0.2)), "--tau was 0.1 there and is 0.2 now", "out.json.progress");
        Refused(new ProgressFile(result, "acdc", new JsonObject { ["--tau"] = 0.1 }), "model was \"m\" there and is not given now");
        Refused(new ProgressFile(result, "hap", Run(0.1)), "search acdc", "search hap", "result file");
        foreach (string damaged in new[] { "", "[]", "{}", "{\"command\":\"acdc\"", "{\"command\":\"acdc\",\"run\":{}}",
            "{\"command\":\"acdc\",\"run\":{\"model\":\"m\",\"--tau\":0.1},\"state\":{}}",
            "{\"command\":\"acdc\",\"command\":\"acdc\",\"run\":{\"model\":\"m\",\"--tau\":0.1},\"state\":{}}",
            "{\"command\":\"acdc\",\"run\":{\"model\":\"m\",\"--tau\":0.1},\"state\":{\"n\":1e999}}",
            "{\"command\":\"acdc\",\"run\":{\"model\":\"\\ud800\",\"--tau\":0.1},\"state\":{}}",
            $"{new string('[', 500)}" })
        {
            File.WriteAllText(result + ".progress", damaged);
            Refused(new ProgressFile(result, "acdc", Run(0.1)), "delete it to start over");
        }
    }

    [Fact]
    public void Neither_starting_over_nor_going_on_happens_by_accident()
    {
        using TempFolder folder = new();
        string result = folder["out.json"];
        ProgressFile.Check(result, resume: false);
        Assert.Contains("nothing to go on from", Assert.Throws<GradpathException>(() => ProgressFile.Check(result, resume: true)).Message,
            StringComparison.Ordinal);
        new ProgressFile(result, "acdc", Run(0.1)).Save([]);
        ProgressFile.Check(result, resume: true);
        Assert.Contains(
            "add resume to go on", Assert.Throws<GradpathException>(() => ProgressFile.Check(result, resume: false)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_search_is_written_soon_then_every_half_minute_and_not_in_between()
    {
        using TempFolder folder = new();
        using OddModel model = OddModel.Make("one head");
        var clock = new Clock();
        var file = new ProgressFile(folder["out.json"], "acdc", [], clock);
        var written = new List<bool>();
        string? before = null;
        int step = 0;
        var watch = new Watch(() =>
        {
            // What the step before left; each takes ten seconds.
            string? now = File.Exists(file.Path) ? File.ReadAllText(file.Path) : null;
            if (step++ > 0) written.Add(now != before);
            before = now;
            clock.Now += 10 * TimeSpan.TicksPerSecond;
        });
        var options = new EdgePruningOptions { Sparsity = 0.5, Steps = 12 };
        CircuitSearches.EdgePruning.Search(model.Weights, PromptSet.Of(model.Mixed), options, file, watch, default);
        Assert.Equal([true, true, true, false, true, false, false, true, false, false, true], written);
        Assert.Equal("12 of 12 steps", file.Done);
    }

    [Fact]
    public void One_run_at_a_time_writes_a_result_and_a_lock_that_was_left_locks_nothing()
    {
        using TempFolder folder = new();
        folder.Write("out.json.progress.lock", "");
        using (ProgressFile first = new(folder["out.json"], "acdc", Run(0.1)))
        {
            first.Lock(resume: false);
            using ProgressFile second = new(folder["out.json"], "acdc", Run(0.1));
            Assert.Contains(
                "out.json is being written by another run", Assert.Throws<GradpathException>(() => second.Lock(resume: false)).Message,
                StringComparison.Ordinal);
            using ProgressFile other = new(folder["other.json"], "acdc", Run(0.1));
            other.Lock(resume: false);
            first.Save([]);
        }
        Assert.Equal(folder["out.json.progress"], Assert.Single(Directory.GetFiles(folder.Path)));
        using ProgressFile third = new(folder["out.json"], "acdc", Run(0.1));
        Assert.Contains("add resume", Assert.Throws<GradpathException>(() => third.Lock(resume: false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_that_cannot_be_written_is_said_once_and_the_search_goes_on()
    {
        using TempFolder folder = new();
        using OddModel model = OddModel.Make("one head");
        Directory.CreateDirectory(folder["results"]);
        List<string> warnings = [];
        var file = new ProgressFile(folder["results/out.json"], "edge-pruning", []) { Interval = TimeSpan.Zero, Warning = warnings.Add };
        int step = 0;
        var watch = new Watch(() =>
        {
            if (++step == 3) Directory.Delete(folder["results"], recursive: true);
        });
        var options = new EdgePruningOptions { Sparsity = 0.5, Steps = 8 };
        CircuitSearches.EdgePruning.Search(model.Weights, PromptSet.Of(model.Mixed), options, file, watch, default);
        Assert.Equal(8, step);
        Assert.Contains("the run goes on", Assert.Single(warnings), StringComparison.Ordinal);
    }

    private static JsonObject Run(double tau) => new() { ["model"] = "m", ["--tau"] = tau };

    private sealed class Clock : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }

    private sealed class Watch(Action look) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => look();
    }
}
