using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Native.Calls;
using Gradpath.Native.Handles;
using Gradpath.Native.Objects;
using Gradpath.Native.Options;

namespace Gradpath.Native.Exports;

/// <summary>The functions of gradpath.h about scores.</summary>
internal static unsafe class ScoreExports
{
    [UnmanagedCallersOnly(EntryPoint = "gradpath_score", CallConvs = [typeof(CallConvCdecl)])]
    private static int Score(nint model, nint prompts, byte* options, nuint optionsLength, RunArguments* run, nint* scores) =>
        Call.Run(() =>
        {
            Output.Require(scores, "scores");
            *scores = 0;
            using HandleUse<ModelObject> of = HandleTable.Use<ModelObject>(model, HandleKind.Model, "model");
            using HandleUse<PromptsObject> on = HandleTable.Use<PromptsObject>(prompts, HandleKind.Prompts, "prompts");
            using RunScope scope = new(run, on.Value);
            AttributionOptions read = OptionObject.Read(
                Utf8Text.Bytes(options, optionsLength, "options"), o => ScoreReader.Read(o, scope.Metric));
            ScoreReader.RequireScores(read, on.Value.Prompts);
            EdgeScores made = EdgeAttribution.Score(of.Value.Weights, on.Value.Prompts, read, scope.Progress, scope.Cancellation);
            *scores = ModelExports.Keep(new ScoresObject(made));
        });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_scores_values", CallConvs = [typeof(CallConvCdecl)])]
    private static int Values(nint scores, float* buffer, nuint capacity, nuint* count) => Call.Run(() =>
    {
        using HandleUse<ScoresObject> use = HandleTable.Use<ScoresObject>(scores, HandleKind.Scores, "scores");
        Output.Write(use.Value.Scores.Values, buffer, capacity, count, "scores");
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_scores_data", CallConvs = [typeof(CallConvCdecl)])]
    private static int Data(nint scores, float** data, nuint* count) => Call.Run(() =>
    {
        Output.Require(data, "data");
        *data = null;
        using HandleUse<ScoresObject> use = HandleTable.Use<ScoresObject>(scores, HandleKind.Scores, "scores");
        *data = use.Value.Address;
        if (count is not null) *count = (nuint)use.Value.Scores.Values.Length;
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_scores_nodes", CallConvs = [typeof(CallConvCdecl)])]
    private static int Nodes(nint scores, float* buffer, nuint capacity, nuint* count) => Call.Run(() =>
    {
        using HandleUse<ScoresObject> use = HandleTable.Use<ScoresObject>(scores, HandleKind.Scores, "scores");
        Output.Write(use.Value.Scores.NodeScores, buffer, capacity, count, "node scores");
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_scores_from_values", CallConvs = [typeof(CallConvCdecl)])]
    private static int FromValues(uint layers, uint heads, float* values, nuint count, nint* scores) => Call.Run(() =>
    {
        Output.Require(scores, "scores");
        *scores = 0;
        ComputationGraph graph = GraphExports.Graph(layers, heads);
        ReadOnlySpan<float> given = Utf8Text.Array(values, count, "values");
        GraphExports.Require(graph, given.Length, "values");
        EdgeScores made = new(graph, given);
        made.RequireFinite();
        for (int row = 0; row < graph.Writers; row++)
        {
            for (int column = 0; column < graph.Readers; column++)
            {
                if (made[row, column] == 0 || graph.IsEdge(row, column)) continue;
                throw new CallException(
                    Status.Input, $"values: {graph.WriterName(row)} does not feed {graph.ReaderName(column)}, so its score must be 0");
            }
        }
        *scores = ModelExports.Keep(new ScoresObject(made));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_scores_open", CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(byte* path, nuint pathLength, nint* scores) => Call.Run(() =>
    {
        Output.Require(scores, "scores");
        *scores = 0;
        *scores = ModelExports.Keep(new ScoresObject(EdgeScores.Load(Utf8Text.Required(path, pathLength, "path"))));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_scores_save", CallConvs = [typeof(CallConvCdecl)])]
    private static int Save(nint scores, byte* path, nuint pathLength) => Call.Run(() =>
    {
        using HandleUse<ScoresObject> use = HandleTable.Use<ScoresObject>(scores, HandleKind.Scores, "scores");
        use.Value.Scores.Save(Utf8Text.Required(path, pathLength, "path"));
    });
}
