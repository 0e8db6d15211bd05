using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Host.Tests;

public sealed class InfoTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Info_states_shape_and_graph() =>
        Cli.Run("info", "--model", model.ModelDirectory).Succeeds(
            "2 x 2", "8 (heads 4, MLPs 16)", "20 tokens", "gelu_new", "sha256:", "7, 15", "46", "CPU");

    [Fact]
    public void A_head_of_its_own_is_said_by_info_and_on_the_error_stream_by_what_runs_it()
    {
        string folder = model.Path("headed");
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(model.ModelDirectory, "config.json"), Path.Combine(folder, "config.json"), overwrite: true);
        using (SafetensorsFile file = SafetensorsFile.Open(Path.Combine(model.ModelDirectory, "model.safetensors")))
        {
            SafetensorsWriter writer = new();
            foreach (SafetensorsEntry entry in file.Entries.Values)
                writer.Add(entry.Name, file.ReadFloats(entry.Name), [.. entry.Shape.Select(extent => (int)extent)]);
            writer.Add("lm_head.weight", Array.ConvertAll(file.ReadFloats("transformer.wte.weight"), v => -v), 20, 8);
            writer.Write(Path.Combine(folder, "model.safetensors"));
        }
        const string Said = "warning: ";
        Cli info = Cli.Run("info", "--model", folder);
        Assert.Contains("its own", info.Out, StringComparison.Ordinal);
        Assert.Contains($"{Said}{Path.Combine(folder, "model.safetensors")}: lm_head.weight differs", info.Error, StringComparison.Ordinal);
        string[] score = ["score", "--method", "exact", "--data", model.Pairs, "--top", "1", "--model"];
        Cli own = Cli.Run([.. score, folder]), tied = Cli.Run([.. score, model.ModelDirectory]).Succeeds();
        Assert.Contains("lm_head.weight differs from the token embedding", own.Error, StringComparison.Ordinal);
        Assert.Single(own.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));

        // The head is the embedding with the other sign: so are the logits.
        Assert.Equal(-Clean(tied), Clean(own), 1e-4);
        static double Clean(Cli run) => double.Parse(
            System.Text.RegularExpressions.Regex.Match(run.Out, "logit-diff: clean (\\S+),").Groups[1].Value,
            System.Globalization.CultureInfo.InvariantCulture);
    }
}
