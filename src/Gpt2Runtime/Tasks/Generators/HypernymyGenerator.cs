using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Generators;

/// <summary>
/// Hypernymy: "There were robins and other" -> " birds" against the corrupted prompt's kind. Corrupted: a member of another kind.
/// </summary>
internal sealed class HypernymyGenerator : TaskGenerator
{
    private readonly Words _words = WordList.Read<Words>(TaskCatalog.Hypernymy);
    private readonly IReadOnlyList<Kind> _kinds;

    public HypernymyGenerator(BpeTokenizer tokenizer)
        : base(TaskCatalog.Hypernymy, tokenizer) =>
        _kinds = Keep(_words.Kinds, kind => AnswersOf(kind).Length > 0, "kinds (those named by a single token)", needed: 2);

    public override PromptDraft Draw(SplitMix64 random)
    {
        var template = random.Below(_words.Templates.Length);
        var (clean, corrupted) = random.PickTwo(_kinds);
        var member = random.Pick(clean.Members);
        return new PromptDraft(
            _words.Templates[template].Replace("{member}", member, StringComparison.Ordinal),
            _words.Templates[template].Replace("{member}", random.Pick(corrupted.Members), StringComparison.Ordinal),
            AnswersOf(clean),
            AnswersOf(corrupted),
            $"template={template};member={member}");
    }

    private int[] AnswersOf(Kind kind) =>
        [.. kind.Answers.Select(answer => Tokenizer.SingleToken(" " + answer)).OfType<int>()];

    private sealed record Words(string[] Templates, Kind[] Kinds);

    private sealed record Kind(string[] Answers, string[] Members);
}
