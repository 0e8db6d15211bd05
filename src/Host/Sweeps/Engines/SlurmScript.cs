using System.Text;

namespace Gradpath.Host.Sweeps.Engines;

/// <summary>
/// A batch script for Slurm: an array whose tasks each run one process on the sweep's folder, which claims units as it goes. Before the time
/// limit Slurm signals USR1; the process then saves the unit under way and ends, and the task is put back in the queue. A task that is
/// cancelled or whose node is drained gets TERM, saves likewise and ends; Slurm itself requeues where it should.
/// </summary>
internal static class SlurmScript
{
    /// <summary>Writes the script.</summary>
    /// <param name="request">What to ask Slurm for.</param>
    /// <param name="command">The words of the command that each task runs.</param>
    /// <returns>The script, for <c>bash</c>.</returns>
    public static string Of(SlurmRequest request, IReadOnlyList<string> command)
    {
        StringBuilder text = new();
        text.Append("#!/bin/bash\n");
        foreach ((string option, string? value) in Directives(request))
            text.Append($"#SBATCH --{option}{(value is null ? "" : $"={value}")}\n");
        text.Append('\n');
        text.Append($$"""
            # The process is a child, so that this shell can pass on signals while it runs.
            {{string.Join(' ', command.Select(Quoted))}} &
            process=$!
            again=
            trap 'again=yes; kill -TERM "$process" 2>/dev/null' USR1
            trap 'kill -TERM "$process" 2>/dev/null' TERM INT

            # wait ends with each signal, before the process does.
            wait "$process"
            status=$?
            while kill -0 "$process" 2>/dev/null; do
              wait "$process"
              status=$?
            done

            # At the time limit, with work left: back to the queue, to go on from what was saved.
            if [ -n "$again" ] && [ "$status" -ne 0 ]; then
              scontrol requeue "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
            fi
            exit "$status"

            """);
        return text.ToString();
    }

    /// <summary>A word as a shell takes it.</summary>
    /// <param name="word">The word.</param>
    internal static string Quoted(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:=,+@%".Contains(c, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static IEnumerable<(string Option, string? Value)> Directives(SlurmRequest r)
    {
        yield return ("job-name", Quoted(r.Name));
        yield return ("array", $"1-{r.Tasks}");
        yield return ("ntasks", "1");
        if (r.Cpus is { } cpus) yield return ("cpus-per-task", $"{cpus}");
        if (r.Gpus > 0) yield return ("gpus-per-node", $"{r.Gpus}");
        if (r.Memory is not null) yield return ("mem", r.Memory);
        if (r.Time is not null) yield return ("time", r.Time);
        if (r.Partition is not null) yield return ("partition", r.Partition);
        if (r.Account is not null) yield return ("account", r.Account);
        yield return ("signal", $"B:USR1@{r.SecondsBefore}");
        yield return ("requeue", null);
        yield return ("open-mode", "append");
        yield return ("output", Quoted(r.Log));
    }
}
