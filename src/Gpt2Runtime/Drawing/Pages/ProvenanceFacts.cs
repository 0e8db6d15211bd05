using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>A provenance as names and values, for tables.</summary>
internal static class ProvenanceFacts
{
    /// <summary>The entries in the record's order; options and the selection stand one by one, as <c>options.steps</c>.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Of(Provenance? provenance) =>
        provenance is null ? [] : Flatten(provenance.ToJson(), "");

    private static IEnumerable<KeyValuePair<string, string>> Flatten(JsonObject json, string prefix)
    {
        foreach ((string key, JsonNode? value) in json)
        {
            if (value is JsonObject inner)
            {
                foreach (KeyValuePair<string, string> entry in Flatten(inner, $"{prefix}{key}.")) yield return entry;
            }
            else if (value is not null)
            {
                yield return new(
                    prefix + key, value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString());
            }
        }
    }
}
