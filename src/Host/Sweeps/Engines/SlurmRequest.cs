namespace Gradpath.Host.Sweeps.Engines;

/// <summary>What a sweep asks Slurm for.</summary>
/// <param name="Name">The job's name.</param>
/// <param name="Logs">The folder of the log files.</param>
/// <param name="Tasks">Tasks of the array.</param>
internal sealed record SlurmRequest(string Name, string Logs, int Tasks)
{
    /// <summary>Processors of a task; null for the cluster's default.</summary>
    public int? Cpus { get; init; }

    /// <summary>GPUs of a task; 0 for none.</summary>
    public int Gpus { get; init; }

    /// <summary>Memory of a task, as Slurm writes it (<c>16G</c>); null for the default.</summary>
    public string? Memory { get; init; }

    /// <summary>Time limit of a task, as Slurm writes it (<c>2:00:00</c>); null for the default.</summary>
    public string? Time { get; init; }

    /// <summary>The partition; null for the default.</summary>
    public string? Partition { get; init; }

    /// <summary>The account; null for the default.</summary>
    public string? Account { get; init; }

    /// <summary>How long before the time limit a task is told to save and end, in seconds.</summary>
    public int SecondsBefore { get; init; } = 60;
}
