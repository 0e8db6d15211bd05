using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>Draws circuits: as SVG for papers, in Graphviz's language, or as a page of HTML in which the circuit can be explored.</summary>
public static class CircuitDrawing
{
    /// <summary>Number of edges that a page shows at first where nothing else is said.</summary>
    public const int DefaultTop = 100;

    /// <summary>A drawing as SVG on white, with a legend.</summary>
    /// <param name="circuit">The circuit; without scores all lines are equally wide.</param>
    /// <param name="title">Its name, for screen readers; null for what its provenance says.</param>
    /// <returns>The drawing's text.</returns>
    public static string Svg(Circuit circuit, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        return SvgDrawing.Draw(circuit, title ?? Title(circuit));
    }

    /// <summary>The circuit in Graphviz's language: each layer's heads are one rank, its MLP the next one, from the input up.</summary>
    /// <param name="circuit">The circuit; without scores all lines are equally wide.</param>
    /// <param name="title">The graph's name; null for what its provenance says.</param>
    /// <returns>The graph's text.</returns>
    public static string Dot(Circuit circuit, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        return DotDrawing.Draw(circuit, title ?? Title(circuit));
    }

    /// <summary>A page that needs nothing else, in which the circuit can be explored, and other sizes of it by its scores.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="title">The heading; null for what its provenance says.</param>
    /// <returns>The page's text.</returns>
    /// <exception cref="GradpathException">A score is not a finite number, or the graph is too large for a page.</exception>
    public static string Html(Circuit circuit, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        return HtmlReport.Page(Page(circuit, title, DefaultTop, startWithCircuit: true, circuit.Provenance?.Method ?? "circuit"));
    }

    /// <summary>Writes a drawing to a file. One that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file; its extension names the kind: <c>.svg</c>, <c>.dot</c>, <c>.html</c>.</param>
    /// <param name="circuit">The circuit.</param>
    /// <param name="title">Its name; null for what its provenance says.</param>
    /// <exception cref="GradpathException">The extension is not known, a score is not a finite number, or the file cannot be
    /// written.</exception>
    public static void Save(string path, Circuit circuit, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(circuit);
        AtomicFile.Write(path, Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".svg" => Svg(circuit, title),
            ".dot" => Dot(circuit, title),
            ".html" => Html(circuit, title),
            _ => throw new GradpathException($"{path}: drawings are written to .svg, .dot and .html files."),
        });
    }

    /// <summary>What a drawing is called where nobody says: by task and model.</summary>
    /// <param name="circuit">The circuit.</param>
    internal static string Title(Circuit circuit) => ReportData.DefaultTitle(circuit.Provenance);

    /// <summary>What a page of one circuit shows.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="title">The heading; null for what its provenance says.</param>
    /// <param name="top">Number of edges at first, where it does not start with the circuit.</param>
    /// <param name="startWithCircuit">Whether it starts with the circuit.</param>
    /// <param name="name">What it calls the scores.</param>
    internal static ReportData Page(Circuit circuit, string? title, int top, bool startWithCircuit, string name) =>
        ReportData.Of(
            title ?? Title(circuit), [new ReportMethod(name, startWithCircuit ? CircuitFile.Marked(circuit) : circuit.Scores!)]) with
        {
            GraphOnly = true,
            StartWithCircuit = startWithCircuit,
            Top = top,
        };
}
