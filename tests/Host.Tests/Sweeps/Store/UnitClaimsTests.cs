using System.Collections.Concurrent;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Store;

namespace Gradpath.Host.Tests;

/// <summary>Claims on units: one owner at a time, however many want it, unless its owner has given no sign of life for long.</summary>
public sealed class UnitClaimsTests : IDisposable
{
    private static readonly ClaimTiming s_never = new(TimeSpan.FromHours(1), TimeSpan.FromHours(2));
    private static readonly ClaimTiming s_soon = new(TimeSpan.FromSeconds(0.05), TimeSpan.FromSeconds(0.6));
    private static readonly string s_key = SweepSamples.Key(0);

    private readonly TempFolder _temp = new();

    [Fact]
    public void A_unit_is_claimed_once_until_it_is_given_back()
    {
        using UnitClaims one = new(_temp.Path, s_never), other = new(_temp.Path, s_never);
        Assert.True(one.TryTake(s_key));
        Assert.True(one.Holds(s_key));
        Assert.False(other.TryTake(s_key));
        Assert.False(other.Holds(s_key));
        Assert.Equal([s_key], other.Keys());
        one.Release(s_key, settled: false);
        Assert.Empty(Directory.GetFiles(_temp.Path));
        Assert.True(other.TryTake(s_key));
        other.Release(s_key, settled: true);
        Assert.Empty(Directory.GetFiles(_temp.Path));
    }

    [Fact]
    public void Whoever_ends_gives_all_back()
    {
        using (UnitClaims one = new(_temp.Path, s_never))
        {
            for (int i = 0; i < 3; i++) Assert.True(one.TryTake(SweepSamples.Key(i)));
        }
        Assert.Empty(Directory.GetFiles(_temp.Path));
    }

    [Fact]
    public void A_claim_says_whose_it_is_and_since_when()
    {
        using UnitClaims one = new(_temp.Path, s_never);
        one.TryTake(s_key);
        (UnitClaim claim, bool isExpired) = Assert.Single(one.All(out DateTime now));
        Assert.Equal((s_key, Environment.MachineName, Environment.ProcessId), (claim.Key, claim.Host, claim.Process));
        Assert.False(isExpired);
        Assert.InRange(now - claim.Taken, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.True(claim.Taken <= claim.Touched);
    }

    [Fact]
    public void Signs_of_life_keep_a_claim()
    {
        using UnitClaims one = new(_temp.Path, s_soon), other = new(_temp.Path, s_soon);
        Assert.True(one.TryTake(s_key));
        DateTime first = File.GetLastWriteTimeUtc(_temp[s_key]);
        Wait(() => File.GetLastWriteTimeUtc(_temp[s_key]) - first > s_soon.Expiry * 2);
        Assert.False(other.TryTake(s_key));
        Assert.True(one.Holds(s_key));
    }

    [Fact]
    public void An_expired_claim_is_taken_over_and_its_owner_knows()
    {
        using UnitClaims one = new(_temp.Path, s_never), other = new(_temp.Path, s_never), third = new(_temp.Path, s_never);
        Assert.True(one.TryTake(s_key));
        Expire(s_key);
        Assert.True(other.TryTake(s_key));
        Assert.False(third.TryTake(s_key));
        Assert.False(one.Holds(s_key));
        Assert.True(other.Holds(s_key));

        // The late one does not give back what is another's.
        one.Release(s_key, settled: false);
        Assert.False(third.TryTake(s_key));
        Expire($"{s_key}.1");
        Assert.True(third.TryTake(s_key));
        third.Release(s_key, settled: false);
        Assert.True(one.TryTake(s_key));
        one.Release(s_key, settled: true);
        Assert.Empty(Directory.GetFiles(_temp.Path));
    }

    [Fact]
    public void An_empty_claim_of_a_process_killed_at_once_expires_too()
    {
        using UnitClaims one = new(_temp.Path, s_never);
        File.WriteAllText(_temp[s_key], "");
        Assert.False(one.TryTake(s_key));
        Assert.Equal("", Assert.Single(one.All(out _)).Claim.Host);
        Expire(s_key);
        Assert.True(one.TryTake(s_key));
    }

    [Fact]
    public void A_claim_above_a_missing_one_counts_and_the_gap_is_filled()
    {
        using UnitClaims one = new(_temp.Path, s_never), other = new(_temp.Path, s_never);
        one.TryTake(s_key);
        File.Move(_temp[s_key], _temp[$"{s_key}.1"]);
        Assert.False(other.TryTake(s_key));
        Expire($"{s_key}.1");
        Assert.True(other.TryTake(s_key));
        Assert.Equal([s_key, $"{s_key}.1", $"{s_key}.2"], Directory.GetFiles(_temp.Path).Select(f => Path.GetFileName(f)!).Order());
    }

    [Fact]
    public void Other_files_are_no_claims()
    {
        foreach (string name in (string[])["a.clock", ".nfs00001", $"{s_key}.x", $"{s_key}x", "readme"]) _temp.Write(name, "{}");
        using UnitClaims one = new(_temp.Path, s_never);
        Assert.Empty(one.Keys());
        Assert.Empty(one.All(out _));
    }

    [Fact]
    public void A_folder_that_has_gone_is_an_error()
    {
        using UnitClaims one = new(_temp["gone"], s_never);
        GradpathException e = Assert.Throws<GradpathException>(() => one.TryTake(s_key));
        Assert.StartsWith($"cannot write {_temp["gone"]}", e.Message, StringComparison.Ordinal);
    }

    // Many threads with claims of their own take and give back few units, some in the middle of the work. No two have one at once.
    [Fact]
    public void Of_many_that_race_one_has_a_unit_at_a_time()
    {
        const int Threads = 8, Units = 3, Rounds = 300;
        int[] owners = new int[Units], takes = new int[Threads];
        ConcurrentQueue<string> faults = new();
        Race(Threads, thread =>
        {
            using UnitClaims claims = new(_temp.Path, s_never);
            Random random = new(thread);
            for (int round = 0; round < Rounds; round++)
            {
                int unit = random.Next(Units);
                if (!claims.TryTake(SweepSamples.Key(unit))) continue;
                if (Interlocked.Increment(ref owners[unit]) != 1) faults.Enqueue($"two have unit {unit}");
                takes[thread]++;
                if (random.Next(4) == 0) Thread.Sleep(1);
                Interlocked.Decrement(ref owners[unit]);
                claims.Release(SweepSamples.Key(unit), settled: random.Next(2) == 0);
            }
        });
        Assert.Empty(faults);
        Assert.True(takes.Sum() > Rounds / 2, $"only {takes.Sum()} claims went well");
    }

    // All see the same expired claim at the same time, over and over: one takes it over.
    [Fact]
    public void Of_many_that_take_over_at_once_one_does()
    {
        const int Threads = 8, Rounds = 100;
        using Barrier barrier = new(Threads);
        int[] winners = new int[Rounds];
        ConcurrentQueue<string> faults = new();
        Race(Threads, thread =>
        {
            using UnitClaims claims = new(_temp.Path, s_never);
            for (int round = 0; round < Rounds; round++)
            {
                string key = SweepSamples.Key(round);
                if (thread == 0)
                {
                    for (int place = 0; place <= round % 3; place++)
                    {
                        string claim = place == 0 ? key : $"{key}.{place}";
                        File.WriteAllText(_temp[claim], $$"""{"host":"h","pid":1,"token":"{{claim}}","taken":"2026-01-02T03:04:05Z"}""");
                        Expire(claim);
                    }
                }
                barrier.SignalAndWait();
                bool won = claims.TryTake(key);
                if (won) Interlocked.Increment(ref winners[round]);
                barrier.SignalAndWait();

                // Whoever comes later finds it taken.
                if (!won && claims.TryTake(key)) faults.Enqueue($"round {round}: taken again");
                barrier.SignalAndWait();
                if (won) claims.Release(key, settled: true);
                barrier.SignalAndWait();
            }
        });
        Assert.Empty(faults);
        Assert.All(winners, w => Assert.Equal(1, w));
        Assert.Empty(Directory.GetFiles(_temp.Path));
    }

    [Fact]
    public void How_far_a_unit_is_goes_with_the_sign_of_life_and_ends_with_the_claim()
    {
        ClaimTiming timing = new(TimeSpan.FromMilliseconds(20), TimeSpan.FromMinutes(1));
        string key = SweepSamples.Key(0), other = SweepSamples.Key(1), share = Path.Combine(_temp.Path, $"{key}.share");
        using UnitClaims mine = new(_temp.Path, timing), watcher = new(_temp.Path, timing);
        Assert.True(mine.TryTake(key) && mine.TryTake(other));
        Assert.All(watcher.All(out _), c => Assert.Null(c.Claim.Done));
        mine.Report(key, 0.421, "scoring");
        mine.Report(SweepSamples.Key(2), 0.5, "");
        Assert.True(SpinWait.SpinUntil(
            () => watcher.All(out _).Any(c => c.Claim.Key == key && c.Claim.Done == (0.421, "scoring")), TimeSpan.FromMinutes(1)));
        Assert.Null(watcher.All(out _).Single(c => c.Claim.Key == other).Claim.Done);
        Assert.Equal(new[] { key, other }.Order(), watcher.Keys().Order());
        mine.Release(key, settled: true);
        mine.Release(other, settled: false);
        Assert.True(SpinWait.SpinUntil(() => !File.Exists(share), TimeSpan.FromMinutes(1)));
        Assert.Empty(Directory.GetFiles(_temp.Path));
    }

    [Fact]
    public void What_a_killed_process_said_goes_with_its_claim()
    {
        string key = SweepSamples.Key(0);
        ClaimTiming timing = new(TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1));
        _temp.Write(key, """{"host":"node7","pid":12,"token":"a","taken":"2026-01-02T03:04:05.0000000Z"}""");
        _temp.Write($"{key}.share", "0.5 ");
        using UnitClaims mine = new(_temp.Path, timing);
        Assert.Equal((0.5, ""), Assert.Single(mine.All(out _)).Claim.Done);
        File.SetLastWriteTimeUtc(_temp[key], DateTime.UtcNow.AddMinutes(-5));
        Assert.True(mine.TryTake(key));
        mine.Release(key, settled: true);
        Assert.Empty(Directory.GetFiles(_temp.Path));
    }

    public void Dispose() => _temp.Dispose();

    /// <summary>Runs threads at once and passes on what they throw.</summary>
    /// <param name="count">How many.</param>
    /// <param name="run">What each does.</param>
    internal static void Race(int count, Action<int> run)
    {
        ConcurrentQueue<Exception> thrown = new();
        Thread[] threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            try
            {
                run(i);
            }
            catch (Exception e)
            {
                thrown.Enqueue(e);
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.Empty(thrown);
    }

    private static void Wait(Func<bool> until)
    {
        for (int i = 0; !until(); i++)
        {
            Assert.True(i < 600, "it takes too long");
            Thread.Sleep(50);
        }
    }

    private void Expire(string name) => File.SetLastWriteTimeUtc(_temp[name], DateTime.UtcNow.AddHours(-3));
}
