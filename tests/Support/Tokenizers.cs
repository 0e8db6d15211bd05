using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Tests.Support;

/// <summary>The vocabularies that tests use, each loaded once.</summary>
internal static class Tokenizers
{
    private static readonly Lazy<BpeTokenizer> LazyDemo = new(() => BpeTokenizer.Load(RepositoryFiles.DemoModel));
    private static readonly Lazy<BpeTokenizer> LazyGpt2 = new(() => BpeTokenizer.Load(RepositoryFiles.Data("tokenizer-gpt2")));

    public static BpeTokenizer Demo => LazyDemo.Value;

    public static BpeTokenizer Gpt2 => LazyGpt2.Value;

    /// <summary>By name, for theories: "demo" or "gpt2".</summary>
    public static BpeTokenizer Named(string name) => name == "demo" ? Demo : Gpt2;
}
