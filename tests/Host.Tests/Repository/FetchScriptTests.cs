using System.Security.Cryptography;

namespace Gradpath.Host.Tests;

/// <summary>weights-tools/fetch_gpt2.sh against a hub of the test's own: what it leaves on disk, and when it refuses.</summary>
public sealed class FetchScriptTests : IDisposable
{
    private static readonly Dictionary<string, byte[]> s_content = new()
    {
        ["vocab.json"] = "{\"a\": 0}"u8.ToArray(),
        ["merges.txt"] = "#version: 0.2\n"u8.ToArray(),
        ["model.safetensors"] = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7 / 3))],
        ["config.json"] = "{\"model_type\": \"gpt2\"}\n"u8.ToArray(),
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("gradpath-fetch-").FullName;
    private readonly FakeHub _hub = new(s_content);

    // Caches and tokens of whoever runs the tests are none of theirs.
    private readonly Dictionary<string, string?> _environment = new()
    {
        ["HOME"] = "/nowhere",
        ["HF_TOKEN"] = null,
        ["HF_HOME"] = null,
        ["HF_HUB_CACHE"] = null,
        ["HUGGINGFACE_HUB_CACHE"] = null,
        ["TRANSFORMERS_CACHE"] = null,
        ["XDG_CACHE_HOME"] = null,
    };

    public void Dispose()
    {
        _hub.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [SkippableFact]
    public void Fetches_and_verifies_all_files_and_a_second_run_needs_no_network()
    {
        Succeeds("gpt2");
        CheckAllFiles();
        _hub.Requests.Clear();
        string log = Succeeds("gpt2");
        Assert.Empty(_hub.Requests);
        Assert.Equal(4, log.Split("already here, verified").Length - 1);
        CheckAllFiles();
    }

    [SkippableFact]
    public void The_checksum_list_is_what_sha256sum_makes()
    {
        Succeeds("gpt2");
        IEnumerable<string> expected = s_content.Select(f => $"{Convert.ToHexStringLower(SHA256.HashData(f.Value))}  {f.Key}");
        Assert.Equal(expected, File.ReadAllLines(At("SHA256SUMS")));
    }

    [SkippableFact]
    public void A_cut_connection_is_resumed_in_the_same_run()
    {
        _hub.Cuts = 1;
        Succeeds("gpt2");
        CheckAllFiles();
        Assert.Contains("GET /storage/model.safetensors bytes=150000-", _hub.Requests);
    }

    [SkippableFact]
    public void A_cut_download_leaves_only_a_part_that_the_next_run_resumes()
    {
        _hub.Cuts = 1;
        string log = Fails("--retries", "0", "gpt2");
        Assert.Contains("run the same command again to go on", log, StringComparison.Ordinal);
        Assert.False(File.Exists(At("model.safetensors")) || File.Exists(At("config.json")), "it looks like a model");
        Assert.Equal(s_content["model.safetensors"][..150_000], File.ReadAllBytes(At("model.safetensors.part")));
        _hub.Requests.Clear();
        Succeeds("gpt2");
        CheckAllFiles();
        Assert.Contains("GET /storage/model.safetensors bytes=150000-", _hub.Requests);
        Assert.DoesNotContain(_hub.Requests, r => r.EndsWith("vocab.json", StringComparison.Ordinal));
    }

    [SkippableFact]
    public void A_complete_part_is_verified_without_another_download()
    {
        File.WriteAllBytes(At("model.safetensors.part"), s_content["model.safetensors"]);
        Succeeds("gpt2");
        CheckAllFiles();
        Assert.DoesNotContain(_hub.Requests, r => r.StartsWith("GET /storage/", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData(100)]
    [InlineData(300_000)]
    [InlineData(400_000)]
    public void A_part_that_belongs_to_another_file_is_thrown_away(int length)
    {
        File.WriteAllBytes(At("model.safetensors.part"), new byte[length]);
        Succeeds("gpt2");
        CheckAllFiles();
    }

    [SkippableFact]
    public void A_server_without_ranges_is_asked_from_the_start()
    {
        _hub.Cuts = 1;
        _hub.IgnoresRanges = true;
        Succeeds("gpt2");
        CheckAllFiles();
    }

    [SkippableFact]
    public void A_busy_server_is_asked_again()
    {
        _hub.Failures = 1;
        Succeeds("gpt2");
        CheckAllFiles();
    }

    [SkippableTheory]
    [InlineData("model.safetensors")]
    [InlineData("vocab.json")]
    [InlineData("config.json")]
    public void A_file_with_a_wrong_checksum_is_not_kept(string name)
    {
        _hub.Corrupted.Add(name);
        string log = Fails("gpt2");
        Assert.Contains($"{name}: wrong checksum; the hub states ", log, StringComparison.Ordinal);
        Assert.False(File.Exists(At(name)));
        Assert.False(File.Exists(At(name + ".part")));
    }

    [SkippableTheory]
    [InlineData("model.safetensors")]
    [InlineData("merges.txt")]
    public void A_file_without_a_stated_checksum_is_not_fetched(string name)
    {
        _hub.Unstated.Add(name);
        Assert.Contains("refusing to fetch what cannot be verified", Fails("gpt2"), StringComparison.Ordinal);
        Assert.DoesNotContain(
            _hub.Requests, r => r.StartsWith("GET", StringComparison.Ordinal) && r.Contains(name, StringComparison.Ordinal));
        Assert.False(File.Exists(At(name)));
    }

    [SkippableFact]
    public void A_file_that_was_damaged_since_is_fetched_again()
    {
        Succeeds("gpt2");
        File.AppendAllText(At("vocab.json"), "x");
        Assert.Contains("vocab.json: does not match SHA256SUMS any more", Succeeds("gpt2"), StringComparison.Ordinal);
        CheckAllFiles();
    }

    [SkippableFact]
    public void A_file_from_elsewhere_is_checked_and_a_foreign_one_is_left_alone()
    {
        File.WriteAllBytes(At("vocab.json"), s_content["vocab.json"]);
        File.WriteAllText(At("merges.txt"), "mine");
        string log = Fails("gpt2");
        Assert.Contains("vocab.json: already here, verified", log, StringComparison.Ordinal);
        Assert.Contains("exists and is not the hub's merges.txt", log, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(At("merges.txt")));
    }

    [SkippableFact]
    public void A_model_that_the_hub_lacks_is_an_error()
    {
        string log = Fails("gpt2-medium");
        Assert.Contains("HTTP 404", log, StringComparison.Ordinal);
        Assert.Contains("openai-community/gpt2-medium", log, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [SkippableFact]
    public void A_download_ends_at_the_stated_size()
    {
        _hub.Surplus = 4_000_000;
        Succeeds("gpt2");
        CheckAllFiles();
    }

    [SkippableFact]
    public void A_folder_that_was_made_for_nothing_is_gone()
    {
        string folder = At("new");
        Fails("--out", folder, "gpt2-medium");
        Assert.False(Directory.Exists(folder));
        Succeeds("--out", folder, "gpt2");
        Assert.True(File.Exists(Path.Combine(folder, "config.json")));
    }

    [SkippableFact]
    public void A_token_is_sent_to_the_hub_and_to_nobody_else()
    {
        _hub.Token = "hf_abc123";
        Assert.Contains("put a token that may read it into HF_TOKEN", Fails("gpt2"), StringComparison.Ordinal);
        _environment["HF_TOKEN"] = "hf_other";
        Assert.Contains("the token in HF_TOKEN may not read it", Fails("gpt2"), StringComparison.Ordinal);
        _environment["HF_TOKEN"] = _hub.Token;
        Succeeds("gpt2");
        CheckAllFiles();
        Assert.All(_hub.Authorizations, sent => Assert.StartsWith("127.0.0.1:", sent, StringComparison.Ordinal));
        _environment["HF_TOKEN"] = "a\nb";
        Assert.Contains("HF_TOKEN holds characters that no token has", Fails("gpt2"), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("HF_HUB_CACHE", "~/hub", "hub", "models--openai-community--gpt2")]
    [InlineData("HUGGINGFACE_HUB_CACHE", "", "hub", "models--gpt2")]
    [InlineData("TRANSFORMERS_CACHE", "", "hub", "models--gpt2")]
    [InlineData("HF_HOME", "~/hf", "hf/hub", "models--openai-community--gpt2")]
    [InlineData("XDG_CACHE_HOME", "~/.x", ".x/huggingface/hub", "models--gpt2")]
    [InlineData("HOME", "", ".cache/huggingface/hub", "models--gpt2")]
    public void What_the_cache_holds_is_copied_and_what_differs_there_is_fetched(string variable, string value, string cache, string name)
    {
        using TempFolder home = new();
        _environment["HOME"] = home.Path;
        if (variable != "HOME") _environment[variable] = value.Length > 0 ? value : home[cache];
        string snapshot = Path.Combine(home[cache], name, "snapshots", "607a30d");
        Directory.CreateDirectory(snapshot);
        File.WriteAllBytes(Path.Combine(snapshot, "model.safetensors"), s_content["model.safetensors"]);
        File.WriteAllText(Path.Combine(snapshot, "vocab.json"), "{}");
        string log = Succeeds("gpt2");
        CheckAllFiles();
        Assert.Contains($"model.safetensors: copied from {snapshot}/model.safetensors, verified", log, StringComparison.Ordinal);
        Assert.Contains("vocab.json: fetching", log, StringComparison.Ordinal);
        Assert.DoesNotContain(_hub.Requests, r => r.StartsWith("GET /storage/", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData("unknown model 'gpt3'", "gpt3")]
    [InlineData("unknown model '../../etc'", "../../etc")]
    [InlineData("unknown option --quick", "--quick", "gpt2")]
    [InlineData("one model at a time", "gpt2", "gpt2-xl")]
    [InlineData("--retries x: a whole number", "--retries", "x", "gpt2")]
    [InlineData("--endpoint ftp://h: an address", "--endpoint", "ftp://h", "gpt2")]
    [InlineData("usage:")]
    public void A_wrong_command_line_is_explained(string message, params string[] arguments)
    {
        Assert.Contains(message, Fails(arguments), StringComparison.Ordinal);
        Assert.Empty(_hub.Requests);
    }

    [SkippableFact]
    public void A_hub_that_does_not_answer_is_an_error()
    {
        _hub.Dispose();
        Assert.Contains("no answer from http://127.0.0.1", Fails("--retries", "0", "gpt2"), StringComparison.Ordinal);
    }

    private string At(string name) => Path.Combine(_folder, name);

    private void CheckAllFiles()
    {
        foreach ((string name, byte[] content) in s_content) Assert.Equal(content, File.ReadAllBytes(At(name)));
        Assert.Equal(s_content.Count + 1, Directory.GetFiles(_folder).Length);
    }

    private string Succeeds(params string[] arguments)
    {
        (int code, string log) = Run(arguments);
        Assert.True(code == 0, $"exit code {code}\n{log}");
        return log;
    }

    private string Fails(params string[] arguments)
    {
        (int code, string log) = Run(arguments);
        Assert.True(code != 0, $"no error\n{log}");
        return log;
    }

    private (int Code, string Log) Run(string[] arguments)
    {
        ShellRun.Require("bash", "curl");
        ShellRun run = ShellRun.Of(
            _folder, new Dictionary<string, string?>(_environment) { ["HF_ENDPOINT"] = _hub.Url }, "bash",
            [Script(), "--out", _folder, .. arguments]);
        return (run.ExitCode, run.Error);
    }

    private static string Script() => Path.Combine(RepositoryFiles.Root, "weights-tools", "fetch_gpt2.sh");
}
