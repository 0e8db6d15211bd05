using System.Globalization;
using System.Net;
using System.Text;
using Gradpath.Gpt2Runtime.Positions;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>
/// Scores of edges between spans as a picture: spans in their order on a line, for each pair an arc as wide as the sum of the sizes of its
/// scores, within a span a bar. Arcs lead through keys and values from the span where something is written to the one that reads it.
/// </summary>
internal static class SpanArcs
{
    private const int Step = 110;
    private const int Margin = 60;
    private const int Widest = 22;

    /// <summary>The part of a page with the pictures of all methods that have spans.</summary>
    /// <param name="methods">The methods.</param>
    /// <returns>HTML; nothing where no method has spans.</returns>
    public static string Section(IReadOnlyList<ReportMethod> methods)
    {
        if (methods.All(m => m.Spans is null)) return "";
        StringBuilder html = new("""
              <section class="card" id="spans" aria-labelledby="spans-title">
                <h2 id="spans-title">Between spans of the prompts</h2>
                <p class="note">Spans in the order of the prompt. An arc is what attention's keys and values carry from where it
                  is written to where it is read, a bar what stays within a span; both are as wide as the sum of the sizes of the scores.
                  Point at one for its figures.</p>

            """);
        foreach (ReportMethod method in methods.Where(m => m.Spans is not null))
            html.Append(CultureInfo.InvariantCulture, $"    <h3>{Text(method.Name)}</h3>\n    {Picture(method.Name, method.Spans!)}\n");
        return html.Append("  </section>").ToString();
    }

    /// <summary>The picture of one method's scores.</summary>
    /// <param name="name">What the picture is called.</param>
    /// <param name="scores">The scores.</param>
    /// <returns>An SVG element.</returns>
    public static string Picture(string name, PositionalScores scores)
    {
        PositionalGraph graph = scores.Graph;
        var sums = new Dictionary<(int From, int To), (double Size, double Sum)>();
        foreach (PositionalEdge edge in graph.Edges)
        {
            (double size, double sum) = sums.GetValueOrDefault((edge.From, edge.To));
            sums[(edge.From, edge.To)] = (size + Math.Abs(scores[edge]), sum + scores[edge]);
        }
        double most = sums.Values.Max(s => s.Size), all = sums.Values.Sum(s => s.Size);

        // What cannot be seen takes no room.
        (int From, int To)[] seen = [.. sums.Keys.Where(p => Widest * sums[p].Size >= 0.1 * most)];
        int longest = seen.Max(p => Math.Abs(p.To - p.From));
        int baseline = Margin + (longest * Step / 2), width = (2 * Margin) + ((graph.Spans.Count - 1) * Step), height = baseline + 70;
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg class=\"spans\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\"")
            .Append(CultureInfo.InvariantCulture, $" aria-label=\"Scores between spans, {Text(name)}\">");
        foreach ((int from, int to) in seen.OrderBy(p => sums[p].Size).ThenBy(p => p))
        {
            (double size, double sum) = sums[(from, to)];
            double stroke = most == 0 ? 0 : Widest * size / most;
            string title = $"<title>{Text(graph.Spans[from])} to {Text(graph.Spans[to])}: sum {ScoreText.Of((float)sum)}, sizes "
                + string.Create(CultureInfo.InvariantCulture, $"{size:0.####} ({(all == 0 ? 0 : size / all):P1} of all)</title>");
            double x = X(from);
            if (from == to)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x - 20:0.#}\" y=\"{baseline:0.#}\" width=\"40\" height=\"")
                    .Append(CultureInfo.InvariantCulture, $"{stroke:0.##}\" fill=\"currentColor\" opacity=\"0.55\">{title}</rect>");
                continue;
            }
            double end = X(to), top = baseline - (Math.Abs(to - from) * Step / 1.5);
            string colour = sum < 0 ? "helps" : "hurts";
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M {x:0.#} {baseline} C {x:0.#} {top:0.#} {end:0.#} {top:0.#} {end:0.#} ")
                .Append(CultureInfo.InvariantCulture, $"{baseline}\" class=\"{colour}\" stroke-width=\"{stroke:0.##}\"")
                .Append(CultureInfo.InvariantCulture, $">{title}</path>");
        }
        for (int s = 0; s < graph.Spans.Count; s++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(s)}\" y=\"{baseline + 45}\" text-anchor=\"middle\" ")
                .Append(CultureInfo.InvariantCulture, $"fill=\"currentColor\">{Text(graph.Spans[s])}</text>");
        }
        return svg.Append("</svg>").ToString();

        static int X(int span) => Margin + (span * Step);
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
