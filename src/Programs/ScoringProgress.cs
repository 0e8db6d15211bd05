using Gradpath.Gpt2Runtime.Runs;
using Spectre.Console;

namespace Gradpath.Programs;

/// <summary>A progress bar with the time left, on the error stream; a line now and then where nobody watches it.</summary>
internal static class ScoringProgress
{
    /// <summary>Runs work that reports its progress.</summary>
    public static T Run<T>(Terminal terminal, string title, Func<IProgress<RunProgress>?, T> work)
    {
        List<IProgress<RunProgress>> told = [];
        if (terminal.Watcher is { } watcher) told.Add(watcher);
        if (terminal.Verbose) told.Add(new PlanNote(terminal));
        if (terminal.Quiet) return work(Tell(told));
        if (!terminal.ShowsProgress)
        {
            told.Add(terminal.Progress.Begin(title));
            return work(Tell(told));
        }
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
                told.Add(new Bar(bar, title));
                return work(Tell(told));
            });
    }

    private static IProgress<RunProgress>? Tell(List<IProgress<RunProgress>> told) => told.Count switch
    {
        0 => null,
        1 => told[0],
        _ => new All(told),
    };

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

    private sealed class All(List<IProgress<RunProgress>> told) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            foreach (IProgress<RunProgress> one in told) one.Report(value);
        }
    }

    private sealed class PlanNote(Terminal terminal) : IProgress<RunProgress>
    {
        private BatchSummary? _told;

        public void Report(RunProgress value)
        {
            if (value.Plan is not { } plan || plan == _told) return;
            _told = plan;
            terminal.Detail(Sizes.Plan(plan));
        }
    }
}
