namespace Gradpath.Tests.Support.Goldens;

/// <summary>
/// The name of golden scores, <c>method[option=value,flag]/metric/normalization</c>, taken apart.
/// path.json's names have no metric and no normalization: these are empty then.
/// </summary>
/// <param name="Text">The whole name.</param>
/// <param name="Method">As <c>EAP</c>, <c>EAP-IG-inputs</c>, <c>EAP-GP</c>.</param>
/// <param name="Options">As k -> 5, objective -> logits_last; a flag has the value <c>true</c>.</param>
/// <param name="Metric"><c>logit_diff</c>, <c>kl</c>, <c>none</c> or empty.</param>
/// <param name="Normalization"><c>per_item_mean</c>, <c>per_item_mean_zero_filled</c>, <c>library_bsB</c> or empty.</param>
internal sealed record GoldenKey(
    string Text, string Method, IReadOnlyDictionary<string, string> Options, string Metric, string Normalization)
{
    private const string LibraryPrefix = "library_bs";

    /// <summary>The batch size B of <c>library_bsB</c>, otherwise null.</summary>
    public int? LibraryBatchSize => Normalization.StartsWith(LibraryPrefix, StringComparison.Ordinal)
        ? int.Parse(Normalization.AsSpan(LibraryPrefix.Length), provider: null)
        : null;

    /// <summary>The option's value, or what holds without it.</summary>
    public string Option(string name, string otherwise) => Options.GetValueOrDefault(name, otherwise);

    public static GoldenKey Parse(string text)
    {
        string[] parts = text.Split('/');
        string method = parts[0];
        Dictionary<string, string> options = new(StringComparer.Ordinal);
        int bracket = method.IndexOf('[', StringComparison.Ordinal);
        if (bracket >= 0)
        {
            foreach (string option in method[(bracket + 1)..^1].Split(','))
            {
                string[] pair = option.Split('=');
                options.Add(pair[0], pair.Length > 1 ? pair[1] : "true");
            }
            method = method[..bracket];
        }
        return new GoldenKey(text, method, options, parts.ElementAtOrDefault(1) ?? "", parts.ElementAtOrDefault(2) ?? "");
    }

    public override string ToString() => Text;
}
