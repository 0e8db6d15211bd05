using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>
/// A file of <see cref="CpuScores"/>: safetensors with a float32 tensor [E] per method, and in the metadata how they were made and their
/// SHA-256.
/// </summary>
internal static class CpuScoresFile
{
    private const string Key = "gradpath_selftest", Format = "selftest scores 1";

    /// <summary>A time as files state it.</summary>
    /// <param name="time">In UTC.</param>
    public static string Time(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Writes a file.</summary>
    /// <param name="path">The file; one that exists is replaced.</param>
    /// <param name="scores">The scores.</param>
    /// <exception cref="GradpathException">It cannot be written.</exception>
    public static void Write(string path, CpuScores scores)
    {
        SafetensorsWriter file = new();
        file.AddMetadata(Key, new JsonObject
        {
            ["format"] = Format,
            ["shape"] = scores.Shape,
            ["identity"] = ScoredModel.Identity(scores.Shape),
            ["sha256"] = Hash(scores.Edges),
            ["version"] = Provenance.ProgramVersion,
            ["device"] = scores.Device,
            ["created"] = scores.Created,
            ["seconds"] = Math.Round(scores.Seconds, 3),
        }.ToJsonString());
        foreach (AttributionMethod method in ScoredModel.Methods)
            file.Add(method.Name, scores.Edges[method.Name], scores.Edges[method.Name].Length);
        file.Write(path);
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The scores.</returns>
    /// <exception cref="GradpathException">It is damaged, of another kind, or made for something else.</exception>
    public static CpuScores Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (!file.Metadata.TryGetValue(Key, out string? json))
            throw new GradpathException($"{path}: holds no scores of a self-test");
        string where = $"{path}: '{Key}' in its metadata";
        return JsonFile.Parse(where, Encoding.UTF8.GetBytes(json), root => Read(file, root, where));
    }

    private static CpuScores Read(SafetensorsFile file, JsonElement root, string where)
    {
        string Text(string name) => root.Text(name, where) ?? throw new GradpathException($"{where}: {name} is missing");
        string path = file.Path, format = Text("format"), shape = Text("shape");
        if (format != Format)
            throw new GradpathException($"{path}: is of the format {Quoted.Text(format)}, this program reads \"{Format}\"");
        if (!Workloads.ShapeNames.Contains(shape))
            throw new GradpathException($"{path}: {TableNames.Unknown("shape", shape, [.. Workloads.ShapeNames])}");
        if (Text("identity") != ScoredModel.Identity(shape))
        {
            throw new GradpathException(
                $"{path}: has scores of other weights, pairs or settings than this program's, by version {Text("version")}");
        }
        int edges = new ComputationGraph(Workloads.Shape(shape)).EdgeCount;
        Dictionary<string, float[]> scores = [];
        foreach (AttributionMethod method in ScoredModel.Methods)
        {
            SafetensorsEntry entry = file.Require(method.Name);
            if (entry.Dtype != "F32" || !entry.Shape.SequenceEqual([edges]))
            {
                throw new GradpathException(
                    $"{path}: tensor '{method.Name}' is {entry.Dtype} {entry.ShapeText}; F32 [{edges}] is expected");
            }
            scores[method.Name] = file.ReadFloats(method.Name);
        }
        if (Text("sha256") != Hash(scores)) throw new GradpathException($"{path}: is damaged: its scores have another SHA-256");
        double seconds = root.Property("seconds") is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : double.NaN;
        return new CpuScores(shape, Text("device"), Text("created"), seconds, scores);
    }

    private static string Hash(IReadOnlyDictionary<string, float[]> scores)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (AttributionMethod method in ScoredModel.Methods)
            hash.AppendData(MemoryMarshal.AsBytes(scores[method.Name].AsSpan()));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
