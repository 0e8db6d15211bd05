namespace Gradpath.Host.Sweeps.Plan;

/// <summary>A mapping of a plan whose keys are all known.</summary>
/// <param name="value">The mapping.</param>
internal sealed class PlanMap(PlanValue value)
{
    /// <summary>The mapping as a value.</summary>
    public PlanValue Value => value;

    /// <summary>The entries, in the file's order.</summary>
    public IReadOnlyList<PlanEntry> Entries => value.Node.Entries!;

    /// <summary>The value of a key; null where it is not there.</summary>
    /// <param name="key">The key.</param>
    public PlanValue? this[string key] => Entries.FirstOrDefault(e => e.Key == key) is { } entry ? value.Below(key, entry.Value) : null;

    /// <summary>The value of a key that must be there.</summary>
    /// <param name="key">The key.</param>
    /// <param name="needed">What it names.</param>
    /// <exception cref="Gpt2Runtime.GradpathException">It is not there.</exception>
    public PlanValue Required(string key, string needed) => this[key] ?? throw value.Fault($"{key} is needed: {needed}");

    /// <summary>Whether a key is there.</summary>
    /// <param name="key">The key.</param>
    public bool Has(string key) => Entries.Any(e => e.Key == key);

    /// <summary>The line of a key, or of the mapping where it is not there.</summary>
    /// <param name="key">The key.</param>
    public int LineOf(string key) => Entries.FirstOrDefault(e => e.Key == key)?.Line ?? value.Line;
}
