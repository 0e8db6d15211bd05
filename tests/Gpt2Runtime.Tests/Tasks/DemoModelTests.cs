using System.Text.Json;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Tasks;

/// <summary>
/// What the shipped demo model promises to the tasks: a vocabulary that fits its config, and prompts that fit its positions.
/// </summary>
public sealed class DemoModelTests
{
    private static readonly string Model = RepositoryFiles.DemoModel;

    [Fact]
    public void Directory_is_small_and_complete()
    {
        string[] names = ["README.md", "config.json", "merges.txt", "model.safetensors", "vocab.json"];
        Assert.Equal(names, Directory.GetFiles(Model).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.InRange(Directory.GetFiles(Model).Sum(path => new FileInfo(path).Length), 1, 10_000_000);
    }

    [Theory]
    [MemberData(nameof(TaskCatalogTests.Names), MemberType = typeof(TaskCatalogTests))]
    public void Generated_prompts_fit_the_model(string task)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Model, "config.json")));
        var vocabulary = config.RootElement.GetProperty("vocab_size").GetInt32();
        Assert.Equal(vocabulary, Tokenizers.Demo.VocabularySize);
        Assert.Equal(config.RootElement.GetProperty("bos_token_id").GetInt32(), Tokenizers.Demo.BeginToken!.Id);
        var options = new PromptOptions
        {
            Vocabulary = vocabulary,
            Positions = config.RootElement.GetProperty("n_positions").GetInt32(),
            Limit = 500
        };
        Assert.Equal(500, PromptLoader.Load(task, null, Tokenizers.Demo, options).Pairs.Count);
    }
}
