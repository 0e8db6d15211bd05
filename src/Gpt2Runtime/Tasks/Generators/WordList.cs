using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Gradpath.Gpt2Runtime.Tasks.Generators;

/// <summary>Reads the word lists that are embedded in this library, one JSON file per task.</summary>
internal static class WordList
{
    /// <summary>Reads a list.</summary>
    /// <param name="task">The task's name.</param>
    /// <param name="type">How its words are read.</param>
    public static T Read<T>(string task, JsonTypeInfo<T> type)
    {
        using var stream = typeof(WordList).Assembly.GetManifestResourceStream($"Gradpath.Words.{task}.json")
            ?? throw new InvalidOperationException($"The word list of {task} is not embedded.");
        return JsonSerializer.Deserialize(stream, type)!;
    }
}
