using System.Diagnostics;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;
using Gradpath.Kernels;

namespace Gradpath.Host.Tests;

/// <summary><c>gradpath sweep</c>: goes on where it was stopped, shares with others, and gives the same bits whoever computes.</summary>
public sealed class SweepTests(TinyModel model) : IClassFixture<TinyModel>
{
    private const string Long = "{name: hap, sparsity: 0.7, steps: 400}";

    [Fact]
    public void What_is_done_is_not_done_again()
    {
        string folder = NewFolder();
        SweepPlans.Run(SweepPlans.Tiny(model), folder).Succeeds("3 of 3 units done, 3 of them now, 0 failed", $"sweep merge {folder}");
        Dictionary<string, DateTime> times = Times(folder);
        SweepPlans.Run(SweepPlans.Tiny(model), folder).Succeeds("3 of 3 units done, 0 of them now, 0 failed");
        Cli.Run(["sweep", folder, .. SweepPlans.Cpu]).Succeeds("3 of 3 units done, 0 of them now");
        Cli.Run(["sweep", "--plan", folder, "--out", folder, .. SweepPlans.Cpu]).Succeeds("0 of them now");
        Assert.Equal(times, Times(folder));
        Cli.Run(["sweep", folder, "--out", NewFolder()]).Fails(2, "--out", "leave it out");
    }

    [Fact]
    public void Prompts_that_have_changed_since_are_noticed_though_all_is_done()
    {
        string folder = NewFolder(), pairs = model.Path("changing.jsonl"), plan = model.Path("changing.yaml");
        string[] lines = File.ReadAllLines(model.Pairs);
        File.WriteAllLines(pairs, lines);
        File.WriteAllText(plan, $"models: {model.ModelDirectory}\ntasks: {{name: changing, data: {pairs}}}\nmethods: eap\n"
            + "prompts: {train: 4, judge: 2}\n");
        SweepPlans.Run(plan, folder).Succeeds("1 of 1 unit done");
        File.WriteAllLines(pairs, lines.Reverse());
        SweepPlans.Run(plan, folder).Fails(1, folder, "prompts");
    }

    [Fact]
    public void A_device_that_is_not_there_is_no_units_failure()
    {
        string folder = NewFolder();
        Cli.Run("sweep", SweepPlans.Tiny(model), "--out", folder, "--device", "cuda:7");
        SweepPlans.Run(SweepPlans.Tiny(model), folder).Succeeds("3 of 3 units done, 3 of them now, 0 failed");
    }

    [Fact]
    public void An_empty_file_of_scores_is_computed_again()
    {
        string folder = NewFolder();
        SweepPlans.Run(SweepPlans.Tiny(model), folder).Succeeds();
        string scores = Directory.GetFiles(folder, "*.scores.safetensors", SearchOption.AllDirectories)[0];
        File.WriteAllBytes(scores, []);
        SweepPlans.Run(SweepPlans.Tiny(model), folder).Warns(scores, "3 of 3 units done, 1 of them now, 0 failed");
        Assert.True(new FileInfo(scores).Length > 0);
    }

    [Fact]
    public void A_misspelt_word_of_the_verb_is_named() =>
        Cli.Run("sweep", "stauts", NewFolder()).Fails(2, "sweep-stauts", "did you mean sweep-status?");

    [Fact]
    public void A_check_runs_and_writes_nothing()
    {
        string plan = SweepPlans.Tiny(model), folder = NewFolder();
        string[] before = Directory.GetFileSystemEntries(model.Folder, "*", SearchOption.AllDirectories);
        Cli.Run("sweep", plan, "--out", folder, "--check", "--device", "cpu").Succeeds("plan tiny: 3 units", "no unit was run");
        Assert.Equal(before, Directory.GetFileSystemEntries(model.Folder, "*", SearchOption.AllDirectories));
        SweepPlans.Run(plan, folder).Succeeds();
        Assert.Equal(SweepPlans.Keys(plan, SweepPlans.Cpu), SweepPlans.Keys(folder, SweepPlans.Cpu));
        Assert.Equal(SweepPlans.Keys(plan, SweepPlans.Cpu), SweepPlans.Units(folder).Select(u => u.Key));
    }

    [Fact]
    public void A_check_of_a_sweep_that_has_begun_says_what_is_left()
    {
        string plan = SweepPlans.Tiny(model), folder = NewFolder();
        SweepPlans.Run(plan, folder, "--shard", "1/3").Succeeds();
        int done = SweepLayout.Open(folder).Done().Count;
        Assert.InRange(done, 1, 2);
        Cli.Run(["sweep", plan, "--out", folder, "--check", .. SweepPlans.Cpu])
            .Succeeds($"{folder}: {done} of 3 units done, 0 failed, {3 - done} left",
                $" for {Sizes.Of(3 - done, "unit")} in 1 process, from the times of units that are done");
        SweepUnit left = SweepPlans.Units(folder).First(u => !SweepLayout.Open(folder).IsDone(u.Key));
        SweepLayout.Open(folder).Fail(UnitFailure.Now(left, "it rains", 1));
        Cli.Run(["sweep", folder, "--extend", .. SweepPlans.Cpu]).Fails(2, "--extend is for a plan that becomes the folder's");
        Cli.Run(["sweep", folder, "--check", .. SweepPlans.Cpu])
            .Succeeds($"{done} of 3 units done, 1 failed ('gradpath sweep retry {folder}' forgets failures), {2 - done} left");
        Cli.Run("sweep", "retry", folder).Succeeds();
        SweepPlans.Run(plan, folder).Succeeds();
        Cli.Run(["sweep", plan, "--out", folder, "--check", .. SweepPlans.Cpu]).Succeeds("3 of 3 units done, 0 failed, 0 left");
        JsonNode facts = JsonNode.Parse(Cli.Run(["sweep", plan, "--out", folder, "--check", "--json", .. SweepPlans.Cpu]).Out)!["facts"]!;
        Assert.Equal((3, 0, 0, 0.0), ((int)facts["done"]!, (int)facts["failed"]!, (int)facts["left"]!, (double)facts["seconds"]!));
        Cli.Run(["sweep", PlanOf(Long), "--out", folder, "--check", .. SweepPlans.Cpu])
            .Fails(1, $"{folder}: holds the sweep 'tiny' of another plan");
    }

    [Fact]
    public void Memory_that_no_prompt_pair_fits_in_is_no_units_failure()
    {
        string folder = NewFolder(), plan = SweepPlans.Tiny(model);
        SweepPlans.Run(plan, folder, "--memory", "1KiB").Fails(1, "one pair of up to", "and 1 KiB were allowed (--memory)");
        Assert.Empty(SweepLayout.Open(folder).Failed());
        Cli team = Cli.Run("sweep", plan, "--out", folder, "--device", "cpu", "--threads", "2", "--workers", "2", "--memory", "1KiB");
        Assert.Equal(1, team.ExitCode);
        Assert.Contains("ended with exit code 1; its last line: one pair of up to", team.Error, StringComparison.Ordinal);
        Assert.Contains("3 units left, and the same command goes on from there", team.Error, StringComparison.Ordinal);
        Assert.Empty(SweepLayout.Open(folder).Failed());
        SweepPlans.Run(plan, folder).Succeeds("3 of 3 units done, 3 of them now");
        string own = model.Path("little.yaml");
        File.WriteAllText(own, $"{File.ReadAllText(plan)}\ndevice: {{device: cpu, memory: 1KiB}}\n");
        int line = File.ReadAllLines(own).ToList().FindIndex(l => l.StartsWith("device", StringComparison.Ordinal)) + 1;
        SweepPlans.Run(own, NewFolder()).Fails(1, $"little.yaml:{line}: device: one pair of up to");
        Cli.Run(["sweep", own, "--check", .. SweepPlans.Cpu]).Fails(1, "one pair of up to");
    }

    [Fact]
    public void Laying_out_many_units_shows_how_far_it_is()
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        Terminal terminal = new(TextReader.Null, output, error) { Time = new HastyTime(), Variable = _ => null };
        string plan = SweepPlans.Write(model, $$"""
            tasks: {data: {{model.Pairs}}}
            methods: eap
            prompts: {train: 3, judge: 3}
            seeds: 0..9
            """, "many.yaml");
        string[] line = ["sweep", plan, "--check", .. SweepPlans.Cpu];
        Assert.Equal(0, GradpathApp.Run(line, terminal, CancellationToken.None));
        Assert.Matches("prompts and units of the plan: [1-9]0 % done, ", error.ToString());
    }

    [Fact]
    public void Shards_make_up_the_whole_and_workers_too()
    {
        string plan = SweepPlans.Tiny(model), whole = NewFolder(), shards = NewFolder(), workers = NewFolder();
        SweepPlans.Run(plan, whole).Succeeds();
        Cli second = SweepPlans.Run(plan, shards, "--shard", "2/2").Succeeds("(shard 2/2 of 3 units)");
        int computed = SweepLayout.Open(shards).Done().Count;
        Assert.InRange(computed, 1, 2);
        Assert.Contains($"{computed} of {Sizes.Of(computed, "unit")} done, {computed} of them now", second.Out, StringComparison.Ordinal);
        SweepPlans.Run(plan, shards, "--shard", "1/2").Succeeds($"{3 - computed} of them now");
        Assert.Equal(SweepPlans.Contents(whole), SweepPlans.Contents(shards));
        Assert.Equal(SweepPlans.Table(whole), SweepPlans.Table(shards));

        Cli run = Cli.Run("sweep", plan, "--out", workers, "--device", "cpu", "--threads", "2", "--workers", "2");
        Assert.True(run.ExitCode == 0, run.Error + run.Out);
        Assert.Contains("3 of 3 units done, 3 of them now, 0 failed", run.Out, StringComparison.Ordinal);
        Assert.Equal(SweepPlans.Contents(whole), SweepPlans.Contents(workers));
        Assert.Equal(SweepPlans.Table(whole), SweepPlans.Table(workers));
    }

    [Fact]
    public void A_shard_without_units_is_done_at_once()
    {
        SweepPlans.Run(SweepPlans.Tiny(model), NewFolder(), "--shard", "9/9")
            .Succeeds("0 of 0 units done", "Shard 9/9 is empty: there are 3 units for 9 shards.");
        Cli.Run("sweep", SweepPlans.Tiny(model), "--check", "--device", "cpu", "--shard", "9/9")
            .Succeeds("shard 9/9: 0 units", "Shard 9/9 is empty");
    }

    [Fact]
    public void A_stopped_unit_goes_on_from_its_saved_state_to_the_same_bits()
    {
        string plan = PlanOf(Long), whole = NewFolder(), stopped = NewFolder();
        SweepPlans.Run(plan, whole).Succeeds();
        string[] line = ["sweep", plan, "--out", stopped, .. SweepPlans.Cpu];
        Cli first = Cli.StoppedWhen(IsLate, line).Fails(130);
        Assert.Contains(
            $" after 0 of 1 unit, kept in {stopped}; the same command goes on from there.", first.Error, StringComparison.Ordinal);
        SweepUnit unit = Assert.Single(SweepPlans.Units(stopped));
        string state = Assert.Single(Directory.GetFiles(stopped, "*.progress", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetFiles(Path.Combine(stopped, "claims")));
        Cli.Run("sweep", "status", stopped).Succeeds("0 of 1 unit done, 0 failed, 0 running, 1 waiting");

        // Half of it is left, as the first report of progress says.
        List<RunProgress> reports = [];
        Cli.StoppedWhen(p =>
        {
            if (IsTraining(p)) reports.Add(p);
            return false;
        }, line).Succeeds("1 of 1 unit done, 1 of them now");
        Assert.True(IsLate(reports[0]), $"it went on at {reports[0]}");
        Assert.False(File.Exists(state));
        Assert.Equal(SweepPlans.Contents(whole), SweepPlans.Contents(stopped));
        Assert.Equal(unit.Key, SweepPlans.Units(stopped)[0].Key);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("not JSON")]
    [InlineData("")]
    public void A_saved_state_that_cannot_be_used_is_no_loss(string content)
    {
        string plan = PlanOf("{name: hap, sparsity: 0.7, steps: 5}"), whole = NewFolder(), folder = NewFolder();
        SweepPlans.Run(plan, whole).Succeeds();
        SweepPlans.Run(plan, folder, "--shard", "2/2").Succeeds("0 of 0 units done");
        SweepFolder opened = SweepLayout.Open(folder);
        string state = opened.WorkFile(opened.Units[0].Key) + ".progress";
        Directory.CreateDirectory(Path.GetDirectoryName(state)!);
        File.WriteAllText(state, content);
        SweepPlans.Run(plan, folder).Succeeds("1 of 1 unit done");
        Assert.False(File.Exists(state));
        Assert.Equal(SweepPlans.Contents(whole), SweepPlans.Contents(folder));
    }

    [SkippableFact]
    public void A_signal_saves_the_unit_under_way()
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such signals on Windows");
        string plan = PlanOf("{name: hap, sparsity: 0.7, steps: 1000000}"), folder = NewFolder();
        ProcessStartInfo start = new(
            Environment.ProcessPath!,
            [Path.Combine(AppContext.BaseDirectory, "gradpath.dll"), "sweep", plan, "--out", folder, .. SweepPlans.Cpu])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        string Said() => $"{output.Result}{error.Result}";
        try
        {
            // A busy machine takes its time.
            long began = Stopwatch.GetTimestamp();
            while (!Directory.Exists(Path.Combine(folder, "units")) || States(folder).Length == 0)
            {
                if (process.HasExited) Assert.Fail($"it ended by itself: {Said()}");
                Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(5), "no state is saved");
                Thread.Sleep(20);
            }
            KillPoint.Send(process.Id, Child.Terminate);
            Assert.True(process.WaitForExit(TimeSpan.FromMinutes(5)), "it does not stop");
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
        Assert.True(process.ExitCode == 143, Said());
        Assert.Contains("gradpath: stopped by SIGTERM after 0 of 1 unit, kept in ", error.Result, StringComparison.Ordinal);
        string state = Assert.Single(States(folder));
        Assert.NotNull(JsonNode.Parse(File.ReadAllText(state)));
        Assert.Empty(Directory.GetFiles(Path.Combine(folder, "claims")));
    }

    // A GPU that has failed once fails at whatever comes next.
    [Fact]
    public void A_device_that_failed_is_opened_anew_for_the_next_unit()
    {
        string plan = SweepPlans.Write(model, $$"""
            tasks: {data: {{model.Pairs}}}
            methods: eap
            prompts: {train: 4, judge: 0, parts: 2}
            evaluate: none
            """, "failing.yaml");
        string folder = NewFolder();
        SweepPlans.Run(plan, folder).Succeeds("3 of 3 units done");
        SweepFolder opened = SweepLayout.Open(folder);
        int devices = 0, asked = 0;
        using SweepSession session = new(Host.Sweeps.Plan.SweepPlan.FromJson(opened.Plan, "plan"), () =>
        {
            devices++;
            return new Kernels.Cpu.CpuDevice(1);
        }, SweepSamples.Terminal());
        SweepUnitWork work = new(
            session, key => ++asked == 1 ? throw new DeviceException("the launch failed") : opened.SumsOf(key),
            key => opened.Result(key).Seconds);
        SweepUnit join = opened.Units[2];
        Assert.Throws<DeviceException>(() => work.Run(join, opened.WorkFile(join.Key), null, default));
        Assert.Equal(1, devices);
        Assert.Equal(join.Key, work.Run(join, opened.WorkFile(join.Key), null, default).Result.Key);
        Assert.Equal(2, devices);
        work.Run(opened.Units[0], opened.WorkFile(opened.Units[0].Key), null, default);
        Assert.Equal(2, devices);
    }

    private static bool IsTraining(RunProgress progress) => progress.Stage.Length == 0;

    private static bool IsLate(RunProgress progress) => IsTraining(progress) && progress.Done > progress.Total / 2;

    private static string[] States(string folder) => Directory.GetFiles(folder, "*.progress", SearchOption.AllDirectories);

    private static Dictionary<string, DateTime> Times(string folder) =>
        Directory.GetFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(f => f, File.GetLastWriteTimeUtc);

    private string NewFolder() => model.Path(Guid.NewGuid().ToString("N"));

    // Every look at the clock takes some seconds.
    private sealed class HastyTime : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds += 4;
    }

    private string PlanOf(string method) => SweepPlans.Write(model, $$"""
        tasks: {data: {{model.Pairs}}}
        methods: [{{method}}]
        prompts: {train: 3, judge: 3}
        evaluate: sizes
        """, $"{Guid.NewGuid():N}.yaml");
}
