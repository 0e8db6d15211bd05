using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary><c>gradpath sweep --extend</c>: a folder gets another plan, and keeps what is done.</summary>
public sealed class SweepExtendTests : IDisposable
{
    private readonly TinyModel _model = new();

    private string Out => _model.Path("out");

    [Fact]
    public void Only_what_is_new_is_computed_and_the_table_is_that_of_the_new_plan()
    {
        string whole = _model.Path("whole");
        SweepPlans.Run(Plan("[eap, eap-ig]", "0..1"), Out).Succeeds("4 of 4 units done");
        string plan = Plan("[eap, {name: eap-gp, steps: 2}]", "0..2");
        SweepPlans.Run(plan, Out).Fails(1, "of another plan (methods differ); name another folder, or add --extend, which makes this plan");
        Cli run = SweepPlans.Run(plan, Out, "--extend").Succeeds("6 of 6 units done, 4 of them now");
        Assert.Contains($"note: {Out}: 4 units came to the plan, 2 units left it, and what is done of them stays in", run.Error,
            StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(plan), File.ReadAllText(Path.Combine(Out, "plan.yaml")));
        Assert.Equal("", SweepPlans.Run(plan, Out, "--extend").Succeeds("0 of them now").Error);
        SweepPlans.Run(plan, Out).Succeeds("0 of them now");
        Cli.Run("sweep", "status", Out).Succeeds("6 of 6 units done");
        SweepPlans.Run(plan, whole, "--extend").Succeeds("6 of 6 units done, 6 of them now");
        Assert.Equal(SweepPlans.Table(whole), SweepPlans.Table(Out));
    }

    [Fact]
    public void A_process_that_works_at_the_former_plan_goes_on_with_it()
    {
        SweepPlans.Run(Plan("eap", "0..1"), Out).Succeeds("2 of 2 units done");
        SweepFolder former = SweepLayout.Open(Out);
        foreach (SweepUnit unit in former.Units) File.Delete(former.ResultFile(unit.Key));
        bool isExtended = false;
        SweepSamples.Work work = new((unit, _, _) =>
        {
            if (!isExtended) SweepPlans.Run(Plan("eap", "1..2"), Out, "--extend").Succeeds("2 of 2 units done, 2 of them now");
            isExtended = true;
            return new UnitOutcome(SweepSamples.Result(unit.Key));
        });
        SweepOutcome outcome = new SweepWorker(former, work, SweepSamples.Terminal()) { Place = (0, 1) }.Run(former.Units, default);
        Assert.Equal((2, 2, 0), (outcome.Units, outcome.Done, outcome.Failures.Count));
        Assert.Equal(3, SweepLayout.Open(Out).Done().Count);
        Assert.Empty(Directory.GetFiles(Path.Combine(Out, "claims")));
    }

    [Fact]
    public void Prompts_that_have_changed_make_new_units()
    {
        SweepPlans.Run(Plan("eap", "0"), Out).Succeeds("1 of 1 unit done");
        File.WriteAllText(_model.Pairs, TinyModel.PairLines(6, 5) + "\n");
        SweepPlans.Run(Plan("eap", "0"), Out).Fails(1, "with other units (unit 1 is 'eap, pairs, ", "--extend");
        SweepPlans.Run(Plan("eap", "0"), Out, "--extend").Succeeds("1 of 1 unit done, 1 of them now");
    }

    public void Dispose() => _model.Dispose();

    private string Plan(string methods, string seeds) => SweepPlans.Write(_model, $$"""
        tasks: {data: {{_model.Pairs}}}
        methods: {{methods}}
        seeds: {{seeds}}
        prompts: {train: 3, judge: 3}
        sizes: {fractions: [0.1, 0.5], edges: 5}
        evaluate: [curve, sizes]
        """);
}
