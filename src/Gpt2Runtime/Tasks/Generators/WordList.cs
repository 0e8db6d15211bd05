using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Tasks.Generators;

/// <summary>Reads the word lists that are embedded in this library, one JSON file per task.</summary>
internal static class WordList
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public static T Read<T>(string task)
    {
        using var stream = typeof(WordList).Assembly.GetManifestResourceStream($"Gradpath.Words.{task}.json")
            ?? throw new InvalidOperationException($"The word list of {task} is not embedded.");
        return JsonSerializer.Deserialize<T>(stream, Options)!;
    }
}
