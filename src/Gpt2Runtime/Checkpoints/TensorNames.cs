namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// Tensor names without what programs put around them: <c>transformer.</c> and <c>model.</c> in front, and what torch.compile,
/// DistributedDataParallel, FSDP and checkpointing of activations add wherever a module was wrapped.
/// </summary>
internal static class TensorNames
{
    private static readonly string[] s_wrappers = ["_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];
    private static readonly string[] s_prefixes = ["transformer", "model"];

    /// <summary>The bare name, as <see cref="Gpt2Layout"/> has it.</summary>
    /// <param name="name">A name in a file.</param>
    public static string Bare(string name)
    {
        string[] parts = [.. name.Split('.').Where(part => !s_wrappers.Contains(part))];
        return string.Join('.', parts.SkipWhile(s_prefixes.Contains));
    }

    /// <summary>The first names of a file, for messages.</summary>
    /// <param name="names">All names.</param>
    public static string First(IReadOnlyCollection<string> names)
    {
        const int Shown = 4;
        if (names.Count == 0) return "the file holds no tensor at all";
        string list = string.Join(", ", names.Take(Shown).Select(name => Quoted.Text(name)));
        return names.Count <= Shown ? $"the file holds {list}" : $"the file holds {list} and {names.Count - Shown} more";
    }
}
