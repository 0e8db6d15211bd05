using System.Globalization;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>One of several parts that a sweep is divided into, of about the same estimated cost. Every unit is in one part.</summary>
/// <param name="Number">The part, from 1.</param>
/// <param name="Count">How many parts there are.</param>
internal sealed record SweepShard(int Number, int Count)
{
    /// <summary>The number of parts, for engines that tell their tasks which one they are but not of how many.</summary>
    public const string CountVariable = "GRADPATH_SHARD_COUNT";

    private const string FromEnvironment = "env";
    private const string FromEnvironmentIfAny = "auto";
    private const string Slurm = "SLURM_ARRAY_TASK_ID";
    private const string SlurmCount = "SLURM_ARRAY_TASK_COUNT";
    private const string SlurmFirst = "SLURM_ARRAY_TASK_MIN";
    private const string SlurmStep = "SLURM_ARRAY_TASK_STEP";
    private const string Kubernetes = "JOB_COMPLETION_INDEX";
    private const int Most = 1_000_000;

    /// <summary>Reads what <c>--shard</c> says.</summary>
    /// <param name="text"><c>2/8</c>; <c>env</c> for what a task of a Slurm array or an indexed job of Kubernetes is told; <c>auto</c> for
    /// that where there is any. Null for none.</param>
    /// <param name="variable">Reads a variable of the environment.</param>
    /// <returns>The part; null for all units.</returns>
    /// <exception cref="UsageException">It is none, or the environment does not say enough.</exception>
    public static SweepShard? Parse(string? text, Func<string, string?> variable)
    {
        if (text is null) return null;
        if (text is FromEnvironment or FromEnvironmentIfAny)
        {
            return Given(Slurm, variable) is not null ? OfSlurm(text, variable)
                : Given(Kubernetes, variable) is not null ? OfKubernetes(text, variable)
                : text == FromEnvironmentIfAny ? null
                : throw new UsageException($"--shard {text}: neither {Slurm} nor {Kubernetes} is set; give i/n, such as 2/8.");
        }
        string[] parts = text.Split('/');
        return parts.Length == 2 && Whole(parts[0]) is { } number && Whole(parts[1]) is { } count && number >= 1 && number <= count
            ? new SweepShard(number, count)
            : throw new UsageException($"--shard {text}: give i/n with i from 1 to n, such as 2/8, or env or auto.");
    }

    /// <summary>
    /// This part's units, in the plan's order: each unit, the costliest first, goes to the part that has the least so far. Whoever divides
    /// the same units gets the same parts.
    /// </summary>
    /// <param name="units">All units.</param>
    public IReadOnlyList<SweepUnit> Of(IReadOnlyList<SweepUnit> units)
    {
        int[] parts = Divide([.. units.Select(u => u.Cost)], Count);
        return [.. units.Where((_, i) => parts[i] == Number - 1)];
    }

    /// <summary>The part of each cost, from 0.</summary>
    /// <param name="costs">The costs; what is no number or below 0 counts as 0.</param>
    /// <param name="count">How many parts there are.</param>
    public static int[] Divide(double[] costs, int count)
    {
        double[] known = Array.ConvertAll(costs, c => double.IsFinite(c) && c > 0 ? c : 0);
        int[] parts = new int[costs.Length], numbers = new int[count];
        PriorityQueue<int, (double Load, int Units, int Part)> least = new(count);
        for (int part = 0; part < count; part++) least.Enqueue(part, (0, 0, part));
        double[] loads = new double[count];
        foreach (int i in Enumerable.Range(0, costs.Length).OrderByDescending(i => known[i]).ThenBy(i => i))
        {
            int part = least.Dequeue();
            parts[i] = part;
            least.Enqueue(part, (loads[part] += known[i], ++numbers[part], part));
        }
        return parts;
    }

    /// <summary>The part as <c>--shard</c> writes it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Count}");

    /// <summary>What to say where this part has no units; null where it has some.</summary>
    /// <param name="own">Its units.</param>
    /// <param name="all">All units.</param>
    public string? Empty(IReadOnlyList<SweepUnit> own, IReadOnlyList<SweepUnit> all) => own.Count > 0 ? null
        : $"Shard {this} is empty: there are {Sizes.Of(all.Count, "unit")} for {Sizes.Of(Count, "shard")}.";

    private static SweepShard OfSlurm(string how, Func<string, string?> variable)
    {
        int task = Required(how, Slurm, Slurm, variable), count = Required(how, SlurmCount, Slurm, variable);
        int first = Required(how, SlurmFirst, Slurm, variable);
        int step = Given(SlurmStep, variable) is null ? 1 : Required(how, SlurmStep, Slurm, variable);
        int place = step > 0 && (task - first) % step == 0 ? (task - first) / step : -1;
        return place >= 0 && place < count ? new SweepShard(place + 1, count) : throw new UsageException(
            $"--shard {how}: task {task} is not one of {count} from {first} in steps of {step}; number the tasks of the array without "
            + "gaps, or give i/n.");
    }

    private static SweepShard OfKubernetes(string how, Func<string, string?> variable)
    {
        int index = Required(how, Kubernetes, Kubernetes, variable), count = Required(how, CountVariable, Kubernetes, variable);
        return index < count ? new SweepShard(index + 1, count) : throw new UsageException(
            $"--shard {how}: {Kubernetes} is {index}, so {CountVariable} must be {index + 1} or more, and it is {count}.");
    }

    private static int Required(string how, string name, string because, Func<string, string?> variable) =>
        Given(name, variable) is not { } text
        ? throw new UsageException($"--shard {how}: {because} is set, so {name} must be too; or give i/n, such as 2/8.")
        : Whole(text) ?? throw new UsageException($"--shard {how}: {name} is {text}, which is no whole number of 0 or more.");

    private static string? Given(string name, Func<string, string?> variable) => variable(name) is { Length: > 0 } text ? text : null;

    private static int? Whole(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= Most ? number : null;
}
