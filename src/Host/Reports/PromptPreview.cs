using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Host.Reports;

/// <summary>The first prompt pair as the model sees it, so that a wrong token or answer is seen before the work starts.</summary>
/// <param name="prompts">The prompts.</param>
/// <param name="tokenizer">The vocabulary; null where there is none, and ids are shown.</param>
internal sealed class PromptPreview(PromptSet prompts, BpeTokenizer? tokenizer)
{
    private const int MostTokens = 40;
    private const int MostAnswers = 8;

    private readonly PromptPair _first = prompts.Pairs[0];

    /// <summary>Writes it for people: of long prompts the middle is left out, of many answers the rest.</summary>
    public void Write(TextWriter output)
    {
        int count = prompts.Pairs.Count;
        output.WriteLine($"first of {Sizes.Count(count)} prompt {(count == 1 ? "pair" : "pairs")}, token by token:");
        output.WriteLine($"  clean      {Short(_first.Clean)}");
        output.WriteLine($"  corrupted  {Short(_first.Corrupted)}");
        if (_first.Answers.Length > 0) output.WriteLine($"  answers    {Listed(_first.Answers, _first.Sequences?.Right)}");
        if (_first.WrongAnswers.Length > 0) output.WriteLine($"  wrong      {Listed(_first.WrongAnswers, _first.Sequences?.Wrong)}");
    }

    /// <summary>All of it: ids and, where the vocabulary has them, texts.</summary>
    public JsonObject ToJson() => new()
    {
        ["clean"] = Tokens(_first.Clean),
        ["corrupted"] = Tokens(_first.Corrupted),
        ["answers"] = Answers(_first.Answers, _first.Sequences?.Right),
        ["wrong_answers"] = Answers(_first.WrongAnswers, _first.Sequences?.Wrong),
    };

    private string Short(int[] ids)
    {
        const int Half = MostTokens / 2;
        return ids.Length <= MostTokens ? Joined(ids) : $"{Joined(ids[..Half])}| ... |{Joined(ids[^Half..])}";
    }

    private string Listed(int[] ids, ImmutableArray<ImmutableArray<int>>? sequences)
    {
        string[] shown = sequences is { } several
            ? [.. several.Select(ids => Joined([.. ids]))]
            : [.. ids.Select(id => TextOf(id) is { } text ? $"{Quoted.Text(text)} ({id})" : $"{id}")];
        return string.Join(", ", shown.Take(MostAnswers)) + (shown.Length > MostAnswers ? $", ... {shown.Length} in all" : "");
    }

    private string Joined(int[] ids) => string.Join('|', ids.Select(id => TextOf(id) is { } text ? Quoted.Text(text)[1..^1] : $"{id}"));

    // Padding has ids without a text.
    private string? TextOf(int id) => tokenizer?.Knows(id) == true ? tokenizer.Decode([id]) : null;

    private JsonArray Answers(int[] ids, ImmutableArray<ImmutableArray<int>>? sequences) =>
        [.. sequences?.Select(answer => Tokens([.. answer])) ?? ids.Select(id => Tokens([id]))];

    private JsonArray Tokens(int[] ids) => [.. ids.Select(id => new JsonObject
    {
        ["id"] = id,
        ["text"] = TextOf(id),
    })];
}
