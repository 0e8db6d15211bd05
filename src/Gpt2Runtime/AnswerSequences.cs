using System.Collections.Immutable;

namespace Gradpath.Gpt2Runtime;

/// <summary>
/// Answers of several tokens each. An answer's probability is that of its tokens one after the other, each behind the prompt and those
/// before it.
/// </summary>
/// <param name="Right">The right answers' tokens.</param>
/// <param name="Wrong">The wrong answers' tokens.</param>
public sealed record AnswerSequences(ImmutableArray<ImmutableArray<int>> Right, ImmutableArray<ImmutableArray<int>> Wrong)
{
    /// <summary>Makes them where an answer has more than one token.</summary>
    /// <param name="right">The right answers' tokens.</param>
    /// <param name="wrong">The wrong answers' tokens.</param>
    /// <returns>The sequences, each once; null where every answer is one token.</returns>
    internal static AnswerSequences? Where(int[][] right, int[][] wrong) => right.Concat(wrong).All(answer => answer.Length == 1)
        ? null
        : new AnswerSequences(Distinct(right), Distinct(wrong));

    /// <summary>An answer that is right and wrong at once; null where there is none.</summary>
    internal ImmutableArray<int>? Contradiction()
    {
        foreach (ImmutableArray<int> answer in Right)
        {
            if (Wrong.Any(wrong => wrong.AsSpan().SequenceEqual(answer.AsSpan()))) return answer;
        }
        return null;
    }

    private static ImmutableArray<ImmutableArray<int>> Distinct(int[][] answers)
    {
        List<ImmutableArray<int>> distinct = [];
        foreach (int[] answer in answers)
        {
            if (!distinct.Any(other => other.AsSpan().SequenceEqual(answer))) distinct.Add([.. answer]);
        }
        return [.. distinct];
    }
}
