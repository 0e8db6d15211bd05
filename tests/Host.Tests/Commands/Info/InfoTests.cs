namespace Gradpath.Host.Tests;

public sealed class InfoTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Info_states_shape_and_graph() =>
        Cli.Run("info", "--model", model.ModelDirectory).Succeeds(
            "2 x 2", "8 (heads 4, MLPs 16)", "20 tokens", "gelu_new", "sha256:", "7, 15", "46", "CPU");
}
