using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Options;
using Gradpath.Kernels;

namespace Gradpath.Host.Sessions;

/// <summary>What all commands share that search: the run with its progress file, and what a circuit's file states.</summary>
internal static class SearchRun
{
    /// <summary>Runs a search, or goes on with one.</summary>
    /// <param name="session">Model and prompts.</param>
    /// <param name="name">What the progress bar calls the search.</param>
    /// <param name="file">Where the work goes if it is stopped; null where it is not saved.</param>
    /// <param name="terminal">Where progress is shown.</param>
    /// <param name="options">The search's options, for those who want to know more.</param>
    /// <param name="search">The search.</param>
    /// <exception cref="StoppedException">The work was stopped and saved.</exception>
    public static T Run<T>(
        EvaluationSession session, string name, ProgressFile? file, Terminal terminal, SearchOptions options,
        Func<IProgress<RunProgress>?, T> search)
    {
        RunDetails.Settings(terminal, name, options, new ComputationGraph(session.Weights.Config));
        session.Clock.Start("search");
        return Saved(file, terminal, () => ScoringProgress.Run(terminal, name, search));
    }

    /// <summary>Judges what a search has found. Stopped here, the search's work is kept as if it had been stopped itself.</summary>
    /// <param name="session">Model and prompts.</param>
    /// <param name="circuits">The circuits.</param>
    /// <param name="options">How they are judged.</param>
    /// <param name="file">Where the work is; null where it is not saved.</param>
    /// <param name="terminal">Told that there is work to save.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="StoppedException">The work was stopped.</exception>
    public static EvaluationResult Judge(
        EvaluationSession session, IReadOnlyList<Circuit> circuits, EvaluationOptions options, ProgressFile? file, Terminal terminal,
        CancellationToken cancellation)
    {
        session.Clock.Start("evaluate");
        return Saved(file, terminal, () =>
            CircuitEvaluation.Evaluate(session.Weights, session.Prompts, circuits, options, cancellation: cancellation));
    }

    /// <summary>Does work that is saved where it is stopped, and says so.</summary>
    /// <param name="file">Where the work is; null where it is not saved.</param>
    /// <param name="terminal">Told that there is work to save.</param>
    /// <param name="work">The work.</param>
    /// <exception cref="StoppedException">The work was stopped and saved.</exception>
    public static T Saved<T>(ProgressFile? file, Terminal terminal, Func<T> work)
    {
        terminal.HasWorkToSave = file is not null;
        try
        {
            return work();
        }
        catch (OperationCanceledException e) when (file?.Done is { } done)
        {
            throw new StoppedException(
                $" after {done}, kept in {file.Path}; the same command with --resume goes on from there.", e);
        }
        finally
        {
            terminal.HasWorkToSave = false;
        }
    }

    /// <summary>The progress file of a run. Where the user goes on with an earlier one, its state is read.</summary>
    /// <param name="command">The command that searches.</param>
    /// <param name="result">The file that the run writes at its end.</param>
    /// <param name="resume">Whether to go on.</param>
    /// <param name="run">Everything that decides the result, see <see cref="EvaluationSession.RunIdentity"/>.</param>
    /// <param name="terminal">Told where the work cannot be saved on the way.</param>
    /// <returns>The file. Until it is disposed of no other run writes the result.</returns>
    public static ProgressFile Open(string command, string result, bool resume, JsonObject run, Terminal terminal)
    {
        var file = new ProgressFile(result, command, run) { Warning = text => terminal.Warn(text) };
        try
        {
            file.Lock(resume);
            if (resume) file.Resume();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes a log anew each time the work is saved, so that it can be looked at while the run goes on. Streams get it at the
    /// end alone.</summary>
    /// <param name="file">Where the work is saved.</param>
    /// <param name="log">The log; null for none.</param>
    /// <param name="write">Writes what the work has done so far.</param>
    public static void WriteOnTheWay(ProgressFile file, string? log, Action<string, ISavedWork> write)
    {
        if (log is not null && !OutputTarget.Of(log).IsStream) file.Kept = work => write(log, work);
    }

    /// <summary>What every run on a model and prompts depends on, to the last bit; the number of threads and the memory do not.</summary>
    /// <param name="p">The provenance of its result.</param>
    /// <param name="device">The device.</param>
    /// <param name="o">The command's options.</param>
    public static JsonObject Identity(Provenance p, Device device, ModelPromptOptions o) => new()
    {
        ["the program's version"] = p.Version,
        ["the model (its hash)"] = p.ModelHash,
        ["--seed"] = p.Seed,
        ["the number of prompt pairs (--limit)"] = p.Items,
        [o.Data is null ? "--task" : "--data"] = o.Data is null ? p.Task : p.Data,
        [o.Data is null ? "the prompts" : "--task"] = o.Data is null ? p.Data : p.Task,
        ["the prompts (their hash)"] = p.DataHash,
        ["--no-bos"] = o.NoBos,
        ["--answer"] = p.Answers,
        ["the begin token"] = p.BeginToken?.ToString() ?? "none",
        ["--hard-corruption"] = o.HardCorruption,
        ["--metric"] = p.Metric,
        ["--ablation"] = p.Ablation,
        ["the device"] = device.Identity,
        ["--precision"] = p.Precision,
        ["--gemm"] = p.Gemm,
    };

    /// <summary>Everything that a search's result depends on, to the last bit.</summary>
    /// <param name="session">Model and prompts.</param>
    /// <param name="o">The command's options.</param>
    /// <param name="options">The search's options, which the command line calls as provenance does.</param>
    public static JsonObject Identity(EvaluationSession session, PromptedOptions o, SearchOptions options)
    {
        JsonObject run = session.RunIdentity(o);
        foreach ((string name, JsonNode? value) in options.Describe(new ComputationGraph(session.Weights.Config)))
            run[$"--{name}"] = value?.DeepClone();
        return run;
    }

    /// <summary>The circuit as its file has it: with the seed of the prompts.</summary>
    /// <param name="result">What the search gave.</param>
    /// <param name="session">Model and prompts.</param>
    public static Circuit State(SearchResult result, EvaluationSession session) =>
        result.Circuit.With(result.Circuit.Provenance! with { Seed = (long)session.Seed });
}
