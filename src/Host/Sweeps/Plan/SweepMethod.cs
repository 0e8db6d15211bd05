namespace Gradpath.Host.Sweeps.Plan;

/// <summary>A method with one value for each of its options.</summary>
/// <param name="Name">Its canonical name, of the table of attribution methods or of that of searches.</param>
/// <param name="Verb">The verb whose options it takes: <c>score</c>, or that of the search.</param>
/// <param name="Options">Options of that verb without their dashes, in the plan's order, with values as the command line writes
/// them; of a switch, <c>true</c> or <c>false</c>.</param>
/// <param name="Line">Its line in the plan, from 1; 0 where it was read from the canonical form.</param>
internal sealed record SweepMethod(string Name, string Verb, IReadOnlyList<(string Option, string Value)> Options, int Line)
{
    /// <summary>Its options in one text, such as <c>steps=5 path-start=clean</c>; empty without any.</summary>
    public string Setting => string.Join(' ', Options.Select(o => $"{o.Option}={o.Value}"));

    /// <summary>Name and setting.</summary>
    public string Label => Options.Count == 0 ? Name : $"{Name} {Setting}";
}
