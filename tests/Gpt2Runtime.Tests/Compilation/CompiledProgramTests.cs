using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Compilation;

/// <summary>Every compiled program gives the right answers, and its circuit is what exact patching finds.</summary>
public sealed class CompiledProgramTests(ITestOutputHelper output)
{
    private const int Pairs = 60;

    // Edges that carry nothing have effects of rounding, which is about 1e-5 of a logit, and of attention's e^-10.
    private const float Nothing = 1e-3f;

    public static TheoryData<string> Names => [.. CompiledPrograms.All.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_answer_is_right_on_all_prompts(string name)
    {
        CompiledProgram program = CompiledPrograms.Find(name);
        foreach (ulong seed in new ulong[] { 0, 1, 2 })
        {
            CompiledModel model = program.Compile(new DistractorOptions(seed));
            ReferenceModel reference = new(
                model.Config, model.Tensors.ToDictionary(t => t.Key, t => Array.ConvertAll(t.Value.ToArray(), v => (double)v)));
            double margin = double.MaxValue;
            foreach (PromptPair pair in program.Pairs(100, seed))
            {
                foreach (int[] prompt in new[] { pair.Clean, pair.Corrupted })
                {
                    int right = program.Answer(prompt);
                    RealMatrix last = ReferenceRun.Forward(reference, reference.Embed(prompt)).LastLogits;
                    double[] logits = [.. Enumerable.Range(0, last.Columns).Select(t => last[0, t])];
                    if (right == CompiledProgram.Begin)
                    {
                        Assert.All(logits, l => Assert.InRange(Math.Abs(l), 0, 1.5));
                        continue;
                    }
                    margin = Math.Min(margin, logits[right] - logits.Where((_, t) => t != right).Max());
                }
                Assert.Equal(program.Answer(pair.Clean), Assert.Single(pair.Answers));
                Assert.Equal(program.Answer(pair.Corrupted), Assert.Single(pair.WrongAnswers));
            }
            output.WriteLine($"{name}, seed {seed}: smallest margin {margin:0.00}");
            Assert.True(margin > 0.5, $"{name}, seed {seed}: smallest margin {margin}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Without_leaks_exact_patching_finds_the_circuit_and_nothing_else(string name)
    {
        CompiledProgram program = CompiledPrograms.Find(name);
        CompiledModel model = program.Compile(new DistractorOptions(0, Leak: 0));
        Dictionary<string, float> effects = Effects(program, model);
        string[] found = [.. effects.Where(e => e.Value > Nothing).Select(e => e.Key)];
        string[] known = EdgeNames(model.Circuit), undecided = EdgeNames(model.Undecided);
        foreach (string edge in known.Concat(undecided)) output.WriteLine($"{edge} {effects[edge]:0.0000}");
        output.WriteLine($"others at most {effects.Where(e => !known.Contains(e.Key) && !undecided.Contains(e.Key)).Max(e => e.Value)}");
        Assert.Equal(known.Order(StringComparer.Ordinal), found.Except(undecided).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void With_leaks_other_edges_have_small_effects(string name)
    {
        CompiledProgram program = CompiledPrograms.Find(name);
        CompiledModel model = program.Compile(new DistractorOptions(0));
        Dictionary<string, float> effects = Effects(program, model);
        string[] known = EdgeNames(model.Circuit), undecided = EdgeNames(model.Undecided);
        float[] others = [.. effects.Where(e => !known.Contains(e.Key) && !undecided.Contains(e.Key)).Select(e => e.Value)];
        output.WriteLine($"{name}: known {known.Length} of {effects.Count}, least {known.Min(e => effects[e])}, "
            + $"others most {others.Max()}, with any {others.Count(o => o > Nothing)}");
        Assert.InRange(others.Count(o => o > Nothing), 1, others.Length);
        Assert.InRange(others.Max(), 0, known.Min(e => effects[e]) / 2);
    }

    [Fact]
    public void A_backup_head_matters_where_the_other_is_cut_and_only_there()
    {
        CompiledProgram program = CompiledPrograms.Find("induction");
        CompiledModel model = program.Compile(new DistractorOptions(0, Leak: 0));
        string[] undecided = EdgeNames(model.Undecided);
        Assert.NotEmpty(undecided);
        Dictionary<string, float> effects = Effects(program, model);

        // The edge that tells the backup head that it is not needed is the only one that exact patching sees, edge by edge.
        string flag = Assert.Single(undecided, e => effects[e] > Nothing);
        Assert.EndsWith("<q>", flag);
        Assert.DoesNotContain("input", flag, StringComparison.Ordinal);

        // With the head cut that it is a backup of, by prompts in which that finds nothing, it gives half of the answer.
        ComputationGraph graph = model.Circuit.Graph;
        Assert.True(graph.TryParseEdge(flag, out int cut, out int column));
        int backup = graph.NodeOfColumn(column);
        Circuit without = Circuit.Of(graph, graph.Edges.Where(e => e.Row != cut));
        Circuit neither = Circuit.Of(graph, graph.Edges.Where(e => e.Row != cut && e.Row != backup));
        PromptPair[] pairs = [.. program.Pairs(Pairs, 7).Where(p => p.WrongAnswers[0] == CompiledProgram.Begin)];
        using CpuDevice device = new(1);
        using Gpt2Weights weights = Gpt2Weights.FromMemory(device, model.Config, model.Tensors, program.Name);
        EvaluationResult result = CircuitEvaluation.Evaluate(weights, PromptSet.Of(pairs), [without, neither], new EvaluationOptions());
        Assert.All(result.Circuits[0].Metric, m => Assert.Equal(ProgramCompiler.LogitScale / 2, m, 0.01));
        Assert.All(result.Circuits[1].Metric, m => Assert.Equal(0, m, 0.01));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_program_has_all_its_pairs_of_one_length_and_no_pair_twice(string name)
    {
        CompiledProgram program = CompiledPrograms.Find(name);
        IReadOnlyList<PromptPair> pairs = program.Pairs(200, 5);
        Assert.Equal(200, pairs.Select(p => $"{string.Join(',', p.Clean)}/{string.Join(',', p.Corrupted)}").Distinct().Count());
        Assert.All(pairs, p => Assert.Equal(p.Clean.Length, p.Corrupted.Length));
        Assert.Equal(pairs.Select(p => p.Clean), program.Pairs(200, 5).Select(p => p.Clean));
    }

    [Fact]
    public void A_task_that_has_not_so_many_pairs_says_so() => Assert.Equal(
        "coin has fewer than 3 prompt pairs that are easily found; ask for 2",
        Assert.Throws<GradpathException>(() => new Coin().Pairs(3, 0)).Message);

    [Fact]
    public void A_name_that_no_program_has_is_refused() =>
        Assert.Contains("reverse", Assert.Throws<OptionException>(() => CompiledPrograms.Find("revers")).Message);

    /// <summary>A task that has two pairs.</summary>
    private sealed class Coin() : CompiledProgram("coin", "the last token")
    {
        public override CompiledModel Compile(DistractorOptions distractors) => throw new NotSupportedException();

        public override int Answer(ReadOnlySpan<int> prompt) => prompt[^1];

        public override string NameOf(int token) => Letter(token);

        protected override (int[] Clean, int[] Corrupted) Draw(SplitMix64 random) => (Letters(random, 1, 2), Letters(random, 1, 2));
    }

    // The largest effect on any pair, by the edge's name.
    private static Dictionary<string, float> Effects(CompiledProgram program, CompiledModel model)
    {
        using CpuDevice device = new(1);
        using Gpt2Weights weights = Gpt2Weights.FromMemory(device, model.Config, model.Tensors, program.Name);
        ComputationGraph graph = model.Circuit.Graph;
        var effects = graph.Edges.ToDictionary(e => graph.EdgeName(e.Row, e.Column), _ => 0f);
        foreach (PromptPair pair in program.Pairs(Pairs, 7))
        {
            EdgeScores scores = EdgeAttribution.Score(
                weights, PromptSet.Of([pair]), new AttributionOptions { Method = AttributionMethods.Exact });
            foreach ((int row, int column) in graph.Edges)
            {
                string name = graph.EdgeName(row, column);
                effects[name] = Math.Max(effects[name], Math.Abs(scores[row, column]));
            }
        }
        return effects;
    }

    private static string[] EdgeNames(Circuit circuit) => [.. circuit.Edges.Select(e => circuit.Graph.EdgeName(e.Row, e.Column))];
}
