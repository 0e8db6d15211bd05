using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Native.Calls;
using Gradpath.Native.Handles;
using Gradpath.Native.Objects;
using Gradpath.Native.Options;

namespace Gradpath.Native.Exports;

/// <summary>The functions of gradpath.h that evaluate and search circuits.</summary>
internal static unsafe class EvaluationExports
{
    [UnmanagedCallersOnly(EntryPoint = "gradpath_evaluate", CallConvs = [typeof(CallConvCdecl)])]
    private static int Evaluate(
        nint model, nint prompts, nint* circuits, nuint count, byte* options, nuint optionsLength, RunArguments* run, nint* result) =>
        Call.Run(() =>
        {
            Output.Require(result, "result");
            *result = 0;
            using HandleUse<ModelObject> of = HandleTable.Use<ModelObject>(model, HandleKind.Model, "model");
            using HandleUse<PromptsObject> on = HandleTable.Use<PromptsObject>(prompts, HandleKind.Prompts, "prompts");
            Circuit[] given = [.. All<CircuitObject>(circuits, count, HandleKind.Circuit, "circuits").Select(c => c.Circuit)];
            using RunScope scope = new(run, on.Value);
            (EvaluationOptions read, ulong seed) = OptionObject.Read(
                Utf8Text.Bytes(options, optionsLength, "options"), o => (EvaluationReader.Read(o, scope.Metric), o.Seed() ?? 0));
            EvaluationResult made = CircuitEvaluation.Evaluate(
                of.Value.Weights, on.Value.Prompts, given, read, scope.Progress, scope.Cancellation);
            *result = ModelExports.Keep(new ResultObject(new JsonObject
            {
                ["circuits"] = new JsonArray(
                    [.. given.Select((c, i) => EvaluationJson.Of(on.Value.Prompts, c, made, i, CircuitMeasures.Of(made, i, seed)))]),
                ["gradpath"] = Made(of.Value, on.Value, made.Plan.Size, read),
            }));
        });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_curve", CallConvs = [typeof(CallConvCdecl)])]
    private static int Curve(
        nint model, nint prompts, nint* scores, nuint count, byte* options, nuint optionsLength, RunArguments* run, nint* result) =>
        Call.Run(() =>
        {
            Output.Require(result, "result");
            *result = 0;
            using HandleUse<ModelObject> of = HandleTable.Use<ModelObject>(model, HandleKind.Model, "model");
            using HandleUse<PromptsObject> on = HandleTable.Use<PromptsObject>(prompts, HandleKind.Prompts, "prompts");
            EdgeScores[] given = [.. All<ScoresObject>(scores, count, HandleKind.Scores, "scores").Select(s => s.Scores)];
            using RunScope scope = new(run, on.Value);
            SparsityOptions read = OptionObject.Read(
                Utf8Text.Bytes(options, optionsLength, "options"), o => EvaluationReader.ReadCurve(o, scope.Metric));
            (IReadOnlyList<SparsityCurves> curves, EvaluationResult evaluation) = SparsityCurves.Measure(
                of.Value.Weights, on.Value.Prompts, given, read, scope.Progress, scope.Cancellation);
            *result = ModelExports.Keep(new ResultObject(new JsonObject
            {
                ["curves"] = new JsonArray([.. curves.Select((c, i) => CurveJson(c, given[i]))]),
                ["full"] = JsonNumber.Of(evaluation.Full.MeanMetric),
                ["empty"] = JsonNumber.Of(evaluation.Empty.MeanMetric),
                ["gradpath"] = Made(of.Value, on.Value, evaluation.Plan.Size, read.Evaluation),
            }));
        });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_search", CallConvs = [typeof(CallConvCdecl)])]
    private static int Search(
        nint model, nint prompts, byte* name, nuint nameLength, byte* options, nuint optionsLength, nint scores, RunArguments* run,
        nint* circuit, nint* result) => Call.Run(() =>
        {
            Output.Require(circuit, "circuit");
            *circuit = 0;
            if (result is not null) *result = 0;
            using HandleUse<ModelObject> of = HandleTable.Use<ModelObject>(model, HandleKind.Model, "model");
            using HandleUse<PromptsObject> on = HandleTable.Use<PromptsObject>(prompts, HandleKind.Prompts, "prompts");
            CircuitSearch search = CircuitSearches.Find(Utf8Text.Required(name, nameLength, "name"));
            EdgeScores? from = null;
            if (scores != 0)
            {
                using HandleUse<ScoresObject> use = HandleTable.Use<ScoresObject>(scores, HandleKind.Scores, "scores");
                from = use.Value.Scores;
            }
            using RunScope scope = new(run, on.Value);
            SearchReaders.Given given = new(new ComputationGraph(of.Value.Weights.Config), from, scope.Metric);
            SearchOptions read = OptionObject.Read(
                Utf8Text.Bytes(options, optionsLength, "options"), o => SearchReaders.Read(search, o, given));
            SearchResult made = search.Search(of.Value.Weights, on.Value.Prompts, read, null, scope.Progress, scope.Cancellation);
            nint found = ModelExports.Keep(new CircuitObject(made.Circuit));
            if (result is not null) *result = ModelExports.Keep(new ResultObject(SearchJson.Of(search, made)));
            *circuit = found;
        });

    private static List<T> All<T>(nint* handles, nuint count, HandleKind kind, string name)
        where T : class, IHandled
    {
        ReadOnlySpan<nint> given = Utf8Text.Array(handles, count, name);
        if (given.IsEmpty) throw CallException.Argument($"{name}: at least one is needed");
        List<T> all = [];
        for (int i = 0; i < given.Length; i++)
        {
            // What a circuit or scores are does not change, and they need no closing.
            using HandleUse<T> use = HandleTable.Use<T>(given[i], kind, $"{name}[{i}]");
            all.Add(use.Value);
        }
        return all;
    }

    private static JsonObject Made(ModelObject model, PromptsObject prompts, int batchSize, EvaluationOptions options) =>
        (RunProvenance.Of(model.Weights, prompts.Prompts, batchSize) with
        {
            Metric = (options.Metric ?? prompts.Prompts.Metric).Name,
            Ablation = CanonicalNames.Of(options.Ablation),
        }).ToJson();

    private static JsonObject CurveJson(SparsityCurves curves, EdgeScores scores) => new()
    {
        ["method"] = scores.Provenance?.Method,
        ["cpr"] = JsonNumber.Of(curves.Cpr),
        ["cmd"] = JsonNumber.Of(curves.Cmd),
        ["by_score"] = Points(curves.ByScore),
        ["by_magnitude"] = Points(curves.ByMagnitude),
    };

    private static JsonArray Points(SparsityCurve curve) => new(
    [
        .. curve.Points.Select(p => new JsonObject
        {
            ["fraction"] = p.Fraction,
            ["n_edges"] = p.Edges,
            ["n_edges_after_prune"] = p.EdgesAfterPrune,
            ["faithfulness"] = JsonNumber.Of(p.Faithfulness),
            ["low"] = JsonNumber.Of(p.Low),
            ["high"] = JsonNumber.Of(p.High),
        }),
    ]);
}
