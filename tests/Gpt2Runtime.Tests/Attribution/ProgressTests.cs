using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>What a caller sees of a run while it lasts, and how it stops one.</summary>
public sealed class ProgressTests
{
    public static TheoryData<string> Methods => [.. AttributionMethods.All.Select(m => m.Name)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Progress_never_falls_and_ends_at_the_total(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        using OddModel model = OddModel.Make("untied, erf");
        var reports = new Reports();
        EdgeAttribution.Score(model.Weights, PromptSet.Of(model.Mixed), Options(method), reports);
        Assert.Equal(0, reports.All[0].Done);
        Assert.Equal(reports.All[^1].Total, reports.All[^1].Done);
        Assert.All(reports.All, r => Assert.Equal(reports.All[0].Total, r.Total));
        Assert.All(reports.All, r => Assert.NotEmpty(r.Stage));
        Assert.All(reports.All.Zip(reports.All.Skip(1)), pair =>
            Assert.True(pair.First.Done <= pair.Second.Done, $"{pair.First} then {pair.Second}"));

        // Random scores know no passes, only the items that they pretend to look at.
        Assert.True(reports.All.DistinctBy(r => r.Done).Count() > (method == AttributionMethods.Random ? 1 : 5));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_run_that_is_stopped_before_it_starts_does_nothing(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        using OddModel model = OddModel.Make("head bias");
        using var source = new CancellationTokenSource();
        source.Cancel();
        var reports = new Reports();
        Assert.Throws<OperationCanceledException>(
            () => EdgeAttribution.Score(model.Weights, PromptSet.Of(model.Mixed), Options(method), reports, source.Token));
        Assert.Empty(reports.All);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_run_that_is_stopped_on_the_way_gives_its_memory_back(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        using OddModel model = OddModel.Make("head bias");
        long before = model.Device.AllocatedBytes;
        using var source = new CancellationTokenSource();
        var reports = new Reports { Each = count => { if (count == 4) source.Cancel(); } };
        Assert.Throws<OperationCanceledException>(
            () => EdgeAttribution.Score(model.Weights, PromptSet.Of(model.Mixed), Options(method), reports, source.Token));
        Assert.Equal(4, reports.All.Count);
        Assert.Equal(before, model.Device.AllocatedBytes);
    }

    private static AttributionOptions Options(string method) => Options(AttributionMethods.Find(method));

    private static AttributionOptions Options(AttributionMethod method) =>
        new() { Method = method, Steps = method.Takes(MethodSettings.Steps) ? 3 : null, BatchSize = 2 };

    // Progress<T> reports on another thread; this one at once.
    private sealed class Reports : IProgress<RunProgress>
    {
        public List<RunProgress> All { get; } = [];

        public Action<int>? Each { get; init; }

        public void Report(RunProgress value)
        {
            All.Add(value);
            Each?.Invoke(All.Count);
        }
    }
}
