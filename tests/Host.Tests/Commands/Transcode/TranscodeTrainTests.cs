using System.Text.Json;

namespace Gradpath.Host.Tests;

/// <summary><c>gradpath transcode train</c>: what it writes is read, a stopped run goes on, and what it refuses.</summary>
public sealed class TranscodeTrainTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Transcoders_of_a_text_are_trained_written_and_used()
    {
        string text = _folder.Write(
            "text.txt", "When John and Mary went to the store\n\nThe dog near the trees\nThe capital of France is\n");
        string folder = _folder["set"];
        Cli run = Train("--data", text, "--layer", "1,3", "--json").Succeeds();
        using JsonDocument json = JsonDocument.Parse(run.Out);
        Assert.Equal(3, json.RootElement.GetProperty("facts").GetProperty("texts").GetInt32());
        Assert.False(json.RootElement.GetProperty("facts").GetProperty("held_out").GetBoolean());
        Assert.Equal([1, 3], json.RootElement.GetProperty("tables").GetProperty("layers").EnumerateArray()
            .Select(l => l.GetProperty("layer").GetInt32()));
        Assert.Equal(["config.yaml", "layer_1.safetensors", "layer_3.safetensors"],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        string config = File.ReadAllText(Path.Combine(folder, "config.yaml"));
        Assert.Contains("feature_input_hook: \"ln2.hook_normalized\"\n", config, StringComparison.Ordinal);
        Assert.Contains("\nk: 4\n", config, StringComparison.Ordinal);
        Cli graph = Cli.Run(
            "transcode", "graph", "--model", "demo", "--prompt", "The dog", "--transcoders", folder, "--threads", "1", "--out",
            _folder["g.json"]).Succeeds("24 active features");
        Assert.Contains("has no transcoder of layer 0, 2: there the whole MLP is error", graph.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stopped_run_goes_on_to_the_same_files()
    {
        string[] options = ["--tasks", "ioi", "--limit", "40", "--step-tokens", "100"];
        Train(options).Succeeds();
        Dictionary<string, byte[]> whole = Directory.GetFiles(_folder["set"]).ToDictionary(f => f, File.ReadAllBytes);
        Assert.Equal(5, whole.Count);
        Directory.Delete(_folder["set"], recursive: true);
        Cli.StoppedWhen(p => p.Done == 2, Line(options)).Fails(
            130, "stopped after 3 of 4 steps, kept in ", "training.safetensors; the same command with --resume goes on from there");
        Assert.Equal(_folder["set/training.safetensors"], Assert.Single(Directory.GetFiles(_folder["set"])));
        Fails(1, "holds the work of an earlier run: add --resume", Train(options));
        Fails(1, "belongs to another run: data was \"ioi\" there and is \"sva\" now",
            Train("--tasks", "sva", "--limit", "40", "--step-tokens", "100", "--resume"));
        Train([.. options, "--resume"]).Succeeds();
        Assert.Equal(whole.Keys.Order(StringComparer.Ordinal), Directory.GetFiles(_folder["set"]).Order(StringComparer.Ordinal));
        foreach ((string file, byte[] bytes) in whole) Assert.Equal(bytes, File.ReadAllBytes(file));
    }

    [Fact]
    public void What_cannot_be_used_is_refused_by_name()
    {
        string empty = _folder.Write("empty.txt", "\n \n");
        Fails(2, "either --data or --tasks", Train());
        Fails(2, "either --data or --tasks", Train("--data", empty, "--tasks", "ioi"));
        Fails(2, "--tasks ioo", Train("--tasks", "ioo"));
        Fails(2, "--active 4: there are only --features 3", Train("--tasks", "ioi", "--features", "3"));
        Fails(2, "--layer 4: the model has the layers 0 to 3", Train("--tasks", "ioi", "--layer", "4"));
        Fails(2, "--layer first: give all, or numbers", Train("--tasks", "ioi", "--layer", "first"));
        Fails(1, "holds no text", Train("--data", empty));
        Fails(1, "there is nothing to go on from", Train("--tasks", "ioi", "--limit", "4", "--resume"));
        _folder.Write("set/training.safetensors", "");
        Fails(1, "holds the work of an earlier run: add --resume", Train("--tasks", "ioi", "--limit", "4"));
        Fails(1, "too few for a safetensors file", Train("--tasks", "ioi", "--limit", "4", "--resume"));
    }

    private Cli Train(params string[] options) => Cli.Run(Line(options));

    private string[] Line(params string[] options) =>
    [
        "transcode", "train", "--model", "demo", "--device", "cpu", "--threads", "1", "--active", "4", "--steps", "4",
        "--out", _folder["set"], .. options.Contains("--features") ? [] : (string[])["--features", "24"], .. options,
    ];

    private static void Fails(int code, string part, Cli run)
    {
        Assert.True(run.ExitCode == code, $"{run.ExitCode}: {run.Error}");
        Assert.Contains(part, run.Error, StringComparison.Ordinal);
    }
}
