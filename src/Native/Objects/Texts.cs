using System.Text.Json.Nodes;

namespace Gradpath.Native.Objects;

/// <summary>Texts as JSON.</summary>
internal static class Texts
{
    /// <summary>An array of texts.</summary>
    /// <param name="texts">The texts.</param>
    public static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(t => JsonValue.Create(t))]);
}
