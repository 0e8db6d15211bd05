using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Options;

/// <summary>How far the making or reading of prompts is, shown as that of any other work.</summary>
internal static class PromptProgress
{
    /// <summary>Runs work that reports how many prompts there are.</summary>
    /// <param name="terminal">Where it is shown.</param>
    /// <param name="total">How many there will be; 0 where nobody knows.</param>
    /// <param name="counted">The options that say how many, as messages name them.</param>
    /// <param name="work">The work.</param>
    /// <returns>What the work gives.</returns>
    /// <exception cref="GradpathException">The work's, with the options' names.</exception>
    public static T Run<T>(Terminal terminal, int total, string counted, Func<IProgress<int>?, T> work)
    {
        try
        {
            return ScoringProgress.Run(terminal, "prompts", progress => work(progress is null ? null : new Counter(progress, total)));
        }
        catch (GradpathException e)
        {
            throw new GradpathException(
                e.Describe(term => term.Name == Terms.Limit.Name ? $"{counted} {term.Value}" : OptionNames.Of(term)), e);
        }
    }

    // On the calling thread, which System.Progress is not.
    private sealed class Counter(IProgress<RunProgress> told, int total) : IProgress<int>
    {
        public void Report(int value) => told.Report(new RunProgress(value, total, ""));
    }
}
