using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Host.Options;

/// <summary>The directory of a vocabulary. One without weights is enough, which the search for models would pass over.</summary>
internal static class VocabularyDirectory
{
    public static string Find(string argument) =>
        File.Exists(Path.Combine(argument, "vocab.json")) ? argument : ModelLocator.Resolve(argument);
}
