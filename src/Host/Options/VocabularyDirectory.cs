using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Host.Options;

/// <summary>The directory of a vocabulary. One without weights is enough, which the search for models would pass over.</summary>
internal static class VocabularyDirectory
{
    /// <summary>What the option says that names one.</summary>
    public const string Help =
        "Directory that holds tokenizer.json, or vocab.json and merges.txt (the weights are not needed), "
        + "'demo', 'saturated', or a name in the Hugging Face cache.";

    private static readonly string[] s_files = ["tokenizer.json", "vocab.json"];

    public static string Find(string argument) =>
        s_files.Any(name => File.Exists(Path.Combine(argument, name))) ? argument : ModelLocator.Resolve(argument);
}
