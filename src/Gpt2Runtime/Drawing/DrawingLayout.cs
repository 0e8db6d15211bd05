using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>
/// Where nodes stand and how edges run in a drawing, y downwards. The page's graph follows the same rules
/// (<c>Pages/Assets/layout.js</c>).
/// </summary>
/// <remarks>
/// A layer is one step high, the more layers the lower. Its heads stand side by side, its MLP in the last column, half a step up, because
/// it reads the heads. The input is a bar at the bottom, the logits one at the top; edges leave and reach them spread out by where they
/// come from and go to.
/// </remarks>
internal sealed class DrawingLayout
{
    public const double BarHeight = 24;
    public const double NodeHeight = 20;
    public const double NodeWidth = 58;

    private const double Left = 40;
    private const double Right = 12;
    private const double Margin = 14;
    private const double LeastStep = 62;
    private const double MostStep = 96;
    private const double Room = 620;
    private const double Gap = 66;
    private const double Column = 66;
    private const double InputGap = Gap * 0.75;

    private readonly ComputationGraph _graph;
    private readonly double _top = Margin + (BarHeight / 2);
    private readonly double _step;
    private readonly double _bottom;
    private readonly double _middle;

    public DrawingLayout(ComputationGraph graph)
    {
        _graph = graph;
        double columns = Column * graph.WritersPerLayer;
        BarWidth = Math.Max(90, columns * 0.4);
        Width = Left + columns + Right;
        _middle = Left + (columns / 2);
        _step = Math.Clamp(Room / graph.Layers, LeastStep, MostStep);
        _bottom = _top + Gap + ((graph.Layers - 0.5) * _step) + InputGap;
        Height = _bottom + (BarHeight / 2) + Margin;
    }

    /// <summary>Width of the drawing.</summary>
    public double Width { get; }

    /// <summary>Height of the drawing.</summary>
    public double Height { get; }

    /// <summary>Width of the bars for input and logits.</summary>
    public double BarWidth { get; }

    /// <summary>What a reader is.</summary>
    public static EdgeKind KindOf(ComputationGraph graph, int column)
    {
        return graph.KindOfReader(column) switch
        {
            NodeKind.Logits => EdgeKind.Logits,
            NodeKind.Mlp => EdgeKind.Mlp,
            _ => graph.InputOfReader(column) switch
            {
                HeadInput.Query => EdgeKind.Query,
                HeadInput.Key => EdgeKind.Key,
                _ => EdgeKind.Value,
            },
        };
    }

    /// <summary>Whether a node is the input or the logits.</summary>
    public bool IsBar(int node) => _graph.KindOfWriter(node) is NodeKind.Input or NodeKind.Logits;

    /// <summary>Whether a node is an MLP.</summary>
    public bool IsMlp(int node) => _graph.KindOfWriter(node) == NodeKind.Mlp;

    /// <summary>Centre of a node.</summary>
    public (double X, double Y) Place(int node)
    {
        if (node == ComputationGraph.InputRow) return (_middle, _bottom);
        if (node == _graph.LogitsNode) return (_middle, _top);
        int layer = _graph.LayerOfWriter(node), place = IsMlp(node) ? _graph.Heads : _graph.HeadOfWriter(node);
        return (Left + ((place + 0.5) * Column), _bottom - InputGap - (layer * _step) - (IsMlp(node) ? _step / 2 : 0));
    }

    /// <summary>The curve of an edge; queries come in at a head's left, keys in the middle, values at the right.</summary>
    public EdgeCurve Curve(int row, int column)
    {
        int target = _graph.NodeOfColumn(column);
        EdgeKind kind = KindOf(_graph, column);
        (double fromX, double fromY) = Place(row);
        (double toX, double toY) = Place(target);
        double spread = BarWidth / _graph.WritersPerLayer / Column;
        double x0 = fromX + (row == ComputationGraph.InputRow ? (toX - fromX) * spread : 0);
        double x1 = toX + (kind <= EdgeKind.Value ? ((int)kind - 1) * NodeWidth * 0.3 : 0) + (
            kind == EdgeKind.Logits ? (fromX - toX) * spread : 0);
        double y0 = fromY - HalfHeight(row);
        double y1 = toY + HalfHeight(target);
        double rise = y0 - y1;
        double pull = Math.Max(14, rise * 0.42);

        // An edge between nodes that stand above each other swings out to the side of the nodes between them.
        bool over = rise > _step && Math.Abs(x1 - x0) < Column * 0.6;
        double swing = over ? (x0 < _middle ? 1 : -1) * Column * Math.Min(1.3, 0.62 + (rise / 1500)) : 0;
        return new EdgeCurve(x0, y0, x0 + swing, y0 - pull, x1 + swing, y1 + pull, x1, y1);
    }

    private double HalfHeight(int node) => (IsBar(node) ? BarHeight : NodeHeight) / 2;
}
