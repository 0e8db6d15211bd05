using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

public sealed class SweepRetryTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly SweepFolder _folder;

    public SweepRetryTests()
    {
        SweepUnit[] units =
        [
            SweepSamples.Unit(0), SweepSamples.Unit(1, needs: [SweepSamples.Key(0)]), SweepSamples.Unit(2, needs: [SweepSamples.Key(1)]),
            SweepSamples.Unit(3), SweepSamples.Unit(4),
        ];
        _folder = SweepSamples.LayOut(_temp["s"], units);
        foreach (SweepUnit unit in units[..4]) _folder.Fail(UnitFailure.Now(unit, "no", 1));
    }

    [Fact]
    public void All_failures_are_forgotten()
    {
        Cli.Run("sweep", "retry", _temp["s"]).Succeeds("4 failures of", "computes the units again", SweepSamples.Key(3));
        Assert.Empty(_folder.Failed());
        Cli.Run("sweep", "retry", _temp["s"]).Succeeds($"no unit of {_temp["s"]} has failed");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void One_is_forgotten_with_what_it_needs_and_those_that_failed_for_want_of_it(int unit)
    {
        Cli.Run("sweep", "retry", _temp["s"], "--unit", SweepSamples.Key(unit)[..8].ToUpperInvariant()).Succeeds("3 failures of");
        Assert.Equal([SweepSamples.Key(3)], _folder.Failed());
        Cli.Run("sweep", "retry", "--dir", _temp["s"], "--unit", SweepSamples.Key(3)).Succeeds("1 failure of", "computes the unit again");
    }

    // Its parts have failed, and nobody has come to put them together since.
    [Fact]
    public void What_cannot_be_put_together_stands_for_its_parts()
    {
        _folder.Forget(SweepSamples.Key(2));
        _folder.Forget(SweepSamples.Key(1));
        Cli.Run("sweep", "retry", _temp["s"], "--unit", SweepSamples.Key(2)).Succeeds("1 failure of", SweepSamples.Key(0));
    }

    [Fact]
    public void A_key_that_means_no_failure_is_refused()
    {
        Cli.Run("sweep", "retry", _temp["s"], "--unit", "xyz").Fails(2, "--unit xyz", "has no such unit");
        Cli.Run("sweep", "retry", _temp["s"], "--unit", SweepSamples.Key(4)).Fails(2, "--unit", "has not failed.");
        Cli.Run("sweep", "retry", _temp["s"], "--unit", "").Fails(2, "--unit");
        Assert.Equal(4, _folder.Failed().Count);
    }

    [Fact]
    public void A_beginning_that_several_keys_have_is_refused()
    {
        SweepFolder folder = SweepSamples.LayOut(_temp["many"], SweepSamples.Units(17));
        string shared = folder.Units.GroupBy(u => u.Key[..1]).First(g => g.Count() > 1).Key;
        Cli.Run("sweep", "retry", folder.Path, "--unit", shared).Fails(2, $"--unit {shared}: ", "units begin so; give more of the key.");
    }

    [Fact]
    public void Short_forms_have_help()
    {
        foreach (string verb in (string[])["status", "retry"])
            Assert.Equal(Cli.Run($"sweep-{verb}", "--help").Out, Cli.Run("sweep", verb, "--help").Succeeds("--dir").Out);
    }

    public void Dispose() => _temp.Dispose();
}
