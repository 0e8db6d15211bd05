using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Tests;

public sealed class ProgressLinesTests
{
    private readonly SetTime _time = new();
    private readonly List<string> _lines = [];

    [Fact]
    public void Lines_come_after_ten_seconds_then_further_apart_up_to_a_minute()
    {
        ProgressLines lines = new(_time, line => _lines.Add($"{_time.Seconds}: {line}"));
        IProgress<RunProgress> run = lines.Begin("eap-gp");
        for (_time.Seconds = 0; _time.Seconds <= 300; _time.Seconds++) run.Report(new RunProgress(_time.Seconds, 400, "batch"));
        Assert.Equal(["10", "30", "70", "130", "190", "250"], _lines.Select(l => l.Split(':')[0]));
        Assert.Equal("30: eap-gp, batch: 8 % done, 30 s so far, about 6 min left", _lines[1]);
    }

    [Fact]
    public void A_short_run_has_none()
    {
        ProgressLines lines = new(_time, _lines.Add);
        IProgress<RunProgress> run = lines.Begin("eap");
        _time.Seconds = 9;
        run.Report(new RunProgress(9, 10, ""));
        Assert.Empty(_lines);
    }

    /// <summary>Many short runs are one long command; what is left is of the run at hand.</summary>
    [Fact]
    public void Time_is_the_commands_and_what_is_left_the_runs()
    {
        ProgressLines lines = new(_time, _lines.Add);
        lines.Begin("acdc").Report(new RunProgress(1, 2, ""));
        _time.Seconds = 8;
        lines.Part = "row 2 of 9";
        IProgress<RunProgress> second = lines.Begin("hap");
        _time.Seconds = 12;
        second.Report(new RunProgress(1, 4, ""));
        Assert.Equal(["row 2 of 9, hap: 25 % done, 12 s so far, about 12 s left of this"], _lines);
    }

    [Fact]
    public void A_run_without_units_of_work_has_no_time_left()
    {
        ProgressLines lines = new(_time, _lines.Add);
        IProgress<RunProgress> run = lines.Begin("bench");
        _time.Seconds = 15;
        run.Report(new RunProgress(0, 0, "rates"));
        Assert.Equal(["bench, rates: 0 % done, 15 s so far"], _lines);
    }

    [Fact]
    public void Where_nobody_knows_how_much_there_is_what_is_done_is_counted()
    {
        ProgressLines lines = new(_time, _lines.Add);
        IProgress<RunProgress> run = lines.Begin("prompts");
        _time.Seconds = 15;
        run.Report(new RunProgress(12_000, 0, ""));
        Assert.Equal(["prompts: 12,000 done, 15 s so far"], _lines);
    }

    private sealed class SetTime : TimeProvider
    {
        public int Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
