using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Host.Commands;

/// <summary>The directory of a vocabulary. One without weights is enough, which the search for models would pass over.</summary>
internal static class VocabularyDirectory
{
    private static readonly string[] s_files = ["tokenizer.json", "vocab.json"];

    public static string Find(string argument) =>
        s_files.Any(name => File.Exists(Path.Combine(argument, name))) ? argument : ModelLocator.Resolve(argument);
}
