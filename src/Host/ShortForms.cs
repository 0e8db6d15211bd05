namespace Gradpath.Host;

/// <summary>Command lines as people write them, for those that the program's table of verbs knows under a longer form.</summary>
internal static class ShortForms
{
    private static readonly string[] s_words = ["status", "retry", "merge", "submit"];
    private static readonly string[] s_transcode = ["train", "graph"];
    private static readonly string[] s_named = ["dump", "run"], s_bare = ["list", "compile"];

    /// <summary>The words that may follow <c>sweep</c>.</summary>
    public static IReadOnlyList<string> SweepWords => s_words;

    /// <summary>The long form of a command line.</summary>
    /// <param name="args">The command line without the program's name.</param>
    public static string[] Long(string[] args) => args switch
    {
        // "completion bash" is short for "completion --shell bash", "reproduce ioi" for "reproduce --study ioi".
        ["completion", [not '-', ..] shell, .. var others] => ["completion", "--shell", shell, .. others],
        ["reproduce", [not '-', ..] study, .. var others] => ["reproduce", "--study", study, .. others],

        // "convert a.json b.json" is short for "convert --in a.json,b.json", and "compare" likewise for its "--files".
        ["convert", [not '-', ..], ..] => Listed(args, "--in"),
        ["compare", [not '-', ..], ..] => Listed(args, "--files"),

        // "make-model list" for "make-model --list", "make-model NAME" for "make-model --program NAME".
        ["make-model", "list", .. var others] => ["make-model", "--list", .. others],
        ["make-model", [not '-', ..] program, .. var others] => ["make-model", "--program", program, .. others],

        // "benchmark --ground-truth" without the name of a circuit for "ground-truth".
        ["benchmark", .. var others] when BareTruth(others) is var at and >= 0 =>
            ["ground-truth", .. others[..at], .. others[(at + 1)..]],

        // "kernels dump NAME" for "kernels --dump NAME", "kernels list" for "kernels --list".
        ["kernels", { } word, [not '-', ..] name, .. var others] when s_named.Contains(word) => ["kernels", $"--{word}", name, .. others],
        ["kernels", { } word, .. var others] when s_named.Contains(word) || s_bare.Contains(word) => ["kernels", $"--{word}", .. others],

        // A word that should have been one of those: the parser says which option is near.
        ["kernels", [not '-', ..] word, .. var others] when word.All(char.IsAsciiLetter) => ["kernels", $"--{word}", .. others],

        // "transcode graph" for "transcode-graph". Of another word the table of verbs says which is near.
        ["transcode", [not '-', ..] word, .. var others] when word.All(char.IsAsciiLetter) => [$"transcode-{word}", .. others],

        // "sweep status DIR" for "sweep-status --dir DIR".
        ["sweep", { } word, [not '-', ..] folder, .. var others] when s_words.Contains(word) =>
            [$"sweep-{word}", "--dir", folder, .. others],
        ["sweep", { } word, .. var others] when s_words.Contains(word) => [$"sweep-{word}", .. others],

        // A word that should have been one of those: the table of verbs says which.
        ["sweep", { } word, [not '-', ..], ..] when word.All(char.IsAsciiLetter) && !Path.Exists(word) =>
            [$"sweep-{word}", .. args[2..]],
        ["sweep", [not '-', ..] plan, .. var others] => ["sweep", "--plan", plan, .. others],
        _ => args,
    };

    // Where the option stands without a value; -1 where it does not.
    private static int BareTruth(string[] words)
    {
        int at = Array.IndexOf(words, "--ground-truth");
        return at >= 0 && (at + 1 == words.Length || words[at + 1].StartsWith('-')) ? at : -1;
    }

    /// <summary>The short form of an example.</summary>
    /// <param name="line">The long form.</param>
    public static string Short(string line)
    {
        List<string> words = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        if (words.Count < 2) return line;
        if (words[1] == "kernels" && words.Count > 2 && (s_named.Contains(words[2][2..]) || s_bare.Contains(words[2][2..])))
        {
            words[2] = words[2][2..];
            return Joined(line, words);
        }
        if (s_transcode.FirstOrDefault(w => words[1] == $"transcode-{w}") is { } transcoders)
        {
            words[1] = $"transcode {transcoders}";
            return Joined(line, words);
        }
        if (words[1] == "ground-truth") return Joined(line, [words[0], "benchmark", "--ground-truth", .. words[2..]]);
        if (words[1] == "make-model" && words.Remove("--list"))
        {
            words.Insert(2, "list");
            return Joined(line, words);
        }
        string? word = s_words.FirstOrDefault(w => words[1] == $"sweep-{w}");
        string? option = word is not null ? "--dir" : words[1] switch
        {
            "completion" => "--shell",
            "convert" => "--in",
            "reproduce" => "--study",
            "make-model" => "--program",
            "sweep" => "--plan",
            _ => null,
        };
        int at = option is null ? -1 : words.IndexOf(option);
        if (at < 0 || at + 1 >= words.Count) return line;
        string value = words[at + 1];
        words.RemoveRange(at, 2);
        words.Insert(2, value);
        if (word is not null) words[1] = $"sweep {word}";
        return Joined(line, words);
    }

    private static string[] Listed(string[] args, string option)
    {
        string[] files = [.. args.Skip(1).TakeWhile(a => !a.StartsWith('-'))];
        return [args[0], option, string.Join(',', files), .. args[(files.Length + 1)..]];
    }

    private static string Joined(string line, List<string> words) =>
        line[..(line.Length - line.TrimStart().Length)] + string.Join(' ', words);
}
