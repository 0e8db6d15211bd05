using System.Globalization;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>Where a plan is from, for messages about what only a model or prompts can tell.</summary>
/// <param name="File">The file, as messages have it; empty where there is none.</param>
/// <param name="Lines">The lines of keys and of models, from 1, such as those of <c>evaluate</c>, <c>sizes: edges</c> and
/// <c>models: demo</c>.</param>
internal sealed record PlanSource(string File, IReadOnlyDictionary<string, int> Lines)
{
    /// <summary>Of a plan that no file has.</summary>
    public static PlanSource None { get; } = new("", new Dictionary<string, int>());

    /// <summary>The folder that files and models are looked for in first; null where there is no file.</summary>
    public string? Folder => File.Length == 0 ? null : Path.GetDirectoryName(Path.GetFullPath(File));

    /// <summary>The key under which <see cref="Lines"/> has the line of a model.</summary>
    /// <param name="model">The model, as the plan has it.</param>
    public static string KeyOf(string model) => $"models: {model}";

    /// <summary>The message that a value cannot be used.</summary>
    /// <param name="key">The keys that lead to it, such as <c>sizes: edges</c>.</param>
    /// <param name="what">What is wrong and what would be right.</param>
    /// <param name="inner">What was caught, if anything.</param>
    public GradpathException Fault(string key, string what, Exception? inner = null) =>
        Fault(Lines.GetValueOrDefault(key), key, what, inner);

    /// <summary>The same where the line is known.</summary>
    /// <param name="line">The line; 0 where it is not known.</param>
    /// <param name="key">The keys that lead to it.</param>
    /// <param name="what">What is wrong and what would be right.</param>
    /// <param name="inner">What was caught, if anything.</param>
    public GradpathException Fault(int line, string key, string what, Exception? inner = null)
    {
        string place = File.Length == 0 ? "" : line == 0 ? $"{File}: " : string.Create(CultureInfo.InvariantCulture, $"{File}:{line}: ");
        return new GradpathException($"{place}{key}: {what}", inner);
    }

    /// <summary>The same of a model, with its own line.</summary>
    /// <param name="model">The model, as the plan has it.</param>
    /// <param name="what">What is wrong and what would be right.</param>
    /// <param name="inner">What was caught, if anything.</param>
    public GradpathException ModelFault(string model, string what, Exception? inner = null) =>
        Fault(Lines.GetValueOrDefault(KeyOf(model)), "models", what, inner);
}
