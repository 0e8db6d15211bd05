namespace Gradpath.Host.Tests;

public sealed class FailureTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void A_missing_model_is_explained()
    {
        Cli.Run("score", "--model", "no-such-model", "--task", "ioi").Fails(1, "no-such-model");
        Cli.Run("info", "--model", model.Path("nothing-here")).Fails(1, "nothing-here");
    }

    [Fact]
    public void A_checkpoint_that_is_cut_off_is_explained()
    {
        string directory = model.Path("cut");
        Directory.CreateDirectory(directory);
        File.Copy(Path.Combine(model.ModelDirectory, "config.json"), Path.Combine(directory, "config.json"), overwrite: true);
        byte[] weights = File.ReadAllBytes(Path.Combine(model.ModelDirectory, "model.safetensors"));
        File.WriteAllBytes(Path.Combine(directory, "model.safetensors"), weights[..^100]);
        Cli.Run("score", "--model", directory, "--data", model.Pairs).Fails(1, "model.safetensors");
        Cli.Run("info", "--model", directory).Fails(1, "model.safetensors");
    }

    [Fact]
    public void Pairs_of_unequal_length_are_explained()
    {
        string data = model.Path("unequal.jsonl");
        File.WriteAllText(data, """
            {"clean_ids":[1,2,3],"corrupted_ids":[1,2,4],"answer_ids":[3],"wrong_answer_ids":[4]}
            {"clean_ids":[1,2,3],"corrupted_ids":[1,2],"answer_ids":[3],"wrong_answer_ids":[4]}
            """);
        Cli.Run("score", "--model", model.ModelDirectory, "--data", data).Fails(1, "unequal.jsonl", "2", "3");
    }

    [Fact]
    public void Missing_prompts_are_explained() =>
        Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Path("none.jsonl")).Fails(1, "none.jsonl");

    [Fact]
    public void A_stopped_run_leaves_nothing_behind()
    {
        string file = model.Path("stopped.json");
        using CancellationTokenSource stopped = new();
        stopped.Cancel();
        Cli.RunWith("", stopped.Token, "score", "--model", model.ModelDirectory, "--data", model.Pairs, "--out", file).Fails(
            130, "stopped");
        Assert.Empty(Directory.GetFiles(model.Folder, "stopped*"));
    }

    [Fact]
    public void A_failed_run_leaves_the_old_file()
    {
        string file = model.Path("old.json");
        File.WriteAllText(file, "old");
        string data = model.Path("wide.jsonl");
        File.WriteAllText(data, """{"clean_ids":[1,2,99],"corrupted_ids":[1,2,4],"answer_ids":[3],"wrong_answer_ids":[4]}""");
        Cli.Run("score", "--model", model.ModelDirectory, "--data", data, "--out", file).Fails(1, "99");
        Assert.Equal("old", File.ReadAllText(file));
    }
}
