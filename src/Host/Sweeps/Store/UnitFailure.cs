using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>Why a unit could not be computed.</summary>
/// <param name="Key">The unit's key.</param>
/// <param name="Title">What messages call the unit.</param>
/// <param name="Error">The reason, as the unit alone would have said it.</param>
/// <param name="Exit">The exit code that the unit alone would have ended with.</param>
/// <param name="Host">The machine.</param>
/// <param name="Time">When, by that machine's clock.</param>
internal sealed record UnitFailure(string Key, string Title, string Error, int Exit, string Host, DateTimeOffset Time)
{
    private const string Advice = "'gradpath sweep retry' forgets it";

    /// <summary>A failure of this moment, on this machine.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="error">The reason.</param>
    /// <param name="exit">The exit code.</param>
    public static UnitFailure Now(SweepUnit unit, string error, int exit) =>
        new(unit.Key, unit.Title, error, exit, Environment.MachineName, DateTimeOffset.UtcNow);

    /// <summary>Reads a record.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">It cannot be read or is damaged.</exception>
    public static UnitFailure Read(string path) => StrictJson.ReadFile(path, Advice, json => new UnitFailure(
        json.Text("key"), json.Text("title"), json.Text("error"), json.Count("exit"), json.Text("host"),
        DateTimeOffset.TryParse(json.Text("time"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time
            : throw json.Fault("time", "is no time")));

    /// <summary>The record as JSON.</summary>
    public JsonObject ToJson() => new()
    {
        ["key"] = Key,
        ["title"] = Title,
        ["error"] = Error,
        ["exit"] = Exit,
        ["host"] = Host,
        ["time"] = Time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
    };
}
