using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Sessions;

/// <summary>Prompts of which circuits are found on the first and judged on others.</summary>
/// <param name="Find">Those to find circuits on.</param>
/// <param name="Judge">Those to judge them on.</param>
internal sealed record SplitPrompts(PromptSet Find, PromptSet Judge)
{
    /// <summary>Divides prompts. Generated pairs are all different; of a file it is its maker who sees to that.</summary>
    /// <param name="all">The prompts.</param>
    /// <param name="find">How many of the first find circuits.</param>
    /// <param name="judge">How many of those behind them judge.</param>
    public static SplitPrompts Of(PromptSet all, int find, int judge) => new(Part(all, 0, find), Part(all, find, judge));

    /// <summary>How many of the pairs to judge on are among those to find circuits on, their ids compared.</summary>
    public int Shared()
    {
        static string Ids(PromptPair pair) => $"{string.Join(',', pair.Clean)}/{string.Join(',', pair.Corrupted)}";
        HashSet<string> found = [.. Find.Pairs.Select(Ids)];
        return Judge.Pairs.Count(p => found.Contains(Ids(p)));
    }

    /// <summary>How many of the pairs to judge on have a clean prompt that circuits are found on too, with whatever corrupted one: where a
    /// task has few prompts, as many as it must.</summary>
    public int SharedClean()
    {
        HashSet<string> found = [.. Find.Pairs.Select(p => string.Join(',', p.Clean))];
        return Judge.Pairs.Count(p => found.Contains(string.Join(',', p.Clean)));
    }

    /// <summary>Warns where pairs that judge are also among those that find circuits.</summary>
    /// <param name="terminal">Told.</param>
    /// <param name="what">What the warning begins with; nothing where there is one set of prompts.</param>
    public void WarnOfShared(Terminal terminal, string what = "")
    {
        if (Shared() is not (> 0 and int shared)) return;
        terminal.Warn($"{what}{Sizes.Count(shared)} of the {Sizes.Of(Judge.Pairs.Count, "prompt pair")} to judge on are also among "
            + "those that circuits are found on: methods that fit their prompts look better than they are");
    }

    private static PromptSet Part(PromptSet all, int first, int count) => all with
    {
        Pairs = [.. all.Pairs.Skip(first).Take(count)],
        Source = $"{all.Source}, pairs {first + 1} to {first + count}",
    };
}
