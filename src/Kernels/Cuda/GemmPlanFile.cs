using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

/// <summary>Measured plans of one model of GPU, as a file keeps them.</summary>
internal sealed record GemmPlanFile
{
    /// <summary>What the file says it is.</summary>
    public const string FormatName = "gradpath.plans.1";

    private const string PlainKernel = "plain";

    /// <summary>The GPU's product name.</summary>
    public required string Gpu { get; init; }

    /// <summary>Its compute capability, such as 9.0.</summary>
    public required string Capability { get; init; }

    /// <summary>Its multiprocessors.</summary>
    public required int Multiprocessors { get; init; }

    /// <summary>The driver that measured, such as 12080 for CUDA 12.8.</summary>
    public required int Driver { get; init; }

    /// <summary>Whether an emulator measured: then the times are none of a GPU.</summary>
    public required bool Emulated { get; init; }

    /// <summary>When, in UTC.</summary>
    public required string Created { get; init; }

    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>SHA-256 of the kernels that were measured.</summary>
    public required string Kernels { get; init; }

    /// <summary>The products.</summary>
    public required IReadOnlyList<TunedPlan> Plans { get; init; }

    /// <summary>SHA-256 of the file that this was read from; empty where it is not from a file.</summary>
    public string Hash { get; private init; } = "";

    /// <summary>SHA-256 of this program's kernels for matrix products.</summary>
    public static string KernelsHash { get; } = HashKernels();

    /// <summary>Reads a file.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <returns>The plans.</returns>
    /// <exception cref="FormatException">It is none; the message says what is wrong, without the file's name.</exception>
    public static GemmPlanFile Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Utf8JsonReader reader = new(bytes);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("format", out JsonElement format)
                || format.ValueKind != JsonValueKind.String || format.GetString() != FormatName)
            {
                throw new FormatException($"it has no \"format\": \"{FormatName}\", as files of measured plans have");
            }
            return new GemmPlanFile
            {
                Gpu = Text(root, "gpu"),
                Capability = Text(root, "capability"),
                Multiprocessors = Whole(root, "multiprocessors"),
                Driver = Whole(root, "driver"),
                Emulated = root.GetProperty("emulated").GetBoolean(),
                Created = Text(root, "created"),
                Version = Text(root, "version"),
                Kernels = Text(root, "kernels"),
                Plans = [.. root.GetProperty("plans").EnumerateArray().Select(Plan)],
                Hash = Convert.ToHexStringLower(SHA256.HashData(bytes)),
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException($"it is damaged: {e.Message}", e);
        }
    }

    /// <summary>Why plans cannot be used on a GPU.</summary>
    /// <param name="info">The GPU.</param>
    /// <returns>What differs, in words; null where they can.</returns>
    public string? Obstacle(CudaDeviceInfo info)
    {
        string capability = CapabilityOf(info);
        if (Gpu != info.Name) return $"it was measured on {Gpu}, and this GPU is {info.Name}";
        if ((Capability, Multiprocessors) != (capability, info.Multiprocessors))
        {
            return $"it was measured with compute capability {Capability} and {Multiprocessors} multiprocessors, and this GPU has "
                + $"{capability} and {info.Multiprocessors}";
        }
        return Kernels == KernelsHash ? null : "it was measured with other kernels than this version's, so that it has to be measured anew";
    }

    /// <summary>The compute capability in words.</summary>
    /// <param name="info">The GPU.</param>
    public static string CapabilityOf(CudaDeviceInfo info) => $"{info.Major}.{info.Minor}";

    /// <summary>The file's bytes.</summary>
    /// <returns>JSON with a line per product.</returns>
    public byte[] Write()
    {
        JsonObject head = new()
        {
            ["format"] = FormatName,
            ["gpu"] = Gpu,
            ["capability"] = Capability,
            ["multiprocessors"] = Multiprocessors,
            ["driver"] = Driver,
            ["emulated"] = Emulated,
            ["created"] = Created,
            ["version"] = Version,
            ["kernels"] = Kernels,
        };
        StringBuilder text = new();
        text.Append(head.ToJsonString(new JsonSerializerOptions { WriteIndented = true }).TrimEnd('}', '\n', '\r'));
        text.Append(",\n  \"plans\": [");
        string before = "\n    ";
        foreach (TunedPlan plan in Plans)
        {
            text.Append(before).Append(Json(plan).ToJsonString());
            before = ",\n    ";
        }
        return Encoding.UTF8.GetBytes(text.Append("\n  ]\n}\n").ToString());
    }

    private static JsonObject Json(TunedPlan plan)
    {
        JsonObject json = new()
        {
            ["m"] = plan.Shape.M,
            ["n"] = plan.Shape.N,
            ["k"] = plan.Shape.K,
            ["batch"] = plan.Shape.Batch,
            ["layout"] = plan.TransposedB ? "nt" : "nn",
            ["arithmetic"] = Name(plan.Arithmetic),
        };
        if (plan.Packed) json["packed"] = true;
        Add(json, plan.Best);
        if (plan.RunnerUp is { } next)
        {
            JsonObject second = [];
            Add(second, next);
            json["runner_up"] = second;
        }
        return json;
    }

    private static void Add(JsonObject json, TimedPlan timed)
    {
        json["tile"] = timed.Plan.Tile?.Name ?? PlainKernel;
        json["splits"] = timed.Plan.Splits;
        json["seconds"] = timed.Seconds;
    }

    private static TunedPlan Plan(JsonElement json)
    {
        var shape = new GemmShape(Whole(json, "m"), Whole(json, "n"), Whole(json, "k"), Whole(json, "batch"));
        string name = Text(json, "arithmetic"), layout = Text(json, "layout");
        GemmArithmetic[] named = [.. Enum.GetValues<GemmArithmetic>().Where(a => Name(a) == name)];
        if (named.Length == 0) throw new FormatException($"no arithmetic is called {name}");
        if (layout is not ("nn" or "nt")) throw new FormatException($"no layout is called {layout}");
        bool packed = json.TryGetProperty("packed", out JsonElement said) && said.GetBoolean();
        ReadOnlySpan<GemmTile> tiles = GemmTile.Of(named[0], packed);
        TimedPlan? next = json.TryGetProperty("runner_up", out JsonElement second) ? Timed(second, shape, tiles) : null;
        return new TunedPlan(shape, named[0], layout == "nt", Timed(json, shape, tiles), next) { Packed = packed };
    }

    private static TimedPlan Timed(JsonElement json, in GemmShape shape, ReadOnlySpan<GemmTile> tiles)
    {
        string name = Text(json, "tile");
        int splits = Whole(json, "splits");
        double seconds = json.GetProperty("seconds").GetDouble();
        if (name == PlainKernel && splits == 1) return new TimedPlan(new GemmPlan(null, 1, shape.K), seconds);
        foreach (GemmTile tile in tiles)
        {
            if (tile.Name != name) continue;
            GemmPlan plan = GemmPlan.Split(tile, shape.K, splits);
            return plan.Splits == splits
                ? new TimedPlan(plan, seconds)
                : throw new FormatException($"{shape.K} is not cut into {splits} shares");
        }
        throw new FormatException($"no tile of {Name(tiles[0].Arithmetic)} is called {name}");
    }

    private static string Name(GemmArithmetic arithmetic) => arithmetic.ToString().ToLowerInvariant();

    private static string Text(JsonElement json, string key) =>
        json.GetProperty(key).GetString() ?? throw new FormatException($"{key} is null");

    private static int Whole(JsonElement json, string key) => json.GetProperty(key).TryGetInt32(out int value) && value > 0
        ? value
        : throw new FormatException($"{key} must be a whole number from 1, not {json.GetProperty(key).GetRawText()}");

    private static string HashKernels()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Assembly assembly = typeof(GemmPlanFile).Assembly;
        foreach (string name in assembly.GetManifestResourceNames().Order(StringComparer.Ordinal))
        {
            if (!name.StartsWith("Gemm", StringComparison.Ordinal)) continue;
            using Stream stream = assembly.GetManifestResourceStream(name)!;
            byte[] ptx = new byte[stream.Length];
            stream.ReadExactly(ptx);
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name} {ptx.Length}\n")));
            hash.AppendData(ptx);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
