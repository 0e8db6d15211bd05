using System.Reflection;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>What holds for every public type and method of the library, also for those that are still to come.</summary>
public sealed class PublicSurfaceTests : IDisposable
{
    // Copying a pair's ids for every reader of a large set would cost, and pairs are what a program hands in itself.
    private static readonly string[] PublicArrays =
        ["PromptPair.Clean", "PromptPair.Corrupted", "PromptPair.Answers", "PromptPair.WrongAnswers"];

    // Reflection cannot pass spans; these are called by hand below.
    private static readonly string[] WithSpans = ["EdgeScores..ctor", "Circuit..ctor", "PositionalScores..ctor"];

    private readonly OddModel _odd = OddModel.Make("one head");
    private readonly TempFolder _folder = new();
    private readonly Dictionary<Type, object> _samples;

    public PublicSurfaceTests()
    {
        var graph = new ComputationGraph(_odd.Weights.Config);
        PromptSet prompts = PromptSet.Of(_odd.Mixed);
        Circuit circuit = Circuit.Of(graph, graph.Edges);
        EdgeScores scores = new(graph, new float[graph.Writers * graph.Readers]);
        var file = new ProgressFile(_folder["result.json"], "acdc", []);
        file.Save(new JsonObject { ["key"] = 1 });
        ItemScores.Write(_folder["items.safetensors"], false, null, _odd.Weights, prompts, new AttributionOptions());
        Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(RepositoryFiles.DemoModel);
        EvaluationResult evaluation = CircuitEvaluation.Evaluate(_odd.Weights, prompts, [circuit], new EvaluationOptions());
        var spans = new PositionalGraph(graph, ["a", "b"], [(0, 1)]);
        var positional = new PositionalScores(spans, new float[spans.Cells]);
        var positionalCircuit = new PositionalCircuit(spans, spans.Edges);
        _samples = new Dictionary<Type, object>
        {
            [typeof(PositionalGraph)] = spans,
            [typeof(PositionalScores)] = positional,
            [typeof(PositionalCircuit)] = positionalCircuit,
            [typeof(IReadOnlyList<PositionalCircuit>)] = new[] { positionalCircuit },
            [typeof(IEnumerable<PositionalEdge>)] = spans.Edges,
            [typeof(Func<int, PositionalCircuit>)] = new Func<int, PositionalCircuit>(_ => positionalCircuit),
            [typeof(IReadOnlyList<string>)] = spans.Spans,
            [typeof(Gpt2Weights)] = _odd.Weights,
            [typeof(Gpt2Config)] = _odd.Weights.Config,
            [typeof(Gpt2Checkpoint)] = checkpoint,
            [typeof(Device)] = _odd.Device,
            [typeof(ComputationGraph)] = graph,
            [typeof(PromptSet)] = prompts,
            [typeof(PromptPair)] = prompts.Pairs[0],
            [typeof(IReadOnlyList<PromptPair>)] = prompts.Pairs,
            [typeof(IReadOnlyList<TextPair>)] = new[] { new TextPair("The boy", "The boys") },
            [typeof(TokenPositions)] = TokenPositions.All,
            [typeof(BpeTokenizer)] = BpeTokenizer.Load(checkpoint.Directory),
            [typeof(Circuit)] = circuit,
            [typeof(IReadOnlyList<Circuit>)] = new[] { circuit },
            [typeof(EdgeScores)] = scores,
            [typeof(IReadOnlyList<EdgeScores>)] = new[] { scores },
            [typeof(ItemScoresFile)] = ItemScoresFile.Open(_folder["items.safetensors"]),
            [typeof(Provenance)] = new Provenance(),
            [typeof(IEnumerable<(int, int)>)] = graph.Edges,
            [typeof(CircuitOutcome)] = evaluation.Full,
            [typeof(IEnumerable<RocPoint>)] = Array.Empty<RocPoint>(),
            [typeof(RocCurve)] = new RocCurve([], 0, 1, 1),
            [typeof(Metric)] = BuiltInMetrics.KlDivergence,
            [typeof(MetricFunction)] = new MetricFunction((_, _, _, _) => 0),
            [typeof(AttributionMethod)] = AttributionMethods.Random,
            [typeof(IEdgeScorer)] = AttributionMethods.Random.Scorer(new AttributionOptions()),
            [typeof(IReadOnlyList<PathQuery>)] = new[] { new PathQuery([0], [new PathReceiver(graph.LogitsColumn, TokenPositions.End)]) },
            [typeof(IReadOnlyList<PathReceiver>)] = new[] { new PathReceiver(graph.LogitsColumn, TokenPositions.End) },
            [typeof(IReadOnlyList<PathRound>)] = Array.Empty<PathRound>(),
            [typeof(IReadOnlyList<bool[]>)] = new bool[][] { [true] },
            [typeof(IReadOnlyList<int>)] = new[] { 0 },
            [typeof(IEnumerable<int>)] = new[] { 0 },
            [typeof(IReadOnlyList<double>)] = new[] { 0.5 },
            [typeof(CircuitSearch)] = CircuitSearches.Acdc,
            [typeof(SearchOptions)] = new AcdcOptions(),
            [typeof(RunCheckpoint)] = file,
            [typeof(HybridPruningResult)] = CircuitSearches.HybridPruning.Search(
                _odd.Weights,
                prompts,
                new HybridPruningOptions { Steps = 12, Sparsity = 0.5, Share = 1, Scorer = new GivenScores(scores) }),
            [typeof(CircuitSearchOf<AcdcOptions, AcdcResult>)] = CircuitSearches.Acdc,
            [typeof(GivenScores)] = new GivenScores(scores),
            [typeof(ProgressFile)] = file,
            [typeof(JsonObject)] = new JsonObject { ["rounds"] = new JsonArray() },
            [typeof(Func<int, Circuit>)] = new Func<int, Circuit>(_ => circuit),
            [typeof(Func<Term, string>)] = new Func<Term, string>(t => t.Name),
            [typeof(FormattableString)] = (FormattableString)$"text",
            [typeof(OptionException)] = new OptionException($"text"),
            [typeof(GradpathException)] = new GradpathException("text"),
            [typeof(Stream)] = Stream.Null,
            [typeof(bool[])] = new bool[graph.Writers * graph.Readers],
            [typeof(string)] = "text",
            [typeof(IReadOnlyDictionary<string, ReadOnlyMemory<float>>)] = new Dictionary<string, ReadOnlyMemory<float>>(),
        };
    }

    [Fact]
    public void No_result_hands_out_an_array()
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        IEnumerable<string> arrays =
            from type in Types()
            from property in type.GetProperties(Declared)
            where property.PropertyType.IsArray || property.PropertyType.GenericTypeArguments.Any(a => a.IsArray)
            select $"{type.Name}.{property.Name}";
        Assert.Equal(PublicArrays, arrays);
        Assert.All(
            Types(),
            t => Assert.All(
                t.GetFields(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static),
                f => Assert.True(f.IsLiteral || f.Name == "value__", $"{t.Name}.{f.Name}")));
    }

    [Fact]
    public void Null_is_refused_by_name_wherever_a_value_is_wanted()
    {
        var nullability = new NullabilityInfoContext();
        var wrong = new List<string>();
        int tried = 0;
        foreach ((Type type, MethodBase method) in Methods())
        {
            ParameterInfo[] parameters = method.GetParameters();
            foreach (ParameterInfo parameter in parameters)
            {
                if (parameter.ParameterType.IsValueType || parameter.IsOut) continue;
                if (nullability.Create(parameter).WriteState == NullabilityState.Nullable) continue;
                string name = $"{type.Name}.{method.Name}({parameter.Name})";
                if (parameters.Any(p => p.ParameterType.IsByRefLike))
                {
                    if (!WithSpans.Contains($"{type.Name}.{method.Name}")) wrong.Add($"{name}: call it by hand, because it takes a span");
                    continue;
                }
                object?[] arguments = [.. parameters.Select(p => p == parameter ? null : Sample(p.ParameterType))];
                tried++;
                try
                {
                    if (method is ConstructorInfo constructor) constructor.Invoke(arguments);
                    else method.Invoke(method.IsStatic ? null : Sample(type), arguments);
                    wrong.Add($"{name}: nothing happens");
                }
                catch (TargetInvocationException e) when (e.InnerException is ArgumentNullException refused)
                {
                    if (refused.ParamName != parameter.Name) wrong.Add($"{name}: refused as {refused.ParamName}");
                }
                catch (TargetInvocationException e)
                {
                    wrong.Add($"{name}: {e.InnerException!.GetType().Name}: {e.InnerException.Message}");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(tried > 100, $"{tried}");
        var graph = (ComputationGraph)_samples[typeof(ComputationGraph)];
        Assert.Equal("graph", Assert.Throws<ArgumentNullException>(() => new EdgeScores(null!, [])).ParamName);
        Assert.Equal("graph", Assert.Throws<ArgumentNullException>(() => new PositionalScores(null!, [])).ParamName);
        Assert.Equal(
            "graph", Assert.Throws<ArgumentNullException>(() => new Circuit(null!, new bool[graph.Writers * graph.Readers])).ParamName);
    }

    public void Dispose()
    {
        ((IDisposable)_samples[typeof(Gpt2Checkpoint)]).Dispose();
        ((IDisposable)_samples[typeof(ItemScoresFile)]).Dispose();
        _odd.Dispose();
        _folder.Dispose();
    }

    private static Type[] Types() => typeof(EdgeAttribution).Assembly.GetExportedTypes();

    // What somebody wrote: not what the compiler makes of records and properties.
    private static IEnumerable<(Type Type, MethodBase Method)> Methods()
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        string[] generated = ["Equals", "GetHashCode", "ToString", "Deconstruct", "<Clone>$", "PrintMembers"];
        foreach (Type declared in Types().Where(t => !t.IsEnum && !t.IsInterface && !typeof(Delegate).IsAssignableFrom(t)))
        {
            // A generic type is tried with one choice of its types.
            Type type = declared == typeof(CircuitSearchOf<,>) ? typeof(CircuitSearchOf<AcdcOptions, AcdcResult>) : declared;

            bool isRecord = type.GetMethod("<Clone>$") is not null
                || type.GetMethods(BindingFlags.NonPublic | BindingFlags.Instance).Any(m => m.Name == "PrintMembers");
            foreach (MethodInfo method in type.GetMethods(Declared).Where(m => !m.IsSpecialName && !generated.Contains(m.Name)))
                yield return (type, method.IsGenericMethodDefinition ? method.MakeGenericMethod(typeof(double)) : method);
            if (isRecord) continue;
            foreach (ConstructorInfo constructor in type.GetConstructors()) yield return (type, constructor);
        }
    }

    private object? Sample(Type type)
    {
        if (_samples.TryGetValue(type, out object? sample)) return sample;
        if (type.IsByRef) return null;
        if (type.IsValueType) return Activator.CreateInstance(type);
        if (type.IsInterface || typeof(Delegate).IsAssignableFrom(type)) return null;
        return type.GetConstructor(Type.EmptyTypes) is { } constructor
            ? constructor.Invoke(null)
            : throw new NotSupportedException($"add a sample of {type} to this test");
    }
}
