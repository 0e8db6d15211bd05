using Gradpath.Gpt2Runtime.Runs;
using Spectre.Console;

namespace Gradpath.Programs;

/// <summary>A progress bar with the time left, on the error stream; nothing where nobody watches it.</summary>
internal static class ScoringProgress
{
    /// <summary>Runs work that reports its progress.</summary>
    public static T Run<T>(Terminal terminal, string title, Func<IProgress<RunProgress>?, T> work)
    {
        if (!terminal.ShowsProgress || terminal.Quiet) return work(terminal.Watcher);
        return terminal.ErrorConsole.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn(),
                new SpinnerColumn())
            .Start(context =>
            {
                ProgressTask bar = context.AddTask(Markup.Escape(title));
                return work(new Bar(bar, title));
            });
    }

    // Called on the thread that computes, so not System.Progress, which would post to the thread pool.
    private sealed class Bar(ProgressTask task, string title) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            task.Description = Markup.Escape(value.Stage.Length > 0 ? $"{title}: {value.Stage}" : title);
            task.MaxValue = Math.Max(1, value.Total);
            task.Value = value.Done;
        }
    }
}
