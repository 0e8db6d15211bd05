using System.Text.Json;

namespace Gradpath.Host.Tests;

public sealed class CompletenessTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Completeness_is_shown_and_written()
    {
        File.WriteAllText(model.Path("classes.json"), """{"early": ["m0", "a0.h0", "a0.h1"], "late": ["m1", "a1.h0", "a1.h1"]}""");
        string file = model.Path("completeness.json");
        Run("--classes", model.Path("classes.json"), "--random", "5", "--greedy-runs", "2", "--greedy-iterations", "2",
            "--greedy-candidates", "2", "--out", file)
            .Succeeds(
                "early", "late", "random halves: mean", "greedy searches, all steps: largest", "largest difference", file, "time: load");
        JsonElement json = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        JsonElement[] sets = [.. json.GetProperty("sets").EnumerateArray()];
        Assert.Equal(["empty", "class", "class", "random", "random", "random", "random", "random", "greedy", "greedy", "greedy", "greedy"],
            sets.Select(s => s.GetProperty("kind").GetString()));
        Assert.All(sets, s => Assert.Equal(Math.Abs(s.GetProperty("circuit").GetDouble() - s.GetProperty("model").GetDouble()),
            s.GetProperty("difference").GetDouble(), 12));
        Assert.Equal(sets.Max(s => s.GetProperty("difference").GetDouble()), json.GetProperty("largest_difference").GetDouble());
        Assert.Equal("early", sets[1].GetProperty("name").GetString());
        Assert.Equal("eap", json.GetProperty("gradpath").GetProperty("circuit").GetProperty("method").GetString());

        // The same seed draws the same sets.
        string again = model.Path("again.json");
        Run("--classes", model.Path("classes.json"), "--random", "5", "--greedy-runs", "2", "--greedy-iterations", "2",
            "--greedy-candidates", "2", "--out", again).Succeeds();
        Assert.Equal(json.GetProperty("sets").GetRawText(),
            JsonDocument.Parse(File.ReadAllBytes(again)).RootElement.GetProperty("sets").GetRawText());
    }

    private Cli Run(params string[] options) => Cli.Run(
        ["completeness", "--circuit", model.Circuit("circuit.json", 25), "--model", model.ModelDirectory, "--data", model.Pairs,
            "--threads", "1", .. options]);
}
