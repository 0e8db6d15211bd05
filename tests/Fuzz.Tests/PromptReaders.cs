using System.Text;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Fuzz.Tests;

/// <summary>Files of prompts: JSON lines, a JSON array, and the CSV files of the tasks.</summary>
internal static class PromptReaders
{
    private const int Rows = 4;
    private const int Verbs = 60;

    private static readonly string[] s_lines =
    [
        """{"clean": "The cat", "corrupted": "The dog", "answers": [" sat"], "wrong_answers": [" ran"], "id": "a", "label": "x=1"}""",
        """{"clean_ids": [1, 2, 3], "corrupted_ids": [1, 4, 3], "answer_ids": [5], "wrong_answer_ids": [6, 7]}""",
        """{"clean": "When Mary", "corrupted": "When John", "answers": [" he"], "wrong_answers": [" she"], "positions": {"S1": 1}}""",
    ];

    /// <summary>The readers.</summary>
    public static IReadOnlyList<FuzzReader> All { get; } =
    [
        Of("prompts-jsonl", "prompts.jsonl", null, Encoding.UTF8.GetBytes(string.Join('\n', s_lines) + "\n")),
        Of("prompts-json", "prompts.json", null, Encoding.UTF8.GetBytes($"[{string.Join(",\n", s_lines)}]")),
        .. TaskCatalog.All.Select(task => new FuzzReader($"csv-{task.Name}", "prompts.csv", folder =>
        {
            string data = RepositoryFiles.Data($"tasks/{task.Name}");
            foreach (string file in Directory.GetFiles(data))
                File.WriteAllBytes(Path.Combine(folder, Path.GetFileName(file)), FirstLines(file, Verbs));
            string[] files = [.. Directory.GetFiles(data, "gpt2*.csv").Order(StringComparer.Ordinal)];
            return Target([.. files.Select(csv => FirstLines(csv, Rows + 1))], task.Name);
        })),
        new("verb-list", "combined_verb_list.csv", folder =>
        {
            string data = RepositoryFiles.Data("tasks/sva"), prompts = Path.Combine(folder, "gpt2.csv");
            File.WriteAllBytes(prompts, FirstLines(Path.Combine(data, "gpt2.csv"), Rows + 1));
            byte[] sound = FirstLines(Path.Combine(data, "combined_verb_list.csv"), Verbs);
            return new FuzzTarget([sound], _ => Load(prompts, "sva"));
        }),
    ];

    private static FuzzReader Of(string name, string file, string? task, params byte[][] samples) =>
        new(name, file, _ => Target(samples, task));

    private static FuzzTarget Target(IReadOnlyList<byte[]> samples, string? task) => new(samples, path => Load(path, task));

    private static void Load(string path, string? task) => PromptLoader.Load(
        task, path, Tokenizers.Gpt2, new PromptOptions { Vocabulary = 50257, Positions = 1024, Metric = BuiltInMetrics.KlDivergence });

    private static byte[] FirstLines(string path, int count) =>
        Encoding.UTF8.GetBytes(string.Concat(File.ReadLines(path).Take(count).Select(line => line + "\n")));
}
