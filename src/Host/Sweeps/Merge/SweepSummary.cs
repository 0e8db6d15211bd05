using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>What a reader should know of a sweep first.</summary>
internal static class SweepSummary
{
    /// <summary>The sweep in a line.</summary>
    /// <param name="input">The sweep.</param>
    public static string Line(MergeInput input) => string.Join("; ", Facts(input).Select(f => $"{f.Key}: {f.Value}"));

    /// <summary>Names and values.</summary>
    /// <param name="input">The sweep.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> Facts(MergeInput input)
    {
        MergeInput ordered = input.Ordered();
        SweepUnit[] units = [.. ordered.Done.Select(d => d.Unit), .. ordered.Failed.Select(f => f.Unit)];
        int open = Math.Max(0, input.Units - input.Done.Count - input.Failed.Count);
        string state = $"{Sizes.Count(input.Done.Count)} of {Sizes.Of(input.Units, "unit")} done, {Sizes.Count(input.Failed.Count)} failed";
        List<KeyValuePair<string, string>> facts = [];
        void Add(string name, IEnumerable<string?> values)
        {
            string[] all = [.. values.OfType<string>().Distinct()];
            if (all.Length > 0) facts.Add(new(name, string.Join(", ", all)));
        }
        Add("plan", [input.Plan.Name]);
        Add("state", [open > 0 ? $"{state}, {Sizes.Count(open)} open" : state]);
        Add("models", input.Plan.Models);
        Add("tasks", input.Plan.Tasks.Select(t => t.Name));
        Add("seeds", input.Plan.Seeds.Select(s => $"{s}"));
        Add("metrics", units.Select(u => u.Metric).Order(StringComparer.Ordinal));
        Add("ablations", input.Plan.Ablations.Select(a => EnumNames.Of(a)));
        Add("devices", Made(ordered, "device"));
        Add("precision", Made(ordered, "precision"));
        Add("versions", Made(ordered, "version"));
        return facts;
    }

    private static IEnumerable<string?> Made(MergeInput input, string name) =>
        input.Done.Select(d => new SweepTableRow(d.Unit, d.Result, null).Made(name)).Order(StringComparer.Ordinal);
}
