using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>
/// What a process does before its first unit: it opens the device, loads weights and runs a pass. A device that cannot be used is this
/// process's fault and not that of units, which another may compute; and the first unit's time is its own.
/// </summary>
internal static class SweepReadiness
{
    /// <summary>Makes a process ready.</summary>
    /// <param name="session">What units share.</param>
    /// <param name="units">The units that are neither done nor failed.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="GradpathException">The memory that was allowed does not suffice for one prompt pair.</exception>
    /// <exception cref="Kernels.DeviceException">The device cannot be used.</exception>
    public static void Prepare(SweepSession session, IReadOnlyList<SweepUnit> units, CancellationToken cancellation)
    {
        if (units.Count == 0) return;
        bool isLimited = session.Device.MemoryBudget is not null;

        // Of several models nobody knows which comes first.
        if (!isLimited && units.Any(u => u.Model != units[0].Model)) return;
        if (Loaded(session, units[0], cancellation) is not var (model, prompts)) return;
        PromptPair shortest = prompts.Pairs.MinBy(p => p.Length)!;
        try
        {
            EdgeAttribution.Run(
                model, prompts with { Pairs = [shortest] }, new AttributionOptions { Method = AttributionMethods.Eap, BatchSize = 1 },
                cancellation: cancellation);
        }
        catch (GradpathException e) when (isLimited)
        {
            string? planned = session.Plan.Device.GetValueOrDefault("memory");
            bool isPlans = planned is not null && Sizes.Parse("memory", planned) == session.Device.MemoryBudget;
            string what = e.Describe(OptionNames.Of);
            throw isPlans ? session.Plan.Source.Fault("device", what, e) : new GradpathException(what, e);
        }
        catch (Exception e) when (e is GradpathException or OptionException)
        {
            // Whatever it is, the unit says it.
        }
    }

    // What is wrong with a model or prompts is for the unit to say.
    private static (Gpt2Weights Model, PromptSet Prompts)? Loaded(
        SweepSession session, SweepUnit unit, CancellationToken cancellation)
    {
        try
        {
            return (session.Weights(unit.Model, cancellation), session.Prompts(unit, cancellation).Find);
        }
        catch (GradpathException)
        {
            return null;
        }
    }
}
