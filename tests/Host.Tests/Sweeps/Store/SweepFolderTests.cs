using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>The folder of a sweep: laid out once, opened without a model, refused where it is another's.</summary>
public sealed class SweepFolderTests(TinyModel model) : IClassFixture<TinyModel>, IDisposable
{
    private readonly TempFolder _temp = new();

    [Fact]
    public void What_was_laid_out_is_opened_with_all_its_units()
    {
        SweepUnit[] units =
        [
            SweepSamples.Unit(0, 2.5e12) with { Part = (1, 3), Task = new SweepTask("mine", null, "/data/pairs.jsonl", 9) },
            SweepSamples.Unit(1, needs: [SweepSamples.Key(0)]),
        ];
        SweepSamples.LayOut(_temp["sweep"], units);
        SweepFolder read = SweepLayout.Open(_temp["sweep"]);
        Assert.Equal("sample", read.Name);
        Assert.Equal("hash", read.PlanHash);
        Assert.True(JsonNode.DeepEquals(SweepSamples.Plan, read.Plan));
        Assert.Equal("name: sample\n", File.ReadAllText(_temp["sweep/plan.yaml"]));
        Assert.Equal(units.Select(u => UnitJson.ToJson(u).ToJsonString()), read.Units.Select(u => UnitJson.ToJson(u).ToJsonString()));
        Assert.Equal(units[0].Task, read.Units[0].Task);
        Assert.Equal((1, 3), read.Units[0].Part);
        Assert.Equal(units[0].Title, read.Units[0].Title);
    }

    [Fact]
    public void Processes_that_begin_at_once_agree()
    {
        SweepUnit[] units = SweepSamples.Units(50);
        string[] first = [.. Enumerable.Range(0, 8).Select(i => $"{i}")];
        SweepFolder?[] opened = new SweepFolder?[8];
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            try
            {
                // Half of them have another plan.
                JsonObject plan = SweepSamples.Plan;
                if (i % 2 == 1) plan["train"] = 50;
                opened[i] = SweepLayout.LayOut(_temp["sweep"], plan, $"hash {i % 2}", units, default);
            }
            catch (GradpathException e)
            {
                Assert.Contains("of another plan (train differs)", e.Message, StringComparison.Ordinal);
            }
        });
        string hash = SweepLayout.Open(_temp["sweep"]).PlanHash;
        for (int i = 0; i < first.Length; i++) Assert.Equal(hash == $"hash {i % 2}", opened[i] is not null);
        Assert.Equal(["plan.json", "plan.yaml"], Directory.GetFiles(_temp["sweep"]).Select(f => Path.GetFileName(f)!).Order());
    }

    [Fact]
    public void A_folder_of_another_plan_is_refused_and_left_as_it_is()
    {
        SweepSamples.LayOut(_temp["sweep"], SweepSamples.Units(3));
        string before = File.ReadAllText(_temp["sweep/plan.json"]);
        JsonObject other = SweepSamples.Plan;
        other["seeds"] = new JsonArray(0, 1, 2);
        Refuses($"{_temp["sweep"]}: holds the sweep 'sample' of another plan (seeds differ); name another folder", other, "other", 3);
        Refuses("with other units (there are 3, and the plan has 4 now)", SweepSamples.Plan, "hash", 4);
        SweepUnit[] changed = SweepSamples.Units(3);
        changed[1] = changed[1] with { Key = SweepSamples.Key(9), Identity = new JsonObject { ["the method"] = "relp", ["number"] = 1 } };
        GradpathException e = Assert.Throws<GradpathException>(() => SweepSamples.LayOut(_temp["sweep"], changed));
        Assert.Contains(
            "(unit 2 is 'eap-gp steps=5 number=1, ioi, demo, seed 1', and its the method differs now)", e.Message,
            StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(_temp["sweep/plan.json"]));
    }

    [Fact]
    public void What_is_no_folder_of_a_sweep_is_refused()
    {
        _temp.Write("file", "");
        Directory.CreateDirectory(_temp["empty"]);
        Refused($"{_temp["file"]}: it is a file", () => SweepLayout.Open(_temp["file"]));
        Refused($"{_temp["file"]}: it is a file; name a folder", () => SweepSamples.LayOut(_temp["file"], []));
        Refused($"{_temp["none"]}: there is no such folder", () => SweepLayout.Open(_temp["none"]));
        Refused($"{_temp["empty"]}: it holds no sweep: there is no plan.json in it", () => SweepLayout.Open(_temp["empty"]));
        Refused("cannot make", () => SweepSamples.LayOut(_temp["file/in"], []));
    }

    [SkippableFact]
    public void A_folder_that_takes_no_files_is_refused()
    {
        Skip.If(Environment.UserName == "root", "permissions bind no administrator");
        Directory.CreateDirectory(_temp["closed"]);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_temp["closed"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Skip.If(OperatingSystem.IsWindows(), "permissions of Windows are others");
        Refused("cannot make", () => SweepSamples.LayOut(_temp["closed"], []));
    }

    [Theory]
    [InlineData("\"format\":1", "\"format\":2", "its format is 2, and this version of the program knows format 1")]
    [InlineData("\"index\":1", "\"index\":7", "'units[1].index' is not 1")]
    [InlineData("\"ablation\":\"zero\"", "\"ablation\":\"none\"", "'units[0].ablation' is no ablation")]
    [InlineData("\"needs\":[]", "\"needs\":[\"abc\"]", "'units[0].needs' names what is no unit")]
    [InlineData("\"cost\":1", "\"cost\":null", "'units[0].cost' is no number")]
    [InlineData("\"plan_hash\":\"hash\",", "", "'plan_hash' is missing")]
    [InlineData("\"format\":1", "\"format\":", "damaged: it is no JSON")]
    [InlineData("\"cost\":1", "\"cost\":2", "its content does not match its checksum; delete this file alone and run the plan into")]
    public void A_damaged_plan_is_refused_with_its_place(string old, string changed, string says)
    {
        SweepSamples.LayOut(_temp["sweep"], SweepSamples.Units(2));
        string text = File.ReadAllText(_temp["sweep/plan.json"]);
        int at = text.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at >= 0, text);
        File.WriteAllText(_temp["sweep/plan.json"], text[..at] + changed + text[(at + old.Length)..]);
        Refused(says, () => SweepLayout.Open(_temp["sweep"]));
        Refused(_temp["sweep/plan.json"], () => SweepSamples.LayOut(_temp["sweep"], SweepSamples.Units(2)));
    }

    [Fact]
    public void A_plan_that_is_not_the_sweeps_own_is_told_from_a_damaged_one()
    {
        SweepSamples.LayOut(_temp["sweep"], SweepSamples.Units(2));
        File.WriteAllText(_temp["sweep/plan.json"], "");
        Refused("plan.json: damaged: the file is empty; delete this file alone and run the plan", () => SweepLayout.Open(_temp["sweep"]));
        File.WriteAllText(_temp["sweep/plan.json"], """{"models": "demo", "tasks": "ioi", "methods": "eap"}""");
        Refused(
            "it holds no sweep: a sweep's folder has a plan.json of its own, and this one is another plan",
            () => SweepLayout.Open(_temp["sweep"]));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(10.0)]
    public void A_result_is_there_with_what_was_found_and_without_saved_state(double seconds)
    {
        SweepFolder folder = SweepSamples.LayOut(_temp["sweep"], SweepSamples.Units(3));
        string key = SweepSamples.Key(1);
        Assert.False(folder.IsDoneByNow(key));
        File.WriteAllText(folder.WorkFile(key) + ".progress", "");
        EdgeScores scores = EdgeScores.Load(model.Scores());
        Circuit circuit = Circuit.Load(model.Circuit("found.json", 9, "--no-prune"));
        folder.Write(new UnitOutcome(SweepSamples.Result(key, seconds), scores, circuit));
        Assert.True(folder.IsDone(key) && folder.IsDoneByNow(key));
        Assert.Equal([key], folder.Done());
        Assert.Equal(seconds, folder.Result(key).Seconds);
        Assert.Equal(scores.Values, EdgeScores.Load(folder.ScoresFile(key)).Values);
        Assert.Equal(9, Circuit.Load(folder.CircuitFile(key)).EdgeCount);
        Assert.Equal(3, Directory.GetFiles(Path.GetDirectoryName(folder.ResultFile(key))!).Length);
        File.Move(folder.ResultFile(key), folder.ResultFile(key).Replace(key, $"{key[..^1]}g", StringComparison.Ordinal));
        Assert.Empty(folder.Done());
    }

    [Fact]
    public void A_result_under_another_name_is_refused()
    {
        SweepFolder folder = SweepSamples.LayOut(_temp["sweep"], SweepSamples.Units(3));
        folder.Write(new UnitOutcome(SweepSamples.Result(SweepSamples.Key(1))));
        Directory.CreateDirectory(Path.GetDirectoryName(folder.ResultFile(SweepSamples.Key(2)))!);
        File.Move(folder.ResultFile(SweepSamples.Key(1)), folder.ResultFile(SweepSamples.Key(2)));
        Refused("it is the result of another unit", () => folder.Result(SweepSamples.Key(2)));
    }

    [Fact]
    public void Failures_are_kept_in_order_and_forgotten()
    {
        SweepFolder folder = SweepSamples.LayOut(_temp["sweep"], SweepSamples.Units(4));
        foreach (int i in (int[])[3, 1, 2]) folder.Fail(UnitFailure.Now(folder.Units[i], $"reason {i}", 2));
        folder.Write(new UnitOutcome(SweepSamples.Result(SweepSamples.Key(2))));
        Assert.Equal(["reason 1", "reason 3"], folder.Failures().Select(f => f.Error));
        UnitFailure failure = folder.Failure(SweepSamples.Key(1))!;
        Assert.Equal((folder.Units[1].Title, 2, Environment.MachineName), (failure.Title, failure.Exit, failure.Host));
        Assert.True(DateTimeOffset.UtcNow - failure.Time < TimeSpan.FromMinutes(5));
        Assert.True(folder.Forget(SweepSamples.Key(1)));
        Assert.False(folder.Forget(SweepSamples.Key(1)));
        Assert.Null(folder.Failure(SweepSamples.Key(1)));
    }

    [Fact]
    public void What_a_loss_of_power_has_emptied_is_computed_again()
    {
        SweepFolder folder = SweepSamples.LayOut(_temp["sweep"], SweepSamples.Units(3));
        EdgeScores scores = EdgeScores.Load(model.Scores());
        for (int i = 0; i < 3; i++) folder.Write(new UnitOutcome(SweepSamples.Result(SweepSamples.Key(i)), scores));
        File.WriteAllText(folder.ResultFile(SweepSamples.Key(0)), "");
        File.WriteAllText(folder.ScoresFile(SweepSamples.Key(1)), "");
        Assert.Equal(
            [folder.ResultFile(SweepSamples.Key(0)), folder.ScoresFile(SweepSamples.Key(1))],
            DamagedUnits.SetAside(folder).Select(said => said.Split(": ")[0]));
        Assert.Equal([SweepSamples.Key(2)], folder.Done());
        Assert.Empty(DamagedUnits.SetAside(folder));
        Assert.Empty(Directory.GetFiles(folder.ClaimsFolder));
    }

    // What no disk gives back is not set aside.
    [SkippableFact]
    public void A_result_that_cannot_be_read_at_all_is_one_line()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "a file that nobody can read is made with a link to one");
        SweepFolder folder = SweepSamples.LayOut(_temp["sweep"], SweepSamples.Units(1));
        folder.Write(new UnitOutcome(SweepSamples.Result(SweepSamples.Key(0))));
        string file = folder.ResultFile(SweepSamples.Key(0));
        File.Delete(file);
        File.CreateSymbolicLink(file, "/proc/self/mem");
        Refused($"{file}: cannot be read", () => DamagedUnits.SetAside(folder));
        Refused($"{file}: cannot be read", () => SweepStatus.Of(folder));
    }

    // Whoever computes it mends it.
    [Fact]
    public void A_damaged_unit_that_another_process_computes_is_left_to_it()
    {
        SweepFolder folder = SweepSamples.LayOut(_temp["sweep"], SweepSamples.Units(2));
        folder.Write(new UnitOutcome(SweepSamples.Result(SweepSamples.Key(0))));
        File.WriteAllText(folder.ResultFile(SweepSamples.Key(0)), "{");
        using UnitClaims other = folder.Claims();
        Assert.True(other.TryTake(SweepSamples.Key(0)));
        Assert.Empty(DamagedUnits.SetAside(folder));
        Assert.Equal([SweepSamples.Key(0)], folder.Done());
    }

    public void Dispose() => _temp.Dispose();

    private static void Refused(string says, Action action) =>
        Assert.Contains(says, Assert.Throws<GradpathException>(action).Message, StringComparison.Ordinal);

    private void Refuses(string says, JsonObject plan, string hash, int units) =>
        Refused(says, () => SweepLayout.LayOut(_temp["sweep"], plan, hash, SweepSamples.Units(units), default));
}
