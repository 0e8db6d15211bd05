using System.Net;
using System.Text;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>
/// The report as one HTML file that needs nothing else: style, script and data are in it, and its content policy forbids the network.
/// The style and scripts are the files in <c>Assets</c>, as they stand; the data is one JSON object (<see cref="HtmlReportJson"/>).
/// </summary>
internal static class HtmlReport
{
    // In the order in which they build on each other.
    private static readonly string[] s_scripts = ["dom.js", "model.js", "layout.js", "graph.js", "heatmap.js", "charts.js", "tables.js",
        "report.js"];

    /// <summary>Writes the page; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="data">What it shows.</param>
    /// <exception cref="GradpathException">The data cannot be shown, or the file cannot be written.</exception>
    public static void Write(string path, ReportData data)
    {
        AtomicFile.Write(path, Page(data));
    }

    /// <summary>The page's text.</summary>
    /// <exception cref="GradpathException">The data cannot be shown.</exception>
    public static string Page(ReportData data)
    {
        data.Check();
        StringBuilder page = new();
        string template = Asset("report.html");
        int at = 0;
        while (template.IndexOf("{{", at, StringComparison.Ordinal) is >= 0 and int open)
        {
            int close = template.IndexOf("}}", open, StringComparison.Ordinal);
            page.Append(template, at, open - at).Append(template[(open + 2)..close] switch
            {
                "title" => WebUtility.HtmlEncode(data.Title),
                "style" => Asset("report.css"),
                "script" => string.Join('\n', s_scripts.Select(Asset)),
                "spans" => SpanArcs.Section(data.Methods),
                "data" => HtmlReportJson.Of(data),
                "sections" => string.Concat(data.Sections),
                string other => throw new InvalidOperationException($"the template asks for '{other}'"),
            });
            at = close + 2;
        }
        return page.Append(template, at, template.Length - at).ToString();
    }

    /// <summary>A part of the pages as it stands in its file.</summary>
    /// <param name="name">The file.</param>
    internal static string Asset(string name)
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream($"Gradpath.Page.{name}")
            ?? throw new InvalidOperationException($"no asset {name}");
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
