namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// Finds the directory that a model argument means. In this order:
/// <list type="number">
/// <item>a directory that exists and holds a config.json and weights;</item>
/// <item>for a plain name such as <c>demo</c> or <c>gpt2</c>: <c>models/NAME</c> in a folder at or above the program or the current
/// directory, where the demo model ships and the fetch script puts its downloads;</item>
/// <item>a model of the Hugging Face hub, such as <c>gpt2</c> or <c>openai-community/gpt2</c>, that another tool has left in the local
/// cache: where HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, TRANSFORMERS_CACHE, HF_HOME or XDG_CACHE_HOME say, or in the home directory. A
/// variable may begin with <c>~</c>.</item>
/// </list>
/// A folder that is not complete, such as one that a download was stopped in, hides no complete one. Nothing is ever downloaded.
/// </summary>
public static class ModelLocator
{
    /// <summary>What helps where a model is not found: a sentence without its stop.</summary>
    internal const string Advice =
        "GPT-2 models are fetched with weights-tools/fetch_gpt2.sh NAME (gpt2, gpt2-medium, gpt2-large, gpt2-xl, distilgpt2); the small "
        + "models 'demo' and 'saturated' come with the program";

    private const string Missing = " (no such directory)";

    // The hub moved these models under organisations; caches hold them under either name.
    private static readonly Dictionary<string, string> s_organisations = new(StringComparer.Ordinal)
    {
        ["gpt2"] = "openai-community",
        ["gpt2-medium"] = "openai-community",
        ["gpt2-large"] = "openai-community",
        ["gpt2-xl"] = "openai-community",
        ["distilgpt2"] = "distilbert",
    };

    // Variables that name a cache, with the folder below it where snapshots are. The second and third are older names of the first.
    private static readonly (string Variable, string Below)[] s_caches =
    [
        ("HF_HUB_CACHE", ""), ("HUGGINGFACE_HUB_CACHE", ""), ("TRANSFORMERS_CACHE", ""), ("HF_HOME", "hub"),
        ("XDG_CACHE_HOME", "huggingface/hub"),
    ];

    /// <summary>Finds a model's directory.</summary>
    /// <param name="argument">A directory, <c>demo</c>, or a hub name: <c>gpt2</c>, <c>openai-community/gpt2</c>, <c>distilgpt2</c>
    /// ...</param>
    /// <returns>The directory, as a full path. It is not opened: <see cref="Gpt2Checkpoint.Open"/> checks what is in it.</returns>
    /// <exception cref="GradpathException">There is no such model here; the message lists where it was looked for and how to fetch
    /// it.</exception>
    public static string Resolve(string argument) =>
        Resolve(argument, Environment.GetEnvironmentVariable, [AppContext.BaseDirectory, Environment.CurrentDirectory]);

    internal static string Resolve(string argument, Func<string, string?> environment, IReadOnlyList<string> roots)
    {
        List<string> tried = [];
        return Find(argument, environment, roots, tried) ?? throw new GradpathException(
            $"no model '{argument}' on this machine. Looked for:{string.Concat(tried.Select(t => $"\n  {t}"))}\n{Advice}.");
    }

    /// <summary>Finds a model's directory as <see cref="Resolve(string)"/> does, and says in which places it is not.</summary>
    /// <param name="argument">The model.</param>
    /// <param name="places">Gets the places.</param>
    /// <returns>The directory; null where there is no such model.</returns>
    /// <exception cref="GradpathException">The argument is no name and no directory.</exception>
    internal static string? Find(string argument, ICollection<string> places)
    {
        List<string> tried = [];
        string? found = Find(
            argument, Environment.GetEnvironmentVariable, [AppContext.BaseDirectory, Environment.CurrentDirectory], tried);
        foreach (string place in tried) places.Add(place.EndsWith(Missing, StringComparison.Ordinal) ? place[..^Missing.Length] : place);
        return found;
    }

    private static string? Find(
        string argument, Func<string, string?> environment, IReadOnlyList<string> roots, List<string> tried)
    {
        ArgumentNullException.ThrowIfNull(argument);
        if (string.IsNullOrWhiteSpace(argument))
            throw new GradpathException("the model is an empty string; give a directory, demo, or a name such as gpt2");
        if (File.Exists(argument))
            throw new GradpathException($"the model {argument} is a file; give the directory that holds config.json and model.safetensors");

        string asPath = Path.GetFullPath(argument);
        if (IsComplete(asPath)) return asPath;
        bool exists = Directory.Exists(asPath);
        tried.Add($"{asPath}{(exists ? $" ({Lack(asPath)})" : Missing)}");

        string[] parts = argument.Split('/');
        if (parts.Length <= 2 && parts.All(IsHubName))
        {
            string? found = (parts.Length == 1 ? FindAbove(roots, parts[0], tried) : null) ?? FindInCache(argument, environment, tried);
            if (found is not null) return found;
        }

        // Opening it tells what a model directory must hold.
        return exists ? asPath : null;
    }

    private static bool IsHubName(string part) =>
        part.Length > 0 && part is not ("." or "..") && part.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static string? FindAbove(IReadOnlyList<string> roots, string name, List<string> tried)
    {
        foreach (string root in roots.Select(Path.GetFullPath).Distinct())
        {
            for (DirectoryInfo? folder = new(root); folder is not null; folder = folder.Parent)
            {
                string candidate = Path.Combine(folder.FullName, "models", name);
                if (IsComplete(candidate)) return candidate;
                if (Directory.Exists(candidate)) tried.Add($"{candidate} ({Lack(candidate)})");
            }
            tried.Add($"models/{name} at or above {root}");
        }
        return null;
    }

    private static string? FindInCache(string argument, Func<string, string?> environment, List<string> tried)
    {
        foreach (string cache in Caches(environment).Distinct())
        {
            foreach (string repository in Repositories(argument))
            {
                string folder = Path.Combine(cache, "models--" + repository.Replace("/", "--", StringComparison.Ordinal));
                if (!Directory.Exists(folder))
                {
                    tried.Add($"{folder}{Missing}");
                    continue;
                }
                string? found = FindSnapshot(folder);
                if (found is not null) return found;
                tried.Add($"{folder} (holds no snapshot with config.json and model.safetensors)");
            }
        }
        return null;
    }

    private static IEnumerable<string> Caches(Func<string, string?> environment)
    {
        string? home = environment("HOME") is { Length: > 0 } h ? h : environment("USERPROFILE");
        foreach ((string variable, string below) in s_caches)
        {
            if (environment(variable) is { Length: > 0 } value) yield return Path.GetFullPath(Path.Combine(Expanded(value, home), below));
        }
        if (home is { Length: > 0 }) yield return Path.GetFullPath(Path.Combine(home, ".cache", "huggingface", "hub"));
    }

    // A shell expands ~ on a command line, but not in a file of variables.
    private static string Expanded(string path, string? home) =>
        home is { Length: > 0 } && (path == "~" || path.StartsWith("~/", StringComparison.Ordinal)) ? home + path[1..] : path;

    private static IEnumerable<string> Repositories(string argument)
    {
        yield return argument;
        string name = argument[(argument.IndexOf('/') + 1)..];
        if (!s_organisations.TryGetValue(name, out string? organisation)) yield break;
        if (name == argument) yield return $"{organisation}/{name}";
        else if (argument == $"{organisation}/{name}") yield return name;
    }

    // refs/main names the current snapshot. Without it (a partial copy of a cache) the newest complete snapshot serves.
    private static string? FindSnapshot(string folder)
    {
        string snapshots = Path.Combine(folder, "snapshots");
        if (!Directory.Exists(snapshots)) return null;
        string main = Path.Combine(folder, "refs", "main");
        if (File.Exists(main))
        {
            string current = Path.Combine(snapshots, Reference(main));
            if (IsComplete(current)) return current;
        }
        return Directory.EnumerateDirectories(snapshots).Where(IsComplete).OrderByDescending(Directory.GetLastWriteTimeUtc)
            .FirstOrDefault();
    }

    private static string Reference(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw UnreadableFile.Of(file, e);
        }
    }

    private static string Lack(string folder) =>
        File.Exists(Path.Combine(folder, "config.json")) ? "holds no model.safetensors" : "holds no config.json";

    /// <summary>Whether a directory holds a model, by the names of its files.</summary>
    /// <param name="snapshot">The directory, which need not be there.</param>
    internal static bool IsComplete(string snapshot) =>
        File.Exists(Path.Combine(snapshot, "config.json"))
        && (File.Exists(Path.Combine(snapshot, "model.safetensors"))
            || File.Exists(Path.Combine(snapshot, "model.safetensors.index.json")));
}
