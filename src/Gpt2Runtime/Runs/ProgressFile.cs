using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>
/// What a long search has done so far, in a file beside its result: <c>circuit.json.progress</c>. It states the run that it belongs to
/// (command, version, hashes of model and prompts, options), and only that run can go on from it. A search that it is handed to is written
/// now and then, and when it is stopped.
/// </summary>
public sealed class ProgressFile : RunCheckpoint, IDisposable
{
    /// <summary>Where the state is in the file.</summary>
    internal const string StateKey = "state";

    /// <summary>Where the file says what the state's hash is.</summary>
    internal const string HashKey = "sha256";

    private const string Extension = ".progress";
    private const string CommandKey = "command";
    private const string RunKey = "run";
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    private readonly string _command;
    private readonly JsonObject _run;
    private readonly TimeProvider _clock;
    private long _written;
    private TimeSpan _wait = TimeSpan.FromSeconds(2);
    private bool _missed;
    private FileLock? _lock;

    /// <summary>Names the file of a run; nothing is read or written yet.</summary>
    /// <param name="result">The file that the search will write at its end.</param>
    /// <param name="command">The search: <c>acdc</c>.</param>
    /// <param name="run">
    /// Everything that decides the result, as flat names and values. Names are those that whoever reads a refusal knows, such as a command
    /// line's options.
    /// </param>
    public ProgressFile(string result, string command, JsonObject run)
        : this(result, command, run, TimeProvider.System)
    {
    }

    /// <summary>Names the file of a run, with a clock of its own.</summary>
    /// <param name="result">The file that the search will write at its end.</param>
    /// <param name="command">The search.</param>
    /// <param name="run">Everything that decides the result.</param>
    /// <param name="clock">Tells the time.</param>
    internal ProgressFile(string result, string command, JsonObject run, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(command);
        ArgumentNullException.ThrowIfNull(run);
        Path = Beside(result);
        _command = command;
        _run = run;
        _clock = clock;
        _written = clock.GetTimestamp();
    }

    /// <summary>
    /// The longest time between two states of a search: little to lose, and no time lost to writing. The first is written after two
    /// seconds, and every later one after twice the time of the one before until this is reached.
    /// </summary>
    public TimeSpan Interval { get; init; } = DefaultInterval;

    /// <summary>The time between two states where nothing else is said; changed by tests alone.</summary>
    internal static TimeSpan DefaultInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Told, once, why the state cannot be written at the moment; null where nobody is.</summary>
    public Action<string>? Warning { get; init; }

    /// <summary>The file: the result's path with <c>.progress</c> behind it.</summary>
    public string Path { get; }

    /// <inheritdoc />
    protected override bool IsDue => _clock.GetElapsedTime(_written) >= (_wait < Interval ? _wait : Interval);

    /// <summary>Where the work of a run lies.</summary>
    /// <param name="result">The file that it will write at its end.</param>
    internal static string Beside(string result) => result + Extension;

    /// <summary>What keeps other runs from writing the same result.</summary>
    /// <param name="result">The result.</param>
    internal static string LockBeside(string result) => Beside(result) + ".lock";

    /// <summary>Refuses to start over where an earlier run has left its work, or to go on where none has.</summary>
    /// <param name="result">The file that the search will write at its end.</param>
    /// <param name="resume">Whether the user wants to go on.</param>
    /// <exception cref="GradpathException">The file is there and <paramref name="resume"/> is false, or the other way round.</exception>
    public static void Check(string result, bool resume)
    {
        ArgumentNullException.ThrowIfNull(result);
        Check(result, resume, isMine: false);
    }

    private static void Check(string result, bool resume, bool isMine)
    {
        string path = Beside(result);
        if (File.Exists(path) == resume) return;
        if (resume) throw GradpathException.Worded($"there is nothing to go on from: no file {path}. Leave {Terms.Resume} out to start.");
        if (!isMine && !FileLock.IsFree(LockBeside(result))) throw Busy(result);
        throw GradpathException.Worded(
            $"{path} holds the work of an earlier run: add {Terms.Resume} to go on from it, or delete it to start over.");
    }

    private static GradpathException Busy(string result) => GradpathException.Worded(
        $"{result} is being written by another run: wait until it is done, or name another {Terms.Result}.");

    /// <summary>Writes the state; an older one is replaced, and only by a whole one.</summary>
    /// <param name="state">The state, see <see cref="RunCheckpoint.Pack"/>.</param>
    /// <exception cref="GradpathException">The file cannot be written.</exception>
    public void Save(JsonObject state)
    {
        ArgumentNullException.ThrowIfNull(state);
        JsonObject file = new()
        {
            [CommandKey] = _command,
            [RunKey] = _run.DeepClone(),
            [HashKey] = HashOf(state),
            [StateKey] = state,
        };
        AtomicFile.Write(Path, stream =>
        {
            using Utf8JsonWriter json = new(stream);
            file.WriteTo(json);
        });
    }

    /// <summary>The hash of a state: one that changed on the disk would go on to other numbers.</summary>
    /// <param name="state">The state.</param>
    internal static string HashOf(JsonObject state) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(state.ToJsonString())));

    /// <summary>Reads the state.</summary>
    /// <returns>What was saved last.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or belongs to another run; the message names the first
    /// difference.</exception>
    public JsonObject Load()
    {
        JsonObject file;
        try
        {
            file = JsonNode.Parse(FileBytes.Read(Path).Span, null, s_strict) as JsonObject ?? throw Damaged();
            RequirePlain(file);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Damaged(e);
        }
        string other = Quoted.Text(Text(file, CommandKey))[1..^1];
        if (file[RunKey] is not JsonObject earlier || file[StateKey] is not JsonObject state) throw Damaged();
        if (file[HashKey]?.ToString() != HashOf(state)) throw Damaged();
        if (other != _command)
        {
            throw GradpathException.Worded(
                $"{Path} is of {Terms.Search(other)}, not of {Terms.Search(_command)}; name another {Terms.Result}, or delete it.");
        }
        foreach (string key in earlier.Select(e => e.Key).Union(_run.Select(e => e.Key), StringComparer.Ordinal))
        {
            if (JsonNode.DeepEquals(earlier[key], _run[key])) continue;
            throw new GradpathException(
                $"{Path} belongs to another run: {Quoted.Text(key)[1..^1]} was {Shown(earlier[key])} there and is {Shown(_run[key])} now. "
                + "Repeat that run's options to go on, or delete the file to start over.");
        }
        file.Remove(StateKey);
        return state;
    }

    /// <summary>
    /// Keeps other runs from writing the same result until this is disposed of or the process ends, however it ends; then looks again at
    /// what an earlier run has left.
    /// </summary>
    /// <param name="resume">Whether the user wants to go on.</param>
    /// <exception cref="GradpathException">Another run writes it, or the file is there and <paramref name="resume"/> is false, or the
    /// other way round.</exception>
    public void Lock(bool resume)
    {
        _lock ??= FileLock.TryTake(LockBeside(Path[..^Extension.Length])) ?? throw Busy(Path[..^Extension.Length]);
        Check(Path[..^Extension.Length], resume, isMine: true);
    }

    /// <summary>Lets other runs write the result. The file stays.</summary>
    public void Dispose()
    {
        _lock?.Dispose();
        _lock = null;
    }

    /// <summary>Reads the state for the search that this file will be handed to: it goes on from there.</summary>
    /// <exception cref="GradpathException">The file cannot be read, or belongs to another run; the message names the first
    /// difference.</exception>
    public void Resume() => Saved = Load();

    /// <summary>Removes the file once the result is written; nothing happens where there is none.</summary>
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

    /// <inheritdoc />
    public override GradpathException Damaged(Exception? inner = null) =>
        GradpathException.Worded($"{Path}: damaged, or not a file that {Terms.Search(_command)} has left; delete it to start over.", inner);

    /// <inheritdoc />
    protected override void Write(JsonObject state)
    {
        Save(state);
        Wait();
    }

    /// <inheritdoc />
    protected override void Missed(GradpathException error)
    {
        ArgumentNullException.ThrowIfNull(error);

        // The next try waits as long as if this one had gone well.
        Wait();
        if (_missed) return;
        _missed = true;
        Warning?.Invoke($"{error.Message}; the run goes on, and what it has done is not saved until this can be written");
    }

    private void Wait()
    {
        _written = _clock.GetTimestamp();
        if (_wait < Interval) _wait *= 2;
    }

    // Every text can be decoded, and every number is finite.
    private static void RequirePlain(JsonNode? node)
    {
        if (node is JsonObject entries)
        {
            foreach ((_, JsonNode? value) in entries) RequirePlain(value);
        }
        else if (node is JsonArray list)
        {
            foreach (JsonNode? value in list) RequirePlain(value);
        }
        else if (node is JsonValue leaf && !leaf.TryGetValue(out string? _) && leaf.TryGetValue(out double number))
        {
            if (!double.IsFinite(number)) throw new JsonException("a number is not finite");
        }
    }

    private static string Shown(JsonNode? value) => value switch
    {
        null => "not given",
        JsonValue text when text.TryGetValue(out string? content) => Quoted.Text(content),
        _ => Quoted.Text(value.ToJsonString())[1..^1],
    };
}
