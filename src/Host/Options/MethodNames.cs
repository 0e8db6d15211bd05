using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Host.Options;

/// <summary>Attribution methods as options name them.</summary>
internal static class MethodNames
{
    /// <summary>The method that an option names.</summary>
    /// <param name="option">The option without its dashes.</param>
    /// <param name="name">Its value.</param>
    /// <param name="others">What else the option takes.</param>
    /// <exception cref="UsageException">There is none of this name; the message says which one may be meant.</exception>
    public static AttributionMethod Parse(string option, string name, params string[] others) =>
        AttributionMethods.TryFind(name, out AttributionMethod? method)
            ? method
            : throw new UsageException($"--{option} {name}: {AttributionMethods.Unknown(name, others)}.");

    /// <summary>The method that an option names as a member of an ensemble, which is no ensemble itself.</summary>
    /// <inheritdoc cref="Parse"/>
    public static AttributionMethod Member(string option, string name) => AttributionMethods.TryFind(name, out AttributionMethod? method)
        ? method
        : throw new UsageException(
            $"--{option} {name}: {AttributionMethods.Unknown(name, AttributionMethods.All.Where(m => m.Members.Count == 0))}.");
}
