using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Tests.Model;

/// <summary>The savings of the patched pass against the pass without them, and what a warm pass allocates.</summary>
public sealed class PatchedPassTests
{
    private static readonly double[] s_densities = [0.1, 0.4, 0.6, 0.9, 1];

    public static TheoryData<string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool>();
            foreach (string name in OddModel.Names)
            {
                cases.Add(name, false);
                cases.Add(name, true);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void With_the_last_layer_at_the_answers_alone_circuits_give_the_same(string name, bool ablatedInputsMatter)
    {
        using OddModel model = OddModel.Make(name);
        using var all = new Bench(model, answerOnly: false, copies: s_densities.Length);
        using var answers = new Bench(model, answerOnly: true, copies: s_densities.Length);
        PatchedCircuit[] circuits = [.. s_densities.Select(density => new PatchedCircuit(all.Graph, Draw(all.Graph, density, 7)))];
        Close(all.Run(circuits, ablatedInputsMatter), answers.Run(circuits, ablatedInputsMatter));
        foreach (bool answerOnly in (bool[])[false, true])
        {
            using var grouped = new Bench(model, answerOnly, copies: s_densities.Length, groups: true);
            Close(all.Run(circuits, ablatedInputsMatter), grouped.Run(circuits, ablatedInputsMatter));

            // Fewer copies of the same lie in places that others have used.
            Close(all.Run(circuits[1..3], ablatedInputsMatter), grouped.Run(circuits[1..3], ablatedInputsMatter));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_continued_run_gives_what_a_run_from_the_input_on_gives(string name, bool ablatedInputsMatter)
    {
        using OddModel model = OddModel.Make(name);
        using var plain = new Bench(model, answerOnly: false, copies: 3);
        foreach ((bool answerOnly, bool groups) in ((bool, bool)[])[(false, false), (true, false), (false, true), (true, true)])
        {
            foreach (double density in (double[])[0.5, 1])
            {
                using var kept = new Bench(model, answerOnly, copies: 3, groups);
                bool[] start = Draw(kept.Graph, density, 1);
                kept.Keep(new PatchedCircuit(kept.Graph, start), ablatedInputsMatter);
                for (int from = 0; from <= 2 * kept.Graph.Layers; from++)
                {
                    // One reader's edges, one edge, and many from the sublayer on.
                    int first = kept.Graph.FirstColumnOfSublayer(from);
                    PatchedCircuit[] circuits =
                    [
                        new(kept.Graph, start, Enumerable.Range(0, kept.Graph.WritersBefore(first)).Select(row => (row, first))),
                        new(kept.Graph, start, [(0, first)]),
                        new(kept.Graph, [.. start.Zip(Draw(kept.Graph, 0.6, from), (a, b) => a && b).Select((member, i) =>
                            i % kept.Graph.Readers < first ? start[i] : member)]),
                    ];
                    Close(plain.Run(circuits, ablatedInputsMatter), kept.Continue(circuits, ablatedInputsMatter, from));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(OddModel.Names), MemberType = typeof(OddModel))]
    public void A_run_that_continues_a_plain_pass_gives_what_a_run_from_the_input_on_gives(string name)
    {
        using OddModel model = OddModel.Make(name);
        using var plain = new Bench(model, answerOnly: false, copies: 4);
        foreach ((bool answerOnly, bool groups) in ((bool, bool)[])[(false, false), (true, false), (false, true), (true, true)])
        {
            foreach (bool streams in (bool[])[false, true])
            {
                using var kept = new Bench(model, answerOnly, copies: 4, groups);
                kept.KeepPlain(streams);
                Start(kept, 0);

                // Another run is kept, and then the plain pass again, backwards.
                kept.Keep(new PatchedCircuit(kept.Graph, Draw(kept.Graph, 0.5, 1)), true);
                kept.KeepPlain(streams);
                for (int from = 2 * kept.Graph.Layers; from > 0; from--) Start(kept, from);

                // Heads as a continued run makes them, which changes the totals behind them.
                for (int layer = 0; layer < kept.Graph.Layers; layer++)
                {
                    kept.KeepHeads(layer);
                    Start(kept, 2 * layer);
                    Start(kept, (2 * layer) + 1);
                }
            }
        }

        void Start(Bench kept, int from)
        {
            ComputationGraph graph = kept.Graph;
            int first = graph.FirstColumnOfSublayer(from);
            PatchedCircuit[] circuits =
            [
                new(graph, null),
                new(graph, null, [(graph.WritersBefore(first) - 1, first)]),
                new(graph, null, graph.Edges.Where(e => e.Column >= first && e.Row == 0)),
                new(graph, [.. Draw(graph, 0.3, from).Select((member, i) => member || i % graph.Readers < first)]),
            ];
            Close(plain.Run(circuits, true), kept.Continue(circuits, true, from));
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_warm_pass_allocates_nothing(bool continues, bool groups)
    {
        using OddModel model = OddModel.Make("head bias", workers: 1);
        using var bench = new Bench(model, answerOnly: true, copies: 4, groups);
        PatchedCircuit[] circuits = [.. s_densities[1..].Select((density, i) =>
            new PatchedCircuit(bench.Graph, Draw(bench.Graph, density, i)))];
        if (continues) bench.KeepPlain(streams: true);
        Allocations.None(model.Device, Pass);

        void Pass()
        {
            if (!continues) bench.Issue(circuits, false);
            for (int from = 0; continues && from <= 2 * bench.Graph.Layers; from++) bench.IssueContinued(circuits, false, from);
        }
    }

    private static bool[] Draw(ComputationGraph graph, double density, int seed)
    {
        var random = new Random(seed);
        var kept = new bool[graph.Writers * graph.Readers];
        foreach ((int row, int column) in graph.Edges) kept[(row * graph.Readers) + column] = random.NextDouble() < density;
        return kept;
    }

    private static void Close(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        float size = expected.Max(Math.Abs);
        Assert.True(size > 0);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-5f * size);
    }

    /// <summary>Patched passes over an odd model's prompts, whose corrupted run is the ablation.</summary>
    private sealed class Bench : IDisposable
    {
        private readonly OddModel _model;
        private readonly PassShape _one;
        private readonly PatchedForwardPass _patched;
        private readonly WriterOutputs _target;
        private readonly Tensor _clean;
        private readonly Tensor _answers;
        private readonly PassShape _two;
        private readonly Activations _both;
        private readonly Tensor _embeddings;

        public Bench(OddModel model, bool answerOnly, int copies, bool groups = false)
        {
            _model = model;
            Graph = new ComputationGraph(model.Weights.Config);
            int[] lengths = [.. model.Mixed.Select(p => p.Length)];
            var capacity = PassCapacity.For(lengths, 1, answerOnly);
            _one = new PassShape(model.Device, lengths, 1, answerOnly);
            _patched = new PatchedForwardPass(model.Weights, capacity, copies, continues: true, groups);
            _clean = Embeddings(p => p.Clean);
            _answers = model.Device.Allocate(copies * lengths.Length, model.Weights.Config.Width);
            _target = new WriterOutputs(model.Weights.Config, model.Device, capacity);

            // A plain pass with the corrupted prompts in front of the clean ones.
            _two = new PassShape(model.Device, lengths, 2, answerOnly);
            _both = new Activations(model.Weights.Config, model.Device, PassCapacity.For(lengths, 2, answerOnly), keepWriters: true);
            _embeddings = model.Device.Allocate(2 * _one.Rows, model.Weights.Config.Width);
            using Tensor corrupted = Embeddings(p => p.Corrupted);
            model.Device.CopyBlock(corrupted, 0, _embeddings, 0, corrupted.Length);
            model.Device.CopyBlock(_clean, 0, _embeddings, corrupted.Length, corrupted.Length);
            var forward = new ForwardPass(model.Weights);
            forward.Embed(_two, _both, _embeddings);
            forward.Run(_two, _both);
            _target.Take(_two, _both, _embeddings, 0);
            _patched.SetAblation(_one, _target.Target);
        }

        public ComputationGraph Graph { get; }

        public float[] Run(PatchedCircuit[] circuits, bool ablatedInputsMatter)
        {
            Issue(circuits, ablatedInputsMatter);
            return _answers.ToArray();
        }

        public float[] Continue(PatchedCircuit[] circuits, bool ablatedInputsMatter, int from)
        {
            IssueContinued(circuits, ablatedInputsMatter, from);
            return _answers.ToArray();
        }

        public void Issue(PatchedCircuit[] circuits, bool ablatedInputsMatter) =>
            _patched.Run(_one, _clean, circuits, ablatedInputsMatter, _answers);

        public void IssueContinued(PatchedCircuit[] circuits, bool ablatedInputsMatter, int from) =>
            _patched.Continue(_one, circuits, ablatedInputsMatter, from, _answers);

        public void Keep(PatchedCircuit circuit, bool ablatedInputsMatter) =>
            _patched.Run(_one, _clean, [circuit], ablatedInputsMatter, _answers, keep: true);

        /// <summary>Keeps the clean run of the plain pass.</summary>
        /// <param name="streams">Whether the ablated residual stream is the plain pass's, not made of the ablated outputs.</param>
        public void KeepPlain(bool streams)
        {
            _patched.SetAblation(
                _one,
                streams
                    ? new PatchTarget(_embeddings, _both.Writers, [.. _both.Boundaries.Select(b => b.Residual)])
                    : _target.Target);
            _patched.Keep(_one, _both, _embeddings, 1);
        }

        public void KeepHeads(int layer) => _patched.KeepHeads(_one, layer);

        public void Dispose()
        {
            _one.Dispose();
            _two.Dispose();
            _both.Dispose();
            _embeddings.Dispose();
            _patched.Dispose();
            _target.Dispose();
            _clean.Dispose();
            _answers.Dispose();
        }

        private Tensor Embeddings(Func<PromptPair, int[]> tokens)
        {
            int[] ids = [.. _model.Mixed.SelectMany(tokens)];
            using DeviceArray<int> stored = _model.Device.Store<int>(ids);
            Tensor embeddings = _model.Device.Allocate(ids.Length, _model.Weights.Config.Width);
            _model.Device.GatherRows(_model.Weights.TokenEmbedding, stored, ids.Length, _model.Weights.Config.Width, embeddings);
            return embeddings;
        }
    }
}
