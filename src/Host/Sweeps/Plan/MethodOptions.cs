using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
namespace Gradpath.Host.Sweeps.Plan;
/// <summary>Stub.</summary>
internal static class MethodOptions
{
    public static AttributionOptions Attribution(SweepMethod method) => new() { Method = AttributionMethods.Find(method.Name) };
    public static SearchOptions Search(SweepMethod method) => CircuitSearches.Find(method.Name).Defaults;
    public static AttributionMethod? Scorer(SweepMethod method) => CircuitSearches.Find(method.Name).NeedsScorer ? AttributionMethods.Eap : null;
}
