using System.Text;

namespace Gradpath.Host.Sweeps.Engines;

/// <summary>
/// A batch script for Slurm: an array whose tasks each run one process on the sweep's folder, which claims units as it goes. Before the
/// time limit Slurm signals USR1; the process then saves the unit under way and ends, and the task is put back in the queue. A task that
/// is cancelled or requeued gets TERM, saves likewise and ends; Slurm itself requeues where it should.
/// </summary>
internal static class SlurmScript
{
    /// <summary>How much earlier than asked for Slurm may signal: it looks at time limits so often.</summary>
    public static TimeSpan Early { get; } = TimeSpan.FromSeconds(30);

    // The exit code of a process that SIGTERM has stopped.
    private const int Stopped = 143;

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
            # Before the time limit Slurm sends USR1, to this shell alone: the process is told to save its work and end.
            process= again=
            trap 'again=yes; [ -z "$process" ] || kill -TERM "$process" 2>/dev/null' USR1

            # TERM goes to every process of the task, when it is cancelled or requeued and at the limit itself. It is not passed on: a
            # second signal would end the process before its work is saved.
            trap : TERM INT

            {{string.Join(' ', command.Select(Quoted))}} &
            process=$!
            [ -z "$again" ] || kill -TERM "$process" 2>/dev/null

            # wait ends with each signal, before the process does.
            wait "$process"
            status=$?
            while kill -0 "$process" 2>/dev/null; do
              wait "$process"
              status=$?
            done

            # Stopped before the limit, with work left: back to the queue, to go on from what was saved.
            if [ -n "$again" ] && [ "$status" -eq {{Stopped}} ]; then
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

    // A plan's name may hold anything, line breaks too.
    private static string Name(string name)
    {
        StringBuilder plain = new();
        foreach (char c in name)
        {
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') plain.Append(c);
            else if (plain.Length > 0 && plain[^1] != '-') plain.Append('-');
        }
        return plain.ToString().TrimEnd('-');
    }

    private static IEnumerable<(string Option, string? Value)> Directives(SlurmRequest r)
    {
        yield return ("job-name", Name(r.Name));
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

        // A log for each task, which goes on in the log of its first start. In the folder's own name a % is no pattern of Slurm's.
        yield return ("output", Quoted(Path.Combine(r.Logs.Replace("%", "%%", StringComparison.Ordinal), "%A_%a.log")));
    }
}
