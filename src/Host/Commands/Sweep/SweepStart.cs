using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Commands;

/// <summary>What a sweep starts with: its plan, its folder, and who computes.</summary>
internal sealed record SweepStart
{
    /// <summary>The plan, with the precision that the command line asks for.</summary>
    public required SweepPlan Plan { get; init; }

    /// <summary>The bytes of the plan's file; none where the folder of a sweep was named.</summary>
    public ReadOnlyMemory<byte> Copy { get; init; }

    /// <summary>The sweep whose folder was named in place of a plan; null where a plan was.</summary>
    public SweepFolder? There { get; init; }

    /// <summary>The sweep's folder; null where none was named.</summary>
    public string? Folder { get; init; }

    /// <summary>Whether a folder of another plan gets this one.</summary>
    public bool IsExtended { get; init; }

    /// <summary>The part to compute; null for all.</summary>
    public SweepShard? Shard { get; init; }

    /// <summary>The device of each process that computes, at least one.</summary>
    public required IReadOnlyList<DeviceOptions> Workers { get; init; }

    /// <summary>The device of this process.</summary>
    public DeviceOptions Device => Workers[0];

    /// <summary>Reads and checks what the command line says, and the plan.</summary>
    /// <param name="o">The options.</param>
    /// <param name="terminal">Knows the environment.</param>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">The plan cannot be used.</exception>
    public static SweepStart Read(SweepOptions o, Terminal terminal)
    {
        bool isFolder = Directory.Exists(o.Plan);
        if (isFolder && o.Out is not null && Path.GetFullPath(o.Out) != Path.GetFullPath(o.Plan))
            throw new UsageException($"--out {o.Out} does not go with --plan {o.Plan}, the folder of a sweep; leave it out.");
        if (isFolder && o.Extend)
            throw new UsageException($"--extend is for a plan that becomes the folder's; {o.Plan} is a folder, which has its plan.");
        RequireThere(o.Plan);
        if (!isFolder && o.Out is null && !o.Check)
            throw new UsageException("--out is needed: --out DIR, the folder to compute in (or --check, to look at the plan).");
        if (!isFolder && o.Out is not null) SweepLayout.RequireApart(o.Out, o.Plan);
        if (o.Workers is not null && o.Devices is not null)
            throw new UsageException("--workers is for the CPU and --devices for GPUs; give one of them.");
        SweepFolder? there = isFolder ? SweepLayout.Open(o.Plan) : null;
        SweepPlan plan = there is null
            ? PlanReader.Read(o.Plan)
            : SweepPlan.FromJson(there.Plan, Path.Combine(o.Plan, SweepLayout.PlanFile)) with
            {
                ModelNames = there.Units.GroupBy(u => u.Model).ToDictionary(u => u.Key, u => u.First().ModelName),
            };
        SweepDevices devices = new(o, plan);
        return new SweepStart
        {
            Plan = devices.Plan,
            There = there,
            Copy = isFolder ? default : File.ReadAllBytes(o.Plan),
            Folder = isFolder ? o.Plan : o.Out,
            IsExtended = o.Extend,
            Shard = SweepShard.Parse(o.Shard, terminal.Variable),
            Workers = devices.Workers,
        };
    }

    /// <summary>The plan with its models and prompts, none of which is read yet.</summary>
    /// <param name="terminal">Told what a user should know of them.</param>
    public SweepSession Session(Terminal terminal) => new(Plan, () => ComputeDevice.Open(Device, terminal), terminal);

    /// <summary>The sweep that the folder holds already, of this plan or to be extended by it; null where it holds none.</summary>
    /// <param name="units">The plan's units.</param>
    /// <exception cref="GradpathException">It holds another sweep.</exception>
    public SweepFolder? Begun(IReadOnlyList<SweepUnit> units)
    {
        if (There is null && (Folder is null || !File.Exists(SweepLayout.PlanIn(Folder)))) return null;
        SweepFolder begun = There ?? SweepLayout.Open(Folder!);
        if (!IsExtended) SweepLayout.RequireSame(begun, PlanJson.Write(Plan), PlanJson.Hash(Plan), units);
        return begun;
    }

    /// <summary>Makes the folder, or goes on with the one that is there. Damaged units are set aside.</summary>
    /// <param name="session">The plan with its models and prompts.</param>
    /// <param name="terminal">Told what a user should know of the folder.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="GradpathException">It holds another sweep, or a model or prompts cannot be used.</exception>
    public SweepFolder LayOut(SweepSession session, Terminal terminal, CancellationToken cancellation)
    {
        SweepFolder folder = Open(session, terminal, cancellation);

        // Of several workers it is done once, before they start.
        if (SweepProcesses.Place(terminal.Variable) is not null) return folder;
        foreach (string damage in DamagedUnits.SetAside(folder, cancellation)) terminal.Warn(damage);
        return folder;
    }

    // A word alone may have been meant as one of those that follow 'sweep'.
    private static void RequireThere(string plan)
    {
        if (Path.Exists(plan)) return;
        if (plan.Length > 0 && plan.All(char.IsAsciiLetter))
        {
            throw new UsageException($"--plan {plan}: there is no such file or folder, and "
                + $"{TableNames.Unknown("word of 'sweep'", plan, [.. ShortForms.SweepWords])}.");
        }
        throw new GradpathException($"{plan}: there is no such file or folder");
    }

    private SweepFolder Open(SweepSession session, Terminal terminal, CancellationToken cancellation)
    {
        string hash = PlanJson.Hash(Plan);

        // Who names the folder goes on with its units; whether models and prompts are still theirs is checked as they are used. Who names
        // the plan may have changed them.
        if (There?.PlanHash == hash && !IsExtended) return SweepLayout.GoOn(There);
        SweepLayout.RequireUsable(Folder!);
        IReadOnlyList<SweepUnit> units = SweepExpansion.Units(session, cancellation);
        if (!IsExtended) return SweepLayout.LayOut(Folder!, PlanJson.Write(Plan), hash, units, Copy);
        SweepFolder folder = SweepLayout.Extend(Folder!, PlanJson.Write(Plan), hash, units, Copy, out SweepFolder? former);
        if (former is not null && Changes(former, folder) is { } changes) terminal.Remark(changes);
        return folder;
    }

    private static string? Changes(SweepFolder former, SweepFolder folder)
    {
        int added = folder.Units.Count(u => former.Unit(u.Key) is null), gone = former.Units.Count(u => folder.Unit(u.Key) is null);
        if (added == 0 && gone == 0) return null;
        string left = gone == 0 ? "" : $", {Sizes.Of(gone, "unit")} left it, and what is done of {(gone == 1 ? "it" : "them")} stays in "
            + Path.Combine(folder.Path, "units");
        return $"{folder.Path}: {Sizes.Of(added, "unit")} came to the plan{left}";
    }
}
