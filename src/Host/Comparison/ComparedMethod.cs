using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Host.Options;

namespace Gradpath.Host.Comparison;

/// <summary>What can be compared: a method whose scores are cut, or a search that can be asked for a size.</summary>
internal sealed class ComparedMethod
{
    private ComparedMethod(string name, AttributionMethod? scorer, CircuitSearch? search)
    {
        Name = name;
        Scorer = scorer;
        Search = search;
    }

    /// <summary>All searches that can be asked for a size.</summary>
    public static IReadOnlyList<ComparedMethod> Searches { get; } =
        [.. CircuitSearches.All.Where(s => s.Sizing != SearchSizing.None).Select(s => new ComparedMethod(s.Name, null, s))];

    /// <summary>What is compared where the user names nothing.</summary>
    public static IReadOnlyList<ComparedMethod> Defaults { get; } =
    [
        Of(AttributionMethods.Eap), Of(AttributionMethods.EapIg), Of(AttributionMethods.EapGp), Of(AttributionMethods.Ceap),
        Of(AttributionMethods.Relp), Of(AttributionMethods.Gim), Of(AttributionMethods.AtpStar), .. Searches,
        Of(AttributionMethods.Random),
    ];

    /// <summary>What the table, files and the option call it.</summary>
    public string Name { get; }

    /// <summary>The method whose scores are cut; null for a search.</summary>
    public AttributionMethod? Scorer { get; }

    /// <summary>The search; null for scores.</summary>
    public CircuitSearch? Search { get; }

    /// <summary>What a value of <c>--methods</c> names.</summary>
    /// <exception cref="UsageException">There is none of this name; the message says which one may be meant.</exception>
    public static ComparedMethod Parse(string name) =>
        CircuitSearches.TryFind(name, out CircuitSearch? search) && Searches.FirstOrDefault(m => m.Search == search) is { } known
            ? known
            : Of(MethodNames.Parse("methods", name, [.. Searches.Select(m => m.Name)]));

    /// <summary>Whether a row can be of a method of this name.</summary>
    public static bool IsName(string name) => Searches.Any(m => m.Name == name) || AttributionMethods.All.Any(m => m.Name == name);

    private static ComparedMethod Of(AttributionMethod method) => new(method.Name, method, null);
}
