using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Transcoders;

namespace Gradpath.Host.Reports.Pages;

/// <summary>
/// The page of an attribution graph: the graph as its JSON file has it, the report's style, a script that draws it. No network is needed.
/// </summary>
internal static class AttributionGraphPage
{
    /// <summary>The page.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="text">What it says in words.</param>
    public static string Of(PrunedGraph graph, GraphText text)
    {
        JsonObject data = AttributionGraphJson.Of(graph, text);
        StringBuilder page = new(HtmlReport.Asset("attribution.html"));
        page.Replace("{{title}}", Heading(text.Prompt));
        page.Replace("{{style}}", HtmlReport.Asset("report.css"));
        page.Replace("{{script}}", HtmlReport.Asset("attribution.js"));

        // Last, so that nothing in a prompt is taken for a place of the template; a script ends at no text of it.
        page.Replace("{{data}}", data.ToJsonString().Replace("<", "\\u003c", StringComparison.Ordinal));
        return page.ToString();
    }

    // Braces would be places of the template.
    private static string Heading(string prompt) =>
        WebUtility.HtmlEncode($"What comes after \"{prompt}\"").Replace("{", "&#123;", StringComparison.Ordinal);
}
