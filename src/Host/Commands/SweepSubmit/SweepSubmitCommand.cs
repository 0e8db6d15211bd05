using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Engines;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath sweep submit</c>: writes a batch script for a cluster and hands it to the scheduler.</summary>
internal static class SweepSubmitCommand
{
    private const string Script = "submit.sh";
    private const string Logs = "logs";
    private const string Sbatch = "sbatch";
    private const int LinesShown = 5;

    public static CommandReport Run(SweepSubmitOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        string folder = Path.GetFullPath(o.Dir);
        string name = Begin(o, folder, terminal, cancellation);
        string script = SlurmScript.Of(o.Request(name, Path.Combine(folder, Logs)), Command(o, folder));
        CommandReport report = new() { Provenance = SweepProvenance.Now() };
        report.Fact("engine", "slurm");
        report.Fact("tasks", o.Array);
        if (o.DryRun)
        {
            report.Line(script.TrimEnd('\n'), ("script", script));
            string plan = o.Plan is null ? "" : $" and lay the plan out (the same command without --dry-run does both)";
            string note = $"nothing was written; before you submit the script by hand, create the folder {Path.Combine(o.Dir, Logs)}{plan}";

            // Not among the script's lines.
            if (terminal.Json) report.Note(note);
            else terminal.Remark(note);
            return report;
        }
        SweepFolder.MakeFolder(Path.Combine(folder, Logs));
        string file = Path.Combine(folder, Script);
        AtomicFile.Write(file, script);
        string job = Submit(file, cancellation);
        report.Line($"submitted: job {job}, {Sizes.Of(o.Array, "task")}; logs in {Path.Combine(o.Dir, Logs)}", ("job", job));
        report.Plain($"'gradpath sweep status {o.Dir}' says how far it is, 'scancel {job}' ends it.");
        report.File("script", file);
        return report;
    }

    // The name of the sweep, which is laid out now where the folder holds none: else the tasks would all do that at once.
    private static string Begin(SweepSubmitOptions o, string folder, Terminal terminal, CancellationToken cancellation)
    {
        if (o.Plan is null) return SweepLayout.Open(folder).Name;
        if (Directory.Exists(o.Plan)) throw new UsageException($"--plan {o.Plan}: it is a folder; name the plan's file, or leave it out.");

        // Laid out on the CPU, whatever the plan computes on: where jobs are submitted there is often no GPU.
        SweepStart start = new()
        {
            Plan = PlanReader.Read(o.Plan),
            Copy = File.ReadAllBytes(o.Plan),
            Folder = folder,
            IsExtended = o.Extend,
            Workers = [new SweepOptions { Device = "cpu" }],
        };
        SweepLayout.RequireApart(folder, o.Plan);
        using SweepSession session = start.Session(terminal);
        if (o.DryRun)
        {
            start.Begun(SweepExpansion.Units(session, cancellation));
            return start.Plan.Name;
        }
        return start.LayOut(session, terminal, cancellation).Name;
    }

    private static List<string> Command(SweepSubmitOptions o, string folder)
    {
        (string program, IReadOnlyList<string> first) = SweepProcesses.Self();
        List<string> words = [program, .. first, "sweep", "--plan", folder];
        if (o.GpusPerNode is not null) words.AddRange(["--devices", "all"]);
        else if (o.CpusPerTask is { } cpus) words.AddRange(["--threads", cpus.ToString(CultureInfo.InvariantCulture)]);
        return words;
    }

    private static string Submit(string file, CancellationToken cancellation)
    {
        ProcessStartInfo start = new(Sbatch, ["--parsable", file]) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new GradpathException(
                $"{Sbatch}: it cannot be started: {e.Message}; submit {file} where Slurm is, or look at it with --dry-run", e);
        }
        using (process)
        {
            Task<string> error = process.StandardError.ReadToEndAsync(cancellation);
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new GradpathException($"{Sbatch} refused {file}: {Said(error.GetAwaiter().GetResult(), process.ExitCode)}");

            // "7" or "7;cluster".
            string job = output.Trim().Split(';')[0];
            return job.Length > 0 && job.All(char.IsAsciiDigit)
                ? job
                : throw new GradpathException(
                    $"{Sbatch} took {file} and names no job, but {Quoted.Text(output.Trim())}; squeue has what was taken");
        }
    }

    private static string Said(string error, int exitCode)
    {
        string[] lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string more = lines.Length > LinesShown ? $"; {Sizes.Count(lines.Length - LinesShown)} more lines" : "";
        return lines.Length == 0 ? $"it said nothing, and ended with {exitCode}" : string.Join("; ", lines.Take(LinesShown)) + more;
    }
}
