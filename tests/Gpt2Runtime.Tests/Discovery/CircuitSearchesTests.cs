using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>What holds for every search, also for those that are still to come: the tests walk the table.</summary>
public sealed class CircuitSearchesTests
{
    public static TheoryData<string> All => [.. CircuitSearches.All.Select(s => s.Name)];

    public static TheoryData<string, string> Known
    {
        get
        {
            TheoryData<string, string> cases = [];
            foreach (CircuitSearch search in CircuitSearches.All)
            {
                cases.Add(search.Name, "induction");
                cases.Add(search.Name, "negative");
            }
            foreach (string variant in ReferenceSearch.Variants.Keys)
            {
                cases.Add(variant, "induction");
                cases.Add(variant, "negative");
            }
            return cases;
        }
    }

    [Fact]
    public void A_search_is_found_by_each_of_its_names_and_no_two_share_one()
    {
        string[] names = [.. CircuitSearches.All.SelectMany(s => s.Aliases.Append(s.Name).Append(s.Name).Distinct())];
        Assert.Equal(names.Length, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        foreach (CircuitSearch search in CircuitSearches.All)
        {
            foreach (string name in search.Aliases.Append(search.Name).Append(search.Name))
            {
                Assert.Same(search, CircuitSearches.Find(name));
                Assert.Same(search, CircuitSearches.Find(name.ToUpperInvariant().Replace('-', '_')));
            }
            Assert.Equal(search.Name, search.ToString());
            Assert.All([search.Title, search.Summary, search.Passes], text => Assert.NotEqual("", text));
            Assert.DoesNotContain(AttributionMethods.All, m => m.Name == search.Name || m.Name == search.Name);
        }
        string message = Assert.Throws<OptionException>(() => CircuitSearches.Find("edge-prunning")).Message;
        Assert.Contains("did you mean edge-pruning?", message, StringComparison.Ordinal);
        Assert.All(CircuitSearches.All, s => Assert.Contains(s.Name, message, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Known))]
    public void It_finds_the_circuit_that_its_reference_finds(string name, string model)
    {
        KnownCircuit known = KnownCircuits.Make(model);
        bool isVariant = ReferenceSearch.Variants.TryGetValue(name, out (string Search, ReferenceSearch Reference) variant);
        CircuitSearch search = CircuitSearches.Find(isVariant ? variant.Search : name);
        ReferenceSearch reference = isVariant ? variant.Reference : ReferenceSearch.Of(search);
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(known.Model, device);
        SearchResult result = search.Search(weights, PromptSet.Of(known.Pairs), reference.Options(known));
        Assert.Equal(
            reference.Edges(known).Order(StringComparer.Ordinal),
            result.Circuit.Edges.Select(e => known.Graph.EdgeName(e.Row, e.Column)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Stopped_after_any_step_it_goes_on_to_the_same_bits(string name)
    {
        using OddModel model = OddModel.Make("head bias");
        CircuitSearch search = CircuitSearches.Find(name);
        SearchOptions options = Short(search);
        var kept = new MemoryCheckpoint();
        SearchResult whole = Search(model, search, options, kept);
        Assert.True(kept.States.Count > 1, "there was nothing to stop");
        int stride = Math.Max(1, kept.States.Count / 7);
        for (int i = 0; i < kept.States.Count; i += stride)
        {
            var goingOn = new MemoryCheckpoint(kept.States[i]);
            RequireSame(whole, Search(model, search, options, goingOn));
            Assert.Equal(kept.States.Count - 1 - i, goingOn.States.Count);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Stopped_at_any_report_it_leaves_what_it_has_done_and_no_memory(string name)
    {
        using OddModel model = OddModel.Make("head bias");
        CircuitSearch search = CircuitSearches.Find(name);
        SearchOptions options = Short(search);
        var counter = new StopAt(null, int.MaxValue);
        SearchResult whole = Search(model, search, options, null, counter);
        Assert.True(counter.Reports > 2, $"only {counter.Reports} reports");
        long before = model.Device.AllocatedBytes;
        int left = 0;
        for (int at = 1; at <= counter.Reports; at += Math.Max(1, counter.Reports / 5))
        {
            using var source = new CancellationTokenSource();
            var stopped = new StoppedCheckpoint();
            try
            {
                Search(model, search, options, stopped, new StopAt(source, at), source.Token);
                continue;
            }
            catch (OperationCanceledException)
            {
            }
            Assert.Equal(before, model.Device.AllocatedBytes);
            Assert.Equal(stopped.State is null, stopped.Done is null);
            if (stopped.State is null) continue;
            left++;
            RequireSame(whole, Search(model, search, options, new MemoryCheckpoint(stopped.State)));
        }
        Assert.True(left > 0, "no stop left anything");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_state_that_it_has_not_left_is_refused(string name)
    {
        using OddModel model = OddModel.Make("one head");
        CircuitSearch search = CircuitSearches.Find(name);
        foreach (string state in new[] { "{}", "{\"0\":1,\"rounds\":[{}],\"log-alpha\":\"?\",\"scores\":\"AAAA\"}" })
            Assert.Throws<GradpathException>(() => Search(model, search, Short(search), new MemoryCheckpoint(state)));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Provenance_states_the_run(string name)
    {
        using OddModel model = OddModel.Make("one head");
        CircuitSearch search = CircuitSearches.Find(name);
        SearchOptions options = Short(search) with { Ablation = Ablation.Zero };
        SearchResult result = Search(model, search, options);
        Provenance stated = result.Circuit.Provenance!;
        Assert.Equal((search.Name, "zero", result.BatchSize), (stated.Method, stated.Ablation, stated.BatchSize));
        Assert.Equal((5, model.Weights.Hash), (stated.Items, stated.ModelHash));
        Assert.Equal(search.Takes(SearchSettings.Seed) ? 0 : null, stated.Seed);
        Assert.NotNull(stated.Metric);
        Assert.NotNull(stated.Sign);
        foreach ((string key, _) in options.Describe(result.Circuit.Graph)) Assert.True(stated.Options.ContainsKey(key), key);
        Assert.InRange(result.PeakDeviceBytes, 1, long.MaxValue);
        Assert.InRange(result.BatchSize, 1, 5);
        Assert.Equal(model.Weights.Config.Width, result.Circuit.ModelWidth);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void An_option_that_it_does_not_read_is_refused(string name)
    {
        using OddModel model = OddModel.Make("one head");
        CircuitSearch search = CircuitSearches.Find(name);
        SearchOptions options = Short(search);
        void Read(SearchSettings setting, string term, SearchOptions with)
        {
            if (search.Takes(setting)) return;
            string message = Assert.Throws<OptionException>(() => Search(model, search, with)).Message;
            Assert.Contains($"{term} does not apply to {search.Name}", message, StringComparison.Ordinal);
        }
        Read(SearchSettings.Metric, "Metric", options with { Metric = BuiltInMetrics.LogitDifference });
        Read(SearchSettings.Seed, "Seed", options with { Seed = 1 });
        Read(SearchSettings.Scorer, "Scorer", options with { Scorer = ReferenceSearch.Scorer });
        if (search.NeedsScorer)
        {
            string message = Assert.Throws<OptionException>(() => Search(model, search, search.Defaults)).Message;
            Assert.Contains("needs Scorer", message, StringComparison.Ordinal);
        }
        foreach (CircuitSearch other in CircuitSearches.All.Where(s => s != search))
            Assert.Throws<OptionException>(() => Search(model, search, Short(other)));
        Assert.Throws<OptionException>(() => Search(model, search, options with { BatchSize = -1 }));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_device_that_another_thread_uses_is_refused(string name)
    {
        using OddModel model = OddModel.Make("one head");
        CircuitSearch search = CircuitSearches.Find(name);
        var busy = new Meanwhile(() => Assert.Throws<InvalidOperationException>(() => Search(model, search, Short(search))));
        Search(model, search, Short(search), null, busy);
        Assert.True(busy.Tried);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_size_is_met_by_those_that_can_be_asked_for_one(string name)
    {
        using OddModel model = OddModel.Make("relu, unscaled attention");
        CircuitSearch search = CircuitSearches.Find(name);
        SearchOptions options = Short(search);
        switch (search.Sizing)
        {
            case SearchSizing.Sparsity:
                Circuit circuit = Search(model, search, options.At(0.7)).Circuit;
                Assert.InRange(1 - (circuit.EdgeCount / (double)circuit.Graph.EdgeCount), 0.69, 0.71);
                break;
            case SearchSizing.Threshold:
                int Edges(double threshold) => Search(model, search, options.At(threshold)).Circuit.EdgeCount;
                Assert.Equal(0, Edges(double.PositiveInfinity));
                Assert.True(Edges(0) > Edges(0.01));
                break;
            default:
                Assert.Throws<NotSupportedException>(() => options.At(0.5));
                break;
        }
    }

    // The search's options for the least work, but with everything that it needs.
    internal static SearchOptions Short(CircuitSearch search)
    {
        SearchOptions options = search.Defaults with { Scorer = search.NeedsScorer ? ReferenceSearch.Scorer : null };
        return options switch
        {
            EdgePruningOptions training => training with { Sparsity = 0.7, Steps = 24, BatchSize = 2 },
            AcdcOptions acdc => acdc with { Candidates = 4 },
            PathTracingOptions paths => paths with { Threshold = null, Top = 3 },
            _ => options,
        };
    }

    private static SearchResult Search(
        OddModel model,
        CircuitSearch search,
        SearchOptions options,
        RunCheckpoint? checkpoint = null,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default) =>
        search.Search(model.Weights, PromptSet.Of(model.Mixed), options, checkpoint, progress, cancellation);

    private static void RequireSame(SearchResult expected, SearchResult actual)
    {
        Assert.Equal(expected.GetType(), actual.GetType());
        Assert.Equal(expected.Circuit.Membership.ToArray(), actual.Circuit.Membership.ToArray());
        Assert.Equal(
            expected.Circuit.Scores!.Values.ToArray().Select(BitConverter.SingleToInt32Bits),
            actual.Circuit.Scores!.Values.ToArray().Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(Stated(expected), Stated(actual));
        Assert.Equal(expected.Passes, actual.Passes);
    }

    // All but the times.
    private static string Stated(SearchResult result)
    {
        Provenance provenance = result.Circuit.Provenance! with { Created = null };
        provenance.Options.Remove("seconds");
        return provenance.ToJson().ToJsonString();
    }

    private sealed class StoppedCheckpoint : RunCheckpoint
    {
        public string? State { get; private set; }

        protected override bool IsDue => false;

        protected override void Write(System.Text.Json.Nodes.JsonObject state) => State = state.ToJsonString();
    }

    private sealed class StopAt(CancellationTokenSource? source, int report) : IProgress<RunProgress>
    {
        public int Reports { get; private set; }

        public void Report(RunProgress value)
        {
            if (++Reports == report) source!.Cancel();
        }
    }

    // At the first report, on a thread of its own.
    private sealed class Meanwhile(Action other) : IProgress<RunProgress>
    {
        public bool Tried { get; private set; }

        public void Report(RunProgress value)
        {
            if (Tried) return;
            Tried = true;
            Exception? failed = null;
            var thread = new Thread(() =>
            {
                try
                {
                    other();
                }
                catch (Exception e)
                {
                    failed = e;
                }
            });
            thread.Start();
            thread.Join();
            if (failed is not null) throw failed;
        }
    }
}
