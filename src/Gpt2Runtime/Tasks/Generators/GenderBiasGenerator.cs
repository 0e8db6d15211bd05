using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Generators;

/// <summary>
/// Gender bias: "The nurse said that" -> " she" against " he", the pronoun of the profession's stereotype being the answer.
/// Corrupted: "man" or "woman", whichever has the other pronoun, in place of the profession. Both kinds are equally frequent.
/// </summary>
internal sealed class GenderBiasGenerator : TaskGenerator
{
    private readonly Words _words = WordList.Read<Words>(TaskCatalog.GenderBias);
    private readonly IReadOnlyList<string> _he;
    private readonly IReadOnlyList<string> _she;

    public GenderBiasGenerator(BpeTokenizer tokenizer)
        : base(TaskCatalog.GenderBias, tokenizer)
    {
        _ = (Id("man"), Id("woman"));
        _he = KeepSingleTokens(_words.He, word => word, "single-token professions of the stereotype \"he\"", needed: 1);
        _she = KeepSingleTokens(_words.She, word => word, "single-token professions of the stereotype \"she\"", needed: 1);
    }

    public override PromptDraft Draw(SplitMix64 random)
    {
        var template = random.Below(_words.Templates.Length);
        var male = random.Below(2) == 0;
        var profession = random.Pick(male ? _he : _she);
        int he = Id("he"), she = Id("she");
        return new PromptDraft(
            _words.Templates[template].Replace("{who}", profession, StringComparison.Ordinal),
            _words.Templates[template].Replace("{who}", male ? "woman" : "man", StringComparison.Ordinal),
            [male ? he : she],
            [male ? she : he],
            $"template={template};who={profession}");
    }

    private sealed record Words(string[] Templates, string[] He, string[] She);
}
