using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary>How a benchmark divides its prompts.</summary>
internal static class BenchmarkPrompts
{
    /// <summary>What messages call <see cref="Total"/>.</summary>
    public const string LimitOptions = "--train-limit and --limit, together";

    /// <summary>How many prompts to read or generate; null for a whole file.</summary>
    public static int? Total(BenchmarkOptions o) => o.Data is null
        ? (o.TrainLimit ?? PromptOptions.DefaultCount) + (o.Limit ?? PromptOptions.DefaultCount)
        : o.TrainLimit + o.Limit;

    /// <summary>Divides prompts.</summary>
    /// <exception cref="GradpathException">Too few are there.</exception>
    public static SplitPrompts Split(PromptSet all, BenchmarkOptions o)
    {
        int count = all.Pairs.Count;
        int find = o.TrainLimit ?? (o.Data is null ? PromptOptions.DefaultCount : count / 2);
        if (find < 1 || find >= count)
        {
            throw new GradpathException(count < 2
                ? $"{all.Source}: holds one prompt pair; a benchmark needs one to find circuits on and another to judge them on."
                : $"{all.Source}: of {count} prompt pairs, --train-limit {find} leaves none to judge on; it must be at most {count - 1}.");
        }
        int judge = Math.Min(o.Limit ?? count, count - find);
        return SplitPrompts.Of(all, find, judge);
    }
}
