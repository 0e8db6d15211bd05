using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Tests.Checkpoints;

/// <summary>Model arguments against made-up program folders and hub caches.</summary>
public sealed class ModelLocatorTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string> _environment = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_directory_is_itself()
    {
        string model = Model("somewhere/my model");
        Assert.Equal(model, Resolve(model));
    }

    [Fact]
    public void A_directory_without_a_config_is_left_to_the_loader_to_explain()
    {
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Equal(_folder["empty"], Resolve(_folder["empty"]));
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("gpt2")]
    public void A_name_is_looked_for_in_models_above_the_program(string name)
    {
        string model = Model($"repo/models/{name}");
        Directory.CreateDirectory(_folder["repo/src/bin/Debug"]);
        Assert.Equal(model, Resolve(name, "repo/src/bin/Debug"));
    }

    [Theory]
    [InlineData("HF_HUB_CACHE", "cache", "cache")]
    [InlineData("HUGGINGFACE_HUB_CACHE", "cache", "cache")]
    [InlineData("TRANSFORMERS_CACHE", "cache", "cache")]
    [InlineData("HF_HOME", "hf", "hf/hub")]
    [InlineData("XDG_CACHE_HOME", "xdg", "xdg/huggingface/hub")]
    [InlineData("HOME", "home", "home/.cache/huggingface/hub")]
    public void The_hub_cache_is_where_the_environment_says(string variable, string value, string cache)
    {
        _environment[variable] = _folder[value];
        string model = Snapshot(cache, "models--gpt2");
        Assert.Equal(model, Resolve("gpt2"));
    }

    [Theory]
    [InlineData("HF_HUB_CACHE", "~/hub", "home/hub")]
    [InlineData("HUGGINGFACE_HUB_CACHE", "~/hub", "home/hub")]
    [InlineData("TRANSFORMERS_CACHE", "~", "home")]
    [InlineData("HF_HOME", "~/hf", "home/hf/hub")]
    [InlineData("XDG_CACHE_HOME", "~/.c", "home/.c/huggingface/hub")]
    public void A_tilde_is_the_home_directory(string variable, string value, string cache)
    {
        _environment["HOME"] = _folder["home"];
        _environment[variable] = value;
        Assert.Equal(Snapshot(cache, "models--gpt2"), Resolve("gpt2"));
    }

    [Fact]
    public void A_download_that_was_stopped_hides_no_complete_model()
    {
        _environment["HF_HUB_CACHE"] = _folder["cache"];
        _folder.Write("repo/models/gpt2/config.json", "{}");
        _folder.Write("repo/models/gpt2/model.safetensors.part", "");
        GradpathException e = Assert.Throws<GradpathException>(() => Resolve("gpt2", "repo"));
        Assert.Contains($"{_folder["repo/models/gpt2"]} (holds no model.safetensors)", e.Message, StringComparison.Ordinal);
        Assert.Equal(Snapshot("cache", "models--gpt2"), Resolve("gpt2", "repo"));
        Assert.Equal(_folder["repo/models/gpt2"], Resolve(_folder["repo/models/gpt2"]));
    }

    [Theory]
    [InlineData("gpt2", "models--gpt2")]
    [InlineData("gpt2", "models--openai-community--gpt2")]
    [InlineData("gpt2-xl", "models--openai-community--gpt2-xl")]
    [InlineData("openai-community/gpt2", "models--openai-community--gpt2")]
    [InlineData("openai-community/gpt2", "models--gpt2")]
    [InlineData("distilgpt2", "models--distilbert--distilgpt2")]
    [InlineData("distilbert/distilgpt2", "models--distilgpt2")]
    [InlineData("someone/else.v2", "models--someone--else.v2")]
    public void A_hub_name_finds_its_repository_under_both_names(string argument, string repository)
    {
        _environment["HF_HUB_CACHE"] = _folder["cache"];
        Assert.Equal(Snapshot("cache", repository), Resolve(argument));
    }

    [Fact]
    public void Another_organisations_model_of_the_same_name_is_not_taken()
    {
        _environment["HF_HUB_CACHE"] = _folder["cache"];
        Snapshot("cache", "models--gpt2");
        Snapshot("cache", "models--someone--gpt2");
        Assert.Throws<GradpathException>(() => Resolve("other/gpt2"));
    }

    [Fact]
    public void The_main_reference_decides_between_snapshots_and_an_incomplete_one_is_passed_over()
    {
        _environment["HF_HUB_CACHE"] = _folder["cache"];
        string old = Snapshot("cache", "models--gpt2", "aaa");
        string current = Snapshot("cache", "models--gpt2", "bbb");
        Directory.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddMinutes(5));
        Assert.Equal(current, Resolve("gpt2"));
        File.Delete(Path.Combine(current, "model.safetensors"));
        Assert.Equal(old, Resolve("gpt2"));
        File.Delete(Path.Combine(old, "config.json"));
        GradpathException e = Assert.Throws<GradpathException>(() => Resolve("gpt2"));
        Assert.Contains("holds no snapshot with config.json and model.safetensors", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_tried_is_listed_with_the_way_to_fetch_it()
    {
        _environment["HF_HOME"] = _folder["hf"];
        GradpathException e = Assert.Throws<GradpathException>(() => Resolve("gpt2-medium"));
        Assert.Contains(_folder["hf/hub/models--openai-community--gpt2-medium"], e.Message, StringComparison.Ordinal);
        Assert.Contains("models/gpt2-medium at or above", e.Message, StringComparison.Ordinal);
        Assert.Contains("weights-tools/fetch_gpt2.sh", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("../nowhere")]
    [InlineData("a/b/c")]
    [InlineData("/no/such/place")]
    public void Nonsense_is_refused(string argument) => Assert.Throws<GradpathException>(() => Resolve(argument));

    [Fact]
    public void A_file_is_not_a_model()
    {
        string file = Path.Combine(Model("m"), "config.json");
        Assert.Contains("is a file", Assert.Throws<GradpathException>(() => Resolve(file)).Message, StringComparison.Ordinal);
    }

    private string Resolve(string argument, string root = "") =>
        ModelLocator.Resolve(argument, _environment.GetValueOrDefault, [_folder[root]]);

    private string Model(string relative)
    {
        Directory.CreateDirectory(_folder[relative]);
        File.WriteAllText(Path.Combine(_folder[relative], "config.json"), "{}");
        File.WriteAllText(Path.Combine(_folder[relative], "model.safetensors"), "");
        return _folder[relative];
    }

    private string Snapshot(string cache, string repository, string revision = "607a30d")
    {
        string model = Model($"{cache}/{repository}/snapshots/{revision}");
        Directory.CreateDirectory(_folder[$"{cache}/{repository}/refs"]);
        File.WriteAllText(_folder[$"{cache}/{repository}/refs/main"], revision + "\n");
        return model;
    }
}
