using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// What a long search has done so far, in a file beside its result: <c>circuit.json.progress</c>. It states the run that it belongs to
/// (command, version, hashes of model and prompts, options), and only that run can go on from it.
/// </summary>
/// <param name="result">The file that the search will write at its end.</param>
/// <param name="command">The search: <c>acdc</c>.</param>
/// <param name="run">
/// Everything that decides the result, as flat names and values. Options are named as on the command line, with their dashes, so that a
/// refusal names what to change.
/// </param>
public sealed class ProgressFile(string result, string command, JsonObject run)
{
    private const string Extension = ".progress";
    private const string CommandKey = "command";
    private const string RunKey = "run";
    private const string StateKey = "state";

    /// <summary>The file: the result's path with <c>.progress</c> behind it.</summary>
    public string Path { get; } = result + Extension;

    /// <summary>Refuses to start over where an earlier run has left its work, or to go on where none has.</summary>
    /// <param name="result">The file that the search will write at its end.</param>
    /// <param name="resume">Whether the user wants to go on.</param>
    /// <exception cref="GradpathException">The file is there and <paramref name="resume"/> is false, or the other way round.</exception>
    public static void Check(string result, bool resume)
    {
        string path = result + Extension;
        if (File.Exists(path) == resume) return;
        throw new GradpathException(resume
            ? $"there is nothing to go on from: no file {path}. Leave --resume out to start."
            : $"{path} holds the work of a run that was stopped: add --resume to go on from it, or delete it to start over.");
    }

    /// <summary>Writes the state; an older one is replaced, and only by a whole one.</summary>
    /// <param name="state">The state, see <see cref="Pack"/>.</param>
    /// <exception cref="GradpathException">The file cannot be written.</exception>
    public void Save(JsonObject state)
    {
        JsonObject file = new() { [CommandKey] = command, [RunKey] = run.DeepClone(), [StateKey] = state };
        AtomicFile.Write(Path, stream =>
        {
            using Utf8JsonWriter json = new(stream);
            file.WriteTo(json);
        });
    }

    /// <summary>Reads the state.</summary>
    /// <returns>What was saved last.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or belongs to another run; the message names the first difference.</exception>
    public JsonObject Load()
    {
        JsonObject file;
        try
        {
            file = JsonNode.Parse(File.ReadAllBytes(Path)) as JsonObject ?? throw Damaged();
        }
        catch (JsonException e)
        {
            throw Damaged(e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"{Path}: cannot be read: {e.Message}", e);
        }
        if (file[CommandKey]?.ToString() is not { } other || file[RunKey] is not JsonObject earlier || file[StateKey] is not JsonObject state) throw Damaged();
        if (other != command) throw new GradpathException($"{Path} is of 'gradpath {other}', not of 'gradpath {command}'; name another --out, or delete it.");
        foreach (string key in earlier.Select(e => e.Key).Union(run.Select(e => e.Key), StringComparer.Ordinal))
        {
            if (JsonNode.DeepEquals(earlier[key], run[key])) continue;
            throw new GradpathException(
                $"{Path} belongs to another run: {key} was {Text(earlier[key])} there and is {Text(run[key])} now. Repeat that run's options to go on, or delete the file to start over.");
        }
        file.Remove(StateKey);
        return state;
    }

    /// <summary>Removes the file once the result is written.</summary>
    /// <exception cref="GradpathException">It cannot be removed.</exception>
    public void Delete()
    {
        try
        {
            File.Delete(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"cannot delete {Path}: {e.Message}", e);
        }
    }

    /// <summary>Numbers, bit for bit, as a value of a state.</summary>
    /// <typeparam name="T">float, double or another number.</typeparam>
    /// <param name="values">The numbers.</param>
    /// <returns>Base 64 of their bytes.</returns>
    public static JsonNode Pack<T>(ReadOnlySpan<T> values)
        where T : unmanaged => JsonValue.Create(Convert.ToBase64String(MemoryMarshal.AsBytes(values)));

    /// <summary>Numbers that <see cref="Pack"/> has packed.</summary>
    /// <typeparam name="T">The type that they were packed as.</typeparam>
    /// <param name="state">The state.</param>
    /// <param name="key">Its key.</param>
    /// <returns>The numbers.</returns>
    /// <exception cref="GradpathException">There are none of this type.</exception>
    public T[] Unpack<T>(JsonObject state, string key)
        where T : unmanaged
    {
        try
        {
            return MemoryMarshal.Cast<byte, T>(Convert.FromBase64String(state[key]!.GetValue<string>())).ToArray();
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or NullReferenceException)
        {
            throw Damaged(e);
        }
    }

    /// <summary>A number of a state.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="state">The state.</param>
    /// <param name="key">Its key.</param>
    /// <returns>The number.</returns>
    /// <exception cref="GradpathException">There is no such number.</exception>
    public T Number<T>(JsonObject state, string key)
        where T : struct => state[key] is JsonValue value && value.TryGetValue(out T number) ? number : throw Damaged();

    /// <summary>What to throw where a state is not as it was saved.</summary>
    /// <param name="inner">What was caught, if anything.</param>
    /// <returns>The exception.</returns>
    public GradpathException Damaged(Exception? inner = null) =>
        new($"{Path}: not a file that 'gradpath {command}' has left; delete it to start over.", inner);

    private static string Text(JsonNode? value) => value?.ToJsonString() ?? "not given";
}
