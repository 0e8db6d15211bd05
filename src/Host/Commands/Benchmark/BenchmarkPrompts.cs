using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Commands;

/// <summary>
/// The prompts of a benchmark: circuits are found on the first and judged on the others.
/// </summary>
/// <param name="Find">Those to find circuits on.</param>
/// <param name="Judge">Those to judge them on.</param>
internal sealed record BenchmarkPrompts(PromptSet Find, PromptSet Judge)
{
    /// <summary>How many prompts to read or generate; null for a whole file.</summary>
    public static int? Total(BenchmarkOptions o) => o.Data is null
        ? (o.TrainLimit ?? PromptOptions.DefaultCount) + (o.Limit ?? PromptOptions.DefaultCount)
        : o.TrainLimit + o.Limit;

    /// <summary>Divides prompts. Generated pairs are all different; of a file it is its maker who sees to that.</summary>
    /// <exception cref="GradpathException">Too few are there.</exception>
    public static BenchmarkPrompts Split(PromptSet all, BenchmarkOptions o)
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
        return new BenchmarkPrompts(Part(all, 0, find), Part(all, find, judge));
    }

    /// <summary>How many of the pairs to judge on are among those to find circuits on, their ids compared.</summary>
    public int Shared()
    {
        static string Ids(PromptPair pair) => $"{string.Join(',', pair.Clean)}/{string.Join(',', pair.Corrupted)}";
        HashSet<string> found = [.. Find.Pairs.Select(Ids)];
        return Judge.Pairs.Count(p => found.Contains(Ids(p)));
    }

    private static PromptSet Part(PromptSet all, int first, int count) => all with
    {
        Pairs = [.. all.Pairs.Skip(first).Take(count)],
        Source = $"{all.Source}, pairs {first + 1} to {first + count}",
    };
}
