namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>What result files say about a model.</summary>
/// <param name="name">Its name.</param>
/// <param name="hash">Computes what identifies its weights; called once, when somebody asks.</param>
internal sealed class ModelIdentity(string name, Func<string> hash)
{
    private readonly Lazy<string> _hash = new(hash);

    /// <summary>The name.</summary>
    public string Name { get; } = name;

    /// <summary>The kind of hash, a colon, and lower-case hexadecimal digits.</summary>
    public string Hash => _hash.Value;
}
