using System.Security.Cryptography;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// Loads the prompts of a task: generated, from a published CSV file, or from the user's own JSONL file. Whatever the source, every pair
/// is checked: equal token counts, ids within the vocabulary, no longer than the model allows, answers there where the metric needs them.
/// </summary>
public static class PromptLoader
{
    // Names under which a task's file may lie in a directory, the most usual first.
    private static readonly string[] FileNames = ["gpt2.csv", "gpt2_regenerated.csv", "prompts.jsonl"];

    /// <summary>Whether a file of this name in a directory is read as prompts.</summary>
    internal static bool IsPrompts(string name) => FileNames.Contains(name);

    /// <summary>Loads and checks prompts.</summary>
    /// <param name="task">A task's name, or null for a JSONL file of the user's own.</param>
    /// <param name="dataPath">
    /// A .csv file (with <paramref name="task"/>), a .jsonl file, or a directory that holds <c>gpt2.csv</c> or a folder named for the task
    /// that does. Null: prompts are generated for <paramref name="task"/> with <see cref="PromptOptions.Seed"/>.
    /// </param>
    /// <param name="tokenizer">The model's vocabulary. Null is enough for JSONL files of token ids.</param>
    /// <param name="options">Limits and choices.</param>
    /// <param name="cancellation">Stops the work between prompts.</param>
    /// <returns>The prompts, in file order, ready for the model.</returns>
    /// <exception cref="OptionException">There is no such task.</exception>
    /// <exception cref="GradpathException">Anything that makes them unusable; names the file and the row.</exception>
    public static PromptSet Load(
        string? task, string? dataPath, BpeTokenizer? tokenizer, PromptOptions options, CancellationToken cancellation = default) =>
        LoadLazily(task, dataPath, tokenizer is null ? null : new Lazy<BpeTokenizer>(tokenizer), options, null, cancellation);

    /// <summary>Reads and checks prompts that a program has as JSON.</summary>
    /// <param name="json">An array of objects, or one object per line, as in files of prompts. UTF-8.</param>
    /// <param name="tokenizer">The model's vocabulary. Null is enough for token ids.</param>
    /// <param name="options">Limits and choices.</param>
    /// <param name="name">What results call the task, and messages the text.</param>
    /// <param name="cancellation">Stops the work between prompts.</param>
    /// <returns>The prompts in their order, ready for the model.</returns>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">Anything that makes them unusable; names the row.</exception>
    public static PromptSet Parse(
        ReadOnlyMemory<byte> json, BpeTokenizer? tokenizer, PromptOptions options, string name = "prompts",
        CancellationToken cancellation = default) =>
        ParseLazily(json, tokenizer is null ? null : new Lazy<BpeTokenizer>(tokenizer), options, name, cancellation);

    /// <summary>Reads prompts as <see cref="Parse"/> does. The tokenizer is only made where there is a text to encode.</summary>
    internal static PromptSet ParseLazily(
        ReadOnlyMemory<byte> json, Lazy<BpeTokenizer>? tokenizer, PromptOptions options, string name,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(name);
        PromptChoice.Check(options);
        PromptFile file = PromptFile.Of(name, json.ToArray());
        bool isArray = file.Text.Span.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
        var notes = new PromptNotes();
        var reader = new JsonPromptReader(file, tokenizer, options.AnswerReading, notes);
        return Check(file, null, null, isArray ? reader.ReadArray() : reader.ReadLines(), tokenizer, options, notes, null, cancellation);
    }

    /// <summary>Loads and checks prompts as <see cref="Load"/> does. The tokenizer is only made where there is a text to encode.</summary>
    internal static PromptSet LoadLazily(
        string? task, string? dataPath, Lazy<BpeTokenizer>? tokenizer, PromptOptions options, IProgress<int>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        PromptChoice.Check(options);
        var info = task is null ? null : TaskCatalog.Find(task);
        var metric = options.Metric ?? DefaultMetric(options, info);
        var notes = new PromptNotes();
        if (dataPath is null)
        {
            return Generate(
                info ?? throw new GradpathException("There are no prompts: name a task, a file of prompts, or both."),
                tokenizer?.Value ?? throw new GradpathException(
                    $"Prompts of {task} can be made only for a model with a vocabulary ({TokenizerFiles.Needed})."),
                options,
                metric,
                new PromptChecks(options, metric, tokenizer, notes),
                progress,
                cancellation);
        }

        var file = PromptFile.Read(FindFile(dataPath, info));
        IEnumerable<PromptRow> rows;
        string? name = null;
        if (Path.GetExtension(file.Path).Equals(".csv", StringComparison.OrdinalIgnoreCase) && PeapReader.Knows(file))
        {
            (file, var corrupted) = PeapReader.Both(file);
            rows = PeapReader.Read(file, corrupted, CsvTokenizer(file, tokenizer));
        }
        else
        {
            (rows, name) = ReadRows(file, info, tokenizer, options, metric, notes);
        }
        return Check(file, info, name, rows, tokenizer, options, notes, progress, cancellation);
    }

    private static PromptSet Check(
        PromptFile file, CircuitTask? info, string? task, IEnumerable<PromptRow> rows, Lazy<BpeTokenizer>? tokenizer, PromptOptions options,
        PromptNotes notes, IProgress<int>? progress, CancellationToken cancellation)
    {
        var metric = options.Metric ?? DefaultMetric(options, info);
        var ownMetric = false;
        rows = Stoppable(rows, cancellation);
        var choice = new PromptChoice(options);
        rows = choice.Of(file.Path, rows);
        if (options.Metric is null)
        {
            (var named, rows) = PromptMetric.Of(rows, options.AnswerReading);
            metric = named ?? metric;
            ownMetric = named is not null;
        }
        if (options is { Metric: null, MetricIsRead: false } && !ownMetric)
        {
            rows = rows.ToList();
            if (rows.Any(row => metric.LackOf(row.Pair) is not null))
                metric = BuiltInMetrics.KlDivergence;
        }

        var checks = new PromptChecks(options, metric, tokenizer, notes);
        var pairs = new List<PromptPair>();
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            pairs.Add(checks.Finish(row));
            if (pairs.Count % PromptOptions.ReportEvery == 0) progress?.Report(pairs.Count);
        }

        if (pairs.Count == 0)
            throw new GradpathException($"{file.Path}: the file holds no prompts.");
        var name = task ?? Path.GetFileNameWithoutExtension(file.Path);
        return checks.Complete(new PromptSet(name, metric, pairs, file.Path + choice.Words, file.Hash)
        {
            AnswerReading = options.AnswerReading,
            Corruption = options.HardCorruption ? info?.HardCorruptionColumn : null,
        });
    }

    // Reading takes as long as checking, and may come before all of it.
    private static IEnumerable<PromptRow> Stoppable(IEnumerable<PromptRow> rows, CancellationToken cancellation) => rows.Select(row =>
    {
        cancellation.ThrowIfCancellationRequested();
        return row;
    });

    // Where all tokens of an answer are judged, only the metric that can do so.
    private static Metric DefaultMetric(PromptOptions options, CircuitTask? task) =>
        options.AnswerReading == AnswerReading.Sequence ? BuiltInMetrics.LogProbability : task?.Metric ?? BuiltInMetrics.LogitDifference;

    private static PromptSet Generate(
        CircuitTask task, BpeTokenizer tokenizer, PromptOptions options, Metric metric, PromptChecks checks,
        IProgress<int>? progress, CancellationToken cancellation)
    {
        if (options.Sample is not null)
            throw GradpathException.Worded($"{Terms.Sample.With(options.Sample)} draws from a file; generated prompts are drawn already.");
        var count = options.Skip + (options.Limit ?? PromptOptions.DefaultCount);
        var choice = new PromptChoice(options);
        var generated = PromptGenerator.Generate(task.Name, tokenizer, count, options.Seed, progress, cancellation);
        PromptPair[] pairs = [.. choice.Of(task.Name, generated)];
        using var text = new MemoryStream();

        // Spans follow from the rest: the same prompts have the same hash whether a release names spans or not.
        PromptWriter.Write(text, [.. pairs.Select(pair => pair with { Spans = [] })], tokenizer);
        var source = $"generated: {task.Name}, count {count}, seed {options.Seed}{choice.Words}";
        return checks.Complete(new PromptSet(
            task.Name,
            metric,
            [.. pairs.Select(pair => checks.Finish(new PromptRow(pair, $"Prompt {pair.Id}", FromText: true)))],
            source,
            Convert.ToHexStringLower(SHA256.HashData(text.ToArray())))
        {
            Seed = options.Seed,
        });
    }

    private static string FindFile(string path, CircuitTask? task)
    {
        if (!Directory.Exists(path))
            return File.Exists(path) ? path : throw GradpathException.Worded($"{Terms.Data.With(path)}: no such file or directory.");

        var folders = task is null ? [path] : new[] { Path.Combine(path, task.Name), path };
        return folders.SelectMany(folder => FileNames.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists)
            ?? throw GradpathException.Worded($"{Terms.Data.With(path)}: holds no prompts; {Wanted(task)}.");
    }

    private static string Wanted(CircuitTask? task) =>
        $"none of {string.Join(", ", FileNames)} is there{(task is null ? "" : $", nor in a folder {task.Name} of it")}";

    private static BpeTokenizer CsvTokenizer(PromptFile file, Lazy<BpeTokenizer>? tokenizer) => tokenizer?.Value
        ?? throw new GradpathException(
            $"{file.Path}: a CSV file holds texts, and the model has no vocabulary to encode them ({TokenizerFiles.Needed}).");

    // The rows, and what results call the task where the file is of one.
    private static (IEnumerable<PromptRow> Rows, string? Task) ReadRows(
        PromptFile file, CircuitTask? task, Lazy<BpeTokenizer>? tokenizer, PromptOptions options, Metric metric,
        PromptNotes notes)
    {
        switch (Path.GetExtension(file.Path).ToUpperInvariant())
        {
            case ".JSONL":
                return (new JsonPromptReader(file, tokenizer, options.AnswerReading, notes).ReadLines(), task?.Name);
            case ".JSON":
                return (new JsonPromptReader(file, tokenizer, options.AnswerReading, notes).ReadArray(), task?.Name);
            case ".CSV":
                var csv = new CsvTaskReader(
                    task
                        ?? throw GradpathException.Worded(
                        $"{file.Path}: say with {Terms.Task} of which task the CSV file is; its columns differ from task to task."),
                    file,
                    CsvTokenizer(file, tokenizer),
                    options.HardCorruption,
                    notes,
                    (options.MetricIsRead || options.Metric is not null) && (metric.NeedsAnswers || metric.NeedsWrongAnswers));
                return (csv.Read(), csv.TaskName);
            default:
                throw new GradpathException($"{file.Path}: prompts are read from .csv, .jsonl and .json files.");
        }
    }
}
