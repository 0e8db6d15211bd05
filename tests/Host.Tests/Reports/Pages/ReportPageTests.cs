using System.Globalization;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Commands;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Reports.Tables;

namespace Gradpath.Host.Tests;

/// <summary>The report's page in a browser.</summary>
public sealed class ReportPageTests(Browser browser) : IClassFixture<Browser>, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData(1280, false)]
    [InlineData(1280, true)]
    [InlineData(400, false)]
    [InlineData(400, true)]
    public void The_page_loads_without_errors_network_or_overflow(int width, bool dark)
    {
        Open(ReportSamples.Small("eap", "eap-ig", "eap-gp"), width, dark);
        Assert.Empty(browser.Errors);
        Assert.All(browser.Requests, r => Assert.True(r.StartsWith("file:", StringComparison.Ordinal)
            || r.StartsWith("data:", StringComparison.Ordinal), r));
        Assert.True(browser.Script<int>("document.documentElement.scrollWidth") <= width);
        Assert.Equal("", browser.Script<string>("[...document.querySelectorAll('.card')].filter(c => c.scrollWidth > c.clientWidth).map(c "
            + "=> c.id).join()"));
        foreach (string chart in new[] { "curve-chart", "norm-chart", "distance-chart" })
            Assert.Equal(3, browser.Script<int>($"document.querySelectorAll('#{chart} > svg > .line').length"));
    }

    [SkippableFact]
    public void The_slider_selects_and_prunes_as_the_library_does()
    {
        EdgeScores scores = ReportSamples.Scores(12, 12);
        Open(ReportData.Of("Large", [new ReportMethod("eap", scores)]));
        foreach (int n in new[] { 0, 1, 2, 7, 33, 100, 1000, 5000, 32491 })
        {
            SetNumber(n);
            Circuit expected = CircuitPruning.Prune(CircuitSelection.TopEdges(scores, n));
            int[] drawn = browser.Script<int[]>("Array.from(gradpathReport.view.shown, e => gradpathReport.graph.row(e) * "
                + "gradpathReport.graph.readers + gradpathReport.graph.column(e)).sort((a, b) => a - b)");
            Assert.Equal(expected.Edges.Select(e => scores.IndexOf(e.Row, e.Column)).Order(), drawn);
            Assert.Equal(expected.EdgeCount.ToString(CultureInfo.InvariantCulture),
                browser.Script<string>("byId('graph').firstChild.dataset.edges"));
            Assert.Equal(
                expected.EdgeCount == 0 ? 0 : expected.NodeCount + 1, browser.Script<int>("document.querySelectorAll('.node').length"));
        }
        browser.Script<bool>("(byId('size').value = 30, byId('size').dispatchEvent(new Event('input')))");
        browser.Settle();
        int size = browser.Script<int>("Number(byId('size-exact').value)");
        Assert.True(size > 20, $"{size}");
        Assert.Equal(CircuitPruning.Prune(CircuitSelection.TopEdges(scores, size)).EdgeCount, DrawnEdges());
        Assert.Empty(browser.Errors);
    }

    [SkippableFact]
    public void The_graph_numbers_and_names_edges_as_the_library_does()
    {
        EdgeScores scores = ReportSamples.Scores(3, 2);
        Open(ReportData.Of("Names", [new ReportMethod("eap", scores)]));
        ComputationGraph graph = scores.Graph;
        (int Row, int Column)[] edges = [.. graph.Edges.OrderBy(e => scores.IndexOf(e.Row, e.Column))];
        Assert.Equal(
            edges.Select(e => graph.EdgeName(e.Row, e.Column)),
            browser.Script<string[]>("Array.from({ length: gradpathReport.graph.edgeCount }, (_, e) => gradpathReport.graph.edgeName(e))"));
        Assert.Equal(edges.Select(e => scores[e.Row, e.Column]), browser.Script<float[]>("Array.from(gradpathReport.method.scores)"));
        int[] ranking = browser.Script<int[]>("Array.from(gradpathReport.method.ranking, e => gradpathReport.graph.row(e) * "
            + "gradpathReport.graph.readers + gradpathReport.graph.column(e))");
        Assert.Equal(scores.Rank(graph.EdgeCount), ranking);
    }

    [SkippableFact]
    public void Drawings_and_the_page_place_nodes_and_edges_alike()
    {
        ComputationGraph graph = new(4, 8);
        Open(ReportSamples.Small("eap"));
        DrawingLayout layout = new(graph);
        // At this width the page's columns are as wide as a drawing's.
        string page = string.Create(CultureInfo.InvariantCulture, $"new Layout(new ComputationGraph(4, 8), {layout.Width})");
        double[] places = browser.Script<double[]>(
            $"(l => Array.from({{ length: {graph.Writers + 1} }}, (_, n) => l.place(n)).flatMap(p => [p.x, p.y]))({page})");
        AssertClose(Enumerable.Range(0, graph.Writers + 1).Select(layout.Place).SelectMany(p => new[] { p.X, p.Y }), places);
        double[] curves = browser.Script<double[]>(
            $"(l => Array.from({{ length: l.graph.edgeCount }}, (_, e) => l.edge(l.graph.row(e), l.graph.column(e))).flatMap(c => [c.x0, "
                + $"c.y0, c.cx0, c.cy0, c.cx1, c.cy1, c.x1, c.y1]))({page})");
        AssertClose(
            graph.Edges.OrderBy(e => (e.Row * graph.Readers) + e.Column).Select(e => layout.Curve(e.Row, e.Column))
                .SelectMany(c => new[] { c.X0, c.Y0, c.ControlX0, c.ControlY0, c.ControlX1, c.ControlY1, c.X1, c.Y1 }),
            curves);
    }

    [SkippableFact]
    public void The_tooltip_shows_the_edge_under_the_pointer()
    {
        ReportData data = ReportSamples.Small("eap");
        Open(data);
        SetNumber(120);
        double[] point = browser.Script<double[]>("(() => { byId('graph').scrollIntoView({ block: 'center' }); const p = "
            + "curvePoint(gradpathReport.view.curves[0], 0.4), b = gradpathReport.view.svg.getBoundingClientRect(); return [p.x + b.left, "
            + "p.y + b.top]; })()");
        browser.MoveMouse(point[0], point[1]);
        browser.Settle();
        string name = browser.Script<string>("gradpathReport.graph.edgeName(gradpathReport.view.shown[0])");
        Assert.True(data.Graph.TryParseEdge(name, out int row, out int column));
        string text = Tooltip();
        Assert.StartsWith(name, text, StringComparison.Ordinal);
        Assert.Contains($"score {ScoreText.Of(data.Methods[0].Scores[row, column])}", text, StringComparison.Ordinal);
        browser.MoveMouse(2, 2);
        browser.Settle();
        Assert.Equal("", Tooltip());
    }

    [SkippableFact]
    public void The_heat_map_names_the_edge_under_the_pointer_and_the_cursor()
    {
        ReportData data = ReportSamples.Small("eap");
        Open(data);
        ComputationGraph graph = data.Graph;
        double[] point = browser.Script<double[]>(string.Create(
            CultureInfo.InvariantCulture,
            $"(() => {{ byId('heatmap').scrollIntoView({{ block: 'center' }}); const b = document.querySelector('.heat-plot "
                + $"canvas').getBoundingClientRect(); return [b.left + b.width * {(graph.LogitsColumn + 0.5) / graph.Readers}, b.top + "
                + $"b.height * {2.5 / graph.Writers}]; }})()"));
        browser.MoveMouse(point[0], point[1]);
        browser.Settle();
        Assert.Equal($"a0.h1->logits|score {ScoreText.Of(data.Methods[0].Scores[2, graph.LogitsColumn])}", Tooltip());
        browser.Script<bool>("(document.querySelector('.heat-plot canvas').focus(), true)");
        browser.Press("ArrowDown");
        Assert.StartsWith("a0.h2->logits|", Tooltip(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Large_matrices_show_the_strongest_edge_of_each_block()
    {
        EdgeScores scores = ReportSamples.Scores(12, 12);
        Open(ReportData.Of("Blocks", [new ReportMethod("eap", scores)]), 400);
        int block = browser.Script<int>("gradpathReport.heatMap.block");
        Assert.True(block > 1);
        float[] shown = browser.Script<float[]>(
            "Array.from(gradpathReport.heatMap.strongest, e => e < 0 ? -1 : Math.abs(gradpathReport.method.scores[e]))");
        int columns = (scores.Graph.Readers + block - 1) / block;
        float[] expected = new float[columns * ((scores.Graph.Writers + block - 1) / block)];
        Array.Fill(expected, -1);
        foreach ((int row, int column) in scores.Graph.Edges)
        {
            int cell = (row / block * columns) + (column / block);
            expected[cell] = MathF.Max(expected[cell], MathF.Abs(scores[row, column]));
        }
        Assert.Equal(expected, shown);
    }

    [SkippableFact]
    public void A_click_isolates_the_paths_through_a_node_and_the_background_clears()
    {
        ReportData data = ReportSamples.Small("eap");
        Open(data);
        SetNumber(120);
        int all = DrawnEdges();
        double[] node = browser.Script<double[]>("(() => { byId('graph').scrollIntoView({ block: 'center' }); const b = "
            + "document.querySelector('.node.head').getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2, "
            + "Number(document.querySelector('.node.head').dataset.node)]; })()");
        Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(data.Methods[0].Scores, 120));
        int expected = EdgesThrough(circuit, (int)node[2]);
        Assert.InRange(expected, 1, all - 1);
        browser.Click(node[0], node[1]);
        Assert.Equal(expected, DrawnEdges());
        Assert.False(browser.Script<bool>("byId('node-details').hidden"));
        double[] background = browser.Script<double[]>(
            "(() => { const b = gradpathReport.view.svg.getBoundingClientRect(); return [b.left + 3, b.top + 3]; })()");
        browser.Click(background[0], background[1]);
        Assert.Equal(all, DrawnEdges());
        Assert.True(browser.Script<bool>("byId('node-details').hidden"));
    }

    [SkippableFact]
    public void The_keyboard_reaches_slider_nodes_and_charts()
    {
        Open(ReportSamples.Small("eap", "eap-ig"));
        browser.Script<bool>("(byId('size').focus(), true)");
        int before = browser.Script<int>("gradpathReport.size");
        browser.Press("ArrowRight");
        Assert.True(browser.Script<int>("gradpathReport.size") > before);
        Assert.Contains("edges", browser.Script<string>("byId('size').getAttribute('aria-valuetext')"), StringComparison.Ordinal);

        browser.Script<bool>("(byId('colouring').focus(), true)");
        browser.Press("Tab");
        Assert.Equal("input", FocusedNode());
        Assert.StartsWith("input|", Tooltip(), StringComparison.Ordinal);
        browser.Press("ArrowUp");
        string above = FocusedNode();
        Assert.StartsWith("a0.", above, StringComparison.Ordinal);
        browser.Press("ArrowRight");
        Assert.NotEqual(above, FocusedNode());
        int all = DrawnEdges();
        browser.Press("Enter");
        Assert.True(DrawnEdges() < all);
        Assert.Equal("true", browser.Script<string>("document.activeElement.getAttribute('aria-pressed')"));
        browser.Press("Escape");
        Assert.Equal(all, DrawnEdges());

        browser.Script<bool>("(document.querySelector('#curve-chart .marker').focus(), true)");
        Assert.Equal("eap|faithfulness 0.3 (0.2 to 0.4)|10 edges, 8 after pruning|1 % of all", Tooltip());
        Assert.Empty(browser.Errors);
    }

    [SkippableFact]
    public void Methods_and_ranks_can_be_chosen()
    {
        ReportData data = ReportSamples.Small("eap", "eap-ig");
        Open(data);
        browser.Script<bool>("(byId('method').value = 1, byId('method').dispatchEvent(new Event('change')))");
        browser.Settle();
        Assert.Equal(CircuitPruning.Prune(CircuitSelection.TopEdges(data.Methods[1].Scores, 100)).EdgeCount, DrawnEdges());
        browser.Script<bool>("(document.querySelectorAll('#edge-table button')[1].click(), true)");
        ScoredEdge strongest = data.Methods[1].Scores.Strongest(1)[0];
        Assert.Equal(data.Graph.EdgeName(strongest.Row, strongest.Column),
            browser.Script<string>("document.querySelector('#edge-table tbody th').textContent"));
        Assert.Equal(
            "ascending", browser.Script<string>("document.querySelectorAll('#edge-table th[aria-sort]')[1].getAttribute('aria-sort')"));
    }

    [SkippableFact]
    public void Dark_and_light_follow_the_system_and_the_button()
    {
        const string background =
            "getComputedStyle(document.body).backgroundColor + ' ' + getComputedStyle(document.querySelector('.card')).color";
        Open(ReportSamples.Small("eap"));
        string light = browser.Script<string>(background);
        browser.Script<bool>("(byId('theme').click(), true)");
        string dark = browser.Script<string>(background);
        Assert.NotEqual(light, dark);
        Open(ReportSamples.Small("eap"), dark: true);
        Assert.Equal(dark, browser.Script<string>(background));
    }

    [SkippableFact]
    public void A_circuit_from_a_file_is_shown_as_it_stands()
    {
        EdgeScores scores = ReportSamples.Scores(2, 2);
        bool[] edges = new bool[scores.Values.Length];
        edges[scores.IndexOf(0, scores.Graph.LogitsColumn)] = edges[scores.IndexOf(1, scores.Graph.MlpColumn(0))] = true;
        EdgeScores marked = new(scores.Graph, scores.Values) { EdgesInGraph = edges };
        Open(ReportData.Of("Circuit", [new ReportMethod("eap", marked)]) with { GraphOnly = true, StartWithCircuit = true });
        Assert.Equal(["a0.h0->m0", "input->logits"],
            browser.Script<string[]>("Array.from(gradpathReport.view.shown, e => gradpathReport.graph.edgeName(e)).sort()"));
        Assert.Equal(1, browser.Script<int>("document.querySelectorAll('.card').length"));
        Assert.Empty(browser.Errors);
    }

    [SkippableFact]
    public void Training_is_drawn_in_windows_with_its_target()
    {
        EdgePruningStep[] steps = [.. Enumerable.Range(1, 150).Select(i =>
            new EdgePruningStep(i, 1.0 / i, 0.1, 0, i / 150.0, i / 160.0, 0, 0))];
        Open(ReportData.Of("Circuit", [new ReportMethod("edge-pruning", ReportSamples.Scores(2, 2)) { Training = steps }]), 400);
        Assert.Empty(browser.Errors);
        Assert.Equal(50, browser.Script<int>("document.querySelectorAll('#kl-chart .line .marker').length - "
            + "document.querySelectorAll('#kl-chart .legend .marker').length"));
        Assert.Equal(2, browser.Script<int>("document.querySelectorAll('#sparsity-chart > svg > .line').length"));
        Assert.Contains("steps 148 to 150",
            browser.Script<string>("[...document.querySelectorAll('#sparsity-chart > svg .marker')].at(-1).getAttribute('aria-label')"),
            StringComparison.Ordinal);
        Assert.True(browser.Script<int>("document.documentElement.scrollWidth") <= 400);
    }

    [SkippableFact]
    public void Text_from_files_stays_text()
    {
        const string attack = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 1'>\"'&{{data}}";
        EdgeScores scores = ReportSamples.Scores(
            2, 2, provenance: new Provenance { Model = attack, Task = attack, Method = attack, Sign = attack });
        Open(ReportData.Of(attack, [ReportSamples.Method(attack, scores)]));
        Assert.True(browser.Script<bool>("window.hit === undefined && document.images.length === 0"));
        Assert.Equal(attack, browser.Script<string>("document.title"));
        Assert.Equal(attack, browser.Script<string>("byId('method').options[0].textContent"));
        Assert.Empty(browser.Errors);
    }

    [SkippableFact]
    public void A_page_of_32491_edges_is_quick()
    {
        Open(ReportData.Of("Large", [new ReportMethod("eap", ReportSamples.Scores(12, 12)),
            new ReportMethod("eap-ig", ReportSamples.Scores(12, 12, 2))]));
        double loaded = browser.ProcessorSeconds();
        Assert.InRange(loaded, 0.001, 10);
        SetNumber(32491);
        Assert.InRange(browser.ProcessorSeconds() - loaded, 0.001, 10);
        Assert.Equal(32491, DrawnEdges());
    }

    private void Open(ReportData data, int width = 1280, bool dark = false)
    {
        browser.Require();
        browser.Resize(width, 900);
        browser.PreferDark(dark);
        HtmlReport.Write(_folder["report.html"], data);
        browser.Open(_folder["report.html"]);
    }

    private void SetNumber(int n)
    {
        browser.Script<bool>(string.Create(CultureInfo.InvariantCulture,
            $"(byId('size-exact').value = {n}, byId('size-exact').dispatchEvent(new Event('input')))"));
        browser.Settle();
    }

    private int DrawnEdges() => browser.Script<int>("Number(byId('graph').firstChild.dataset.edges)");

    private string FocusedNode() =>
        browser.Script<string>("document.activeElement.querySelector('text')?.textContent ?? document.activeElement.outerHTML");

    private string Tooltip() =>
        browser.Script<string>("byId('tooltip').hidden ? '' : [...byId('tooltip').children].map(c => c.textContent).join('|')");

    // Edges with the node upstream of the writer or downstream of the reader, by search from edge to edge.
    private static int EdgesThrough(Circuit circuit, int node)
    {
        ComputationGraph graph = circuit.Graph;
        (int From, int To)[] edges = [.. circuit.Edges.Select(e => (e.Row, graph.NodeOfColumn(e.Column)))];
        HashSet<int> Reach(int start, bool up)
        {
            HashSet<int> reached = [start];
            for (int size = 0; size != reached.Count;)
            {
                size = reached.Count;
                foreach ((int from, int to) in edges)
                {
                    if (reached.Contains(up ? from : to)) reached.Add(up ? to : from);
                }
            }
            return reached;
        }
        HashSet<int> above = Reach(node, true), below = Reach(node, false);
        return edges.Count(e => above.Contains(e.From) || below.Contains(e.To));
    }

    private static void AssertClose(IEnumerable<double> expected, double[] actual)
    {
        double[] all = [.. expected];
        Assert.Equal(all.Length, actual.Length);
        for (int i = 0; i < all.Length; i++) Assert.Equal(all[i], actual[i], 1e-6);
    }
}
