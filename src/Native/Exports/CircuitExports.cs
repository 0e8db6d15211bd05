using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Native.Calls;
using Gradpath.Native.Handles;
using Gradpath.Native.Objects;
using Gradpath.Native.Options;

namespace Gradpath.Native.Exports;

/// <summary>The functions of gradpath.h about circuits.</summary>
internal static unsafe class CircuitExports
{
    [UnmanagedCallersOnly(EntryPoint = "gradpath_circuit_select", CallConvs = [typeof(CallConvCdecl)])]
    private static int Select(nint scores, byte* options, nuint optionsLength, nint* circuit) => Call.Run(() =>
    {
        Output.Require(circuit, "circuit");
        *circuit = 0;
        using HandleUse<ScoresObject> use = HandleTable.Use<ScoresObject>(scores, HandleKind.Scores, "scores");
        Func<EdgeScores, Circuit> select = OptionObject.Read(Utf8Text.Bytes(options, optionsLength, "options"), Selector.Read);
        *circuit = ModelExports.Keep(new CircuitObject(select(use.Value.Scores)));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_circuit_prune", CallConvs = [typeof(CallConvCdecl)])]
    private static int Prune(nint circuit, nint* pruned) => Call.Run(() =>
    {
        Output.Require(pruned, "pruned");
        *pruned = 0;
        using HandleUse<CircuitObject> use = HandleTable.Use<CircuitObject>(circuit, HandleKind.Circuit, "circuit");
        *pruned = ModelExports.Keep(new CircuitObject(SelectedCircuit.Prune(use.Value.Circuit)));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_circuit_edges", CallConvs = [typeof(CallConvCdecl)])]
    private static int Edges(nint circuit, byte* buffer, nuint capacity, nuint* count) => Call.Run(() =>
    {
        using HandleUse<CircuitObject> use = HandleTable.Use<CircuitObject>(circuit, HandleKind.Circuit, "circuit");
        Output.Write(MemoryMarshal.AsBytes(use.Value.Circuit.Membership), buffer, capacity, count, "edges");
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_circuit_from_edges", CallConvs = [typeof(CallConvCdecl)])]
    private static int FromEdges(uint layers, uint heads, byte* edges, nuint count, nint scores, nint* circuit) => Call.Run(() =>
    {
        Output.Require(circuit, "circuit");
        *circuit = 0;
        ComputationGraph graph = GraphExports.Graph(layers, heads);
        ReadOnlySpan<byte> given = Utf8Text.Array(edges, count, "edges");
        GraphExports.Require(graph, given.Length, "edges");
        bool[] membership = new bool[given.Length];
        for (int i = 0; i < given.Length; i++)
        {
            if (given[i] > 1) throw CallException.Argument($"edges[{i}] is {given[i]}; 0 or 1 is needed");
            (int row, int column) = Math.DivRem(i, graph.Readers);
            membership[i] = given[i] == 1;
            if (membership[i] && !graph.IsEdge(row, column))
                throw CallException.Argument($"edges[{i}] is 1, and {graph.WriterName(row)} does not feed {graph.ReaderName(column)}");
        }
        if (scores == 0)
        {
            *circuit = ModelExports.Keep(new CircuitObject(new Circuit(graph, membership)));
            return;
        }
        using HandleUse<ScoresObject> from = HandleTable.Use<ScoresObject>(scores, HandleKind.Scores, "scores");
        *circuit = ModelExports.Keep(new CircuitObject(new Circuit(graph, membership) { Scores = from.Value.Scores }));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_circuit_scores", CallConvs = [typeof(CallConvCdecl)])]
    private static int Scores(nint circuit, nint* scores) => Call.Run(() =>
    {
        Output.Require(scores, "scores");
        *scores = 0;
        using HandleUse<CircuitObject> use = HandleTable.Use<CircuitObject>(circuit, HandleKind.Circuit, "circuit");
        EdgeScores own = use.Value.Circuit.Scores
            ?? throw new CallException(Status.Input, "the circuit has no scores: it was made of edges alone");
        *scores = ModelExports.Keep(new ScoresObject(own));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_circuit_draw", CallConvs = [typeof(CallConvCdecl)])]
    private static int Draw(nint circuit, byte* options, nuint optionsLength, byte* buffer, nuint capacity, nuint* length) =>
        Call.Run(() =>
        {
            using HandleUse<CircuitObject> use = HandleTable.Use<CircuitObject>(circuit, HandleKind.Circuit, "circuit");
            (DrawingFormat format, string? title) = OptionObject.Read(
                Utf8Text.Bytes(options, optionsLength, "options"),
                o => (o.Value<DrawingFormat>("format") ?? DrawingFormat.Svg, o.Text("title")));
            Circuit drawn = use.Value.Circuit;
            string text = format switch
            {
                DrawingFormat.Html => CircuitDrawing.Html(drawn, title),
                DrawingFormat.Dot => CircuitDrawing.Dot(drawn, title),
                _ => CircuitDrawing.Svg(drawn, title),
            };
            Output.Write(text, buffer, capacity, length);
        });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_circuit_open", CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(byte* path, nuint pathLength, nint* circuit) => Call.Run(() =>
    {
        Output.Require(circuit, "circuit");
        *circuit = 0;
        *circuit = ModelExports.Keep(new CircuitObject(Circuit.Load(Utf8Text.Required(path, pathLength, "path"))));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_circuit_save", CallConvs = [typeof(CallConvCdecl)])]
    private static int Save(nint circuit, byte* path, nuint pathLength) => Call.Run(() =>
    {
        using HandleUse<CircuitObject> use = HandleTable.Use<CircuitObject>(circuit, HandleKind.Circuit, "circuit");
        use.Value.Circuit.Save(Utf8Text.Required(path, pathLength, "path"));
    });
}
