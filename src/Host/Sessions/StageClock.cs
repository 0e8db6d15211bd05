using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Gradpath.Host.Sessions;

/// <summary>How long each stage of a command took.</summary>
/// <param name="terminal">Told of each stage, for those who want to know more.</param>
internal sealed class StageClock(Terminal terminal)
{
    private readonly List<(string Name, TimeSpan Time)> _stages = [];
    private readonly Stopwatch _watch = new();
    private string? _current;

    /// <summary>Ends the stage at hand and begins the next; a stage that is begun again goes on.</summary>
    public void Start(string name)
    {
        Stop();
        _current = name;
        _watch.Restart();
    }

    /// <summary>Ends the stage at hand.</summary>
    public void Stop()
    {
        if (_current is null) return;
        int i = _stages.FindIndex(s => s.Name == _current);
        TimeSpan time = _watch.Elapsed;
        if (i < 0) _stages.Add((_current, time));
        else _stages[i] = (_current, _stages[i].Time + time);
        terminal.Detail($"{_current}: {Text(time)}");
        _current = null;
    }

    /// <summary>All stages in one line: <c>load 0.1 s, passes 12 s</c>.</summary>
    public override string ToString() => string.Join(", ", _stages.Select(s => $"{s.Name} {Text(s.Time)}"));

    /// <summary>The time of a stage so far; none where it has not begun.</summary>
    public TimeSpan Of(string name) => _stages.FirstOrDefault(s => s.Name == name).Time;

    /// <summary>The seconds of all stages.</summary>
    public JsonObject ToJson() => new(_stages.Select(s => KeyValuePair.Create(s.Name, (JsonNode?)JsonValue.Create(s.Time.TotalSeconds))));

    private static string Text(TimeSpan time) => time.TotalSeconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s"),
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds} s"),
    };
}
