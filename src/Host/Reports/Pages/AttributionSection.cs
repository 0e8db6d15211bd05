using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Reports.Pages;

/// <summary>An attribution graph, in the JSON of circuit-tracer, as a section of the report: its most influential nodes.</summary>
internal static class AttributionSection
{
    private const int Most = 20;

    /// <summary>Reads a graph.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The section, as HTML.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or is no such graph.</exception>
    public static string Of(string path) => JsonFile.Read(path, root =>
    {
        JsonElement metadata = root.Property("metadata") ?? throw Bad(path, "has no metadata");
        string prompt = metadata.Text("prompt", path) ?? throw Bad(path, "has no prompt");
        string[] tokens = [.. List(path, metadata, "prompt_tokens").Select(t =>
            t.ValueKind == JsonValueKind.String ? t.GetString()! : throw Bad(path, "has a token that is no text"))];
        List<Node> nodes = [.. List(path, root, "nodes").Select(n => NodeOf(path, n))];
        Dictionary<string, Node> named = [];
        foreach (Node node in nodes) named.TryAdd(node.Id, node);
        List<(string Source, string Target, double Weight)> links = [.. List(path, root, "links").Select(l => (
            l.Text("source", path) ?? "", l.Text("target", path) ?? "", Number(path, l, "weight") ?? 0))];
        ILookup<string, (string Source, string Target, double Weight)> by = links.ToLookup(l => l.Source);
        string next = string.Join(", ", nodes.Where(n => n.Type == "logit").Select(n => n.Label)), scan = metadata.Text("scan", path) ?? "";
        StringBuilder html = new($"""
              <section class="card">
                <h2>What comes after &ldquo;{Text(prompt)}&rdquo;</h2>
                <p class="note">Attribution graph of {Text(Path.GetFileName(path))}, transcoders {Text(scan)}: {Text(next)}.
                  {Sizes.Of(nodes.Count, "node")}, {Sizes.Of(links.Count, "edge")}. Influence: a node's with that of all that have more.</p>
                <div class="table-scroll" tabindex="0"><table><thead><tr><th>Node</th><th>At</th><th>Influence</th>
                <th>Strongest edge to</th><th>Weight</th></tr></thead><tbody>

            """);
        foreach (Node node in nodes.Where(n => n.Influence is not null).OrderBy(n => n.Influence).Take(Most))
        {
            var strongest = by[node.Id].OrderByDescending(l => Math.Abs(l.Weight)).FirstOrDefault();
            string target = strongest.Target is { } id ? named.TryGetValue(id, out Node? to) ? NameOf(to) : id : "";
            string at = node.Position >= 0 && node.Position < tokens.Length ? tokens[node.Position] : "";
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(NameOf(node))}</td><td>{node.Position} &ldquo;{Text(at)}&rdquo;");
            html.Append("</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{Sizes.Ratio(node.Influence!.Value)}</td><td>{Text(target)}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{(target.Length > 0 ? Sizes.Number(strongest.Weight) : "")}</td></tr>\n");
        }
        return html.Append("</tbody></table></div>\n  </section>\n").ToString();
    });

    private static Node NodeOf(string path, JsonElement node) => new(
        node.Text("node_id", path) ?? throw Bad(path, "has a node without node_id"),
        node.Text("feature_type", path) ?? "",
        node.Text("layer", path) ?? "",
        (int)Math.Clamp(Number(path, node, "ctx_idx") ?? -1, -1, int.MaxValue),
        node.Text("clerp", path) ?? "",
        Number(path, node, "influence"));

    private static string NameOf(Node node) => node.Label.Length > 0 ? node.Label : $"layer {node.Layer}, {node.Id}";

    private static double? Number(string path, JsonElement element, string key) => element.Property(key) is not { } value
        ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw Bad(path, $"{key} is {JsonFile.Shown(value)}; a number is needed");

    private static JsonElement.ArrayEnumerator List(string path, JsonElement element, string key) =>
        element.Property(key) is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray()
            : throw Bad(path, $"has no list of {key}");

    private static GradpathException Bad(string path, string what) => new($"{path}: no attribution graph: {what}");

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private sealed record Node(string Id, string Type, string Layer, int Position, string Label, double? Influence);
}
