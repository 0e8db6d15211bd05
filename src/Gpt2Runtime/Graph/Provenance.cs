using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>How scores were made: what a reader needs to repeat the run. Stored in every result file.</summary>
public sealed record Provenance
{
    /// <summary>How to read the sign of scores that were computed from a loss.</summary>
    public const string LossSign = "positive = corrupting the edge hurts: scores are of a loss";

    /// <summary>The program's version, with the source revision where the build knew it.</summary>
    public string? Version { get; init; }

    /// <summary>Name of the model.</summary>
    public string? Model { get; init; }

    /// <summary>SHA-256 of the model's weights.</summary>
    public string? ModelHash { get; init; }

    /// <summary>Where the prompts came from.</summary>
    public string? Data { get; init; }

    /// <summary>SHA-256 of the prompts' source.</summary>
    public string? DataHash { get; init; }

    /// <summary>The task.</summary>
    public string? Task { get; init; }

    /// <summary>The token that the prompts' texts begin with; null where none was put in front.</summary>
    public BeginToken? BeginToken { get; init; }

    /// <summary>What answers of several tokens stood for; null where all are one token or given as such.</summary>
    public string? Answers { get; init; }

    /// <summary>Which of several corruptions that the prompts' file holds was taken; null for its usual one.</summary>
    public string? Corruption { get; init; }

    /// <summary>The attribution method.</summary>
    public string? Method { get; init; }

    /// <summary>The metric, whose loss was differentiated.</summary>
    public string? Metric { get; init; }

    /// <summary>The method's options (steps and so on), in the order in which they were given.</summary>
    public JsonObject Options { get; init; } = [];

    /// <summary>What replaces a writer's output when an edge is corrupted.</summary>
    public string? Ablation { get; init; }

    /// <summary>How items are averaged.</summary>
    public string? Normalization { get; init; }

    /// <summary>The device.</summary>
    public string? Device { get; init; }

    /// <summary>The precision of matrix products.</summary>
    public string? Precision { get; init; }

    /// <summary>
    /// Who multiplied matrices: <c>own</c>, <c>cublas</c>, or of fp32 on a GPU <c>fp16x3</c> or
    /// <c>tf32x3</c> (its tensor cores) or <c>ffma</c>.
    /// </summary>
    public string? Gemm { get; init; }

    /// <summary>SHA-256 of the file of measured plans by which matrices were multiplied; null where there was none.</summary>
    public string? GemmPlans { get; init; }

    /// <summary>Prompt pairs per pass.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Seed of random choices.</summary>
    public long? Seed { get; init; }

    /// <summary>Number of prompt pairs.</summary>
    public int? Items { get; init; }

    /// <summary>How to read a score's sign.</summary>
    public string? Sign { get; init; }

    /// <summary>How a circuit was selected from the scores, or null where none was.</summary>
    public JsonObject? Selection { get; init; }

    /// <summary>Number of edges of the circuit as selected, before pruning.</summary>
    public int? EdgesBeforePrune { get; init; }

    /// <summary>Number of edges of the circuit.</summary>
    public int? EdgesInCircuit { get; init; }

    /// <summary>When the scores were made, in UTC.</summary>
    public DateTime? Created { get; init; }

    /// <summary>This program's version.</summary>
    public static string ProgramVersion { get; } =
        typeof(Provenance).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>The record as a JSON object; what is not known is left out.</summary>
    /// <returns>Keys in the order of this type's properties.</returns>
    public JsonObject ToJson()
    {
        JsonObject json = [];
        void Add(string key, JsonNode? value)
        {
            if (value is not null) json[key] = value;
        }
        Add("version", Version);
        Add("model", Model);
        Add("model_hash", ModelHash);
        Add("data", Data);
        Add("data_hash", DataHash);
        Add("task", Task);
        Add("begin_token", BeginToken is null ? null : new JsonObject { ["id"] = BeginToken.Id, ["text"] = BeginToken.Text });
        Add("answers", Answers);
        Add("corruption", Corruption);
        Add("method", Method);
        Add("metric", Metric);
        Add("options", Options.DeepClone());
        Add("ablation", Ablation);
        Add("normalization", Normalization);
        Add("device", Device);
        Add("precision", Precision);
        Add("gemm", Gemm);
        Add("gemm_plans", GemmPlans);
        Add("batch_size", BatchSize);
        Add("seed", Seed);
        Add("items", Items);
        Add("sign", Sign);
        Add("selection", Selection?.DeepClone());
        Add("edges_before_prune", EdgesBeforePrune);
        Add("edges_in_circuit", EdgesInCircuit);
        Add("created", Created?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        return json;
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote; unknown keys are ignored.</summary>
    /// <param name="json">The object.</param>
    /// <param name="source">The file, for messages.</param>
    /// <returns>The record.</returns>
    /// <exception cref="GradpathException">A value has the wrong type.</exception>
    public static Provenance FromJson(JsonElement json, string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (json.ValueKind != JsonValueKind.Object) throw new GradpathException($"{source}: 'gradpath' must be a JSON object.");
        string? Text(string key) => Get(key, JsonValueKind.String)?.GetString();
        long? Number(string key) => Get(key, JsonValueKind.Number) is { } e
            ? e.TryGetInt64(out long v) ? v : throw Wrong(key, "a whole number") : null;
        int? Count(string key) => Number(key) is { } number
            ? number is >= 0 and <= int.MaxValue ? (int)number : throw Wrong(key, "a whole number from 0") : null;
        JsonElement? Get(string key, JsonValueKind kind)
        {
            if (!json.TryGetProperty(key, out JsonElement e) || e.ValueKind == JsonValueKind.Null) return null;
            return e.ValueKind == kind ? e : throw Wrong(key, $"a JSON {kind.ToString().ToLowerInvariant()}");
        }
        GradpathException Wrong(string key, string expected) => new($"{source}: 'gradpath.{key}' must be {expected}.");

        DateTime? created = null;
        if (Text("created") is { } stamp)
        {
            created = DateTime.TryParse(stamp, CultureInfo.InvariantCulture,
                DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out DateTime time)
                ? time : throw Wrong("created", "a time such as 2025-01-31T12:00:00Z");
        }
        BeginToken? begin = null;
        if (Get("begin_token", JsonValueKind.Object) is { } token)
        {
            begin = token.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int number)
                && token.TryGetProperty("text", out JsonElement text) && text.ValueKind == JsonValueKind.String
                ? new BeginToken(number, text.GetString()!) : throw Wrong("begin_token", "an object with id and text");
        }
        return new Provenance
        {
            Version = Text("version"),
            Model = Text("model"),
            ModelHash = Text("model_hash"),
            Data = Text("data"),
            DataHash = Text("data_hash"),
            Task = Text("task"),
            BeginToken = begin,
            Answers = Text("answers"),
            Corruption = Text("corruption"),
            Method = Text("method"),
            Metric = Text("metric"),
            Options = Get("options", JsonValueKind.Object) is { } options ? JsonObject.Create(options.Clone())! : [],
            Ablation = Text("ablation"),
            Normalization = Text("normalization"),
            Device = Text("device"),
            Precision = Text("precision"),
            Gemm = Text("gemm"),
            GemmPlans = Text("gemm_plans"),
            BatchSize = Count("batch_size"),
            Seed = Number("seed"),
            Items = Count("items"),
            Sign = Text("sign"),
            Selection = Get("selection", JsonValueKind.Object) is { } selection ? JsonObject.Create(selection.Clone()) : null,
            EdgesBeforePrune = Count("edges_before_prune"),
            EdgesInCircuit = Count("edges_in_circuit"),
            Created = created,
        };
    }
}
