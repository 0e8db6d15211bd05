using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Gradpath.Host.Tests;

/// <summary>weights-tools/scale_final_norm.py: what the copy computes, that nothing else changes, and when it refuses.</summary>
public sealed class ScaleScriptTests : IDisposable
{
    private static readonly string Script = Path.Combine(RepositoryFiles.Root, "weights-tools/scale_final_norm.py");
    private static readonly string Demo = Path.Combine(RepositoryFiles.Root, "models/demo");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("15")]
    [InlineData("0.125")]
    public void Logit_differences_of_the_copy_are_the_factors_multiple(string factor)
    {
        Succeeds(Demo, factor, _folder["copy"]);
        double by = double.Parse(factor, CultureInfo.InvariantCulture);
        double[] expected = Means(Demo), actual = Means(_folder["copy"]);
        for (int i = 0; i < 2; i++) Assert.Equal(by * expected[i], actual[i], 2e-6 * Math.Abs(by * expected[i]));
    }

    [SkippableFact]
    public void Only_the_final_layer_norm_changes()
    {
        Succeeds(Demo, "15", _folder["copy"]);
        string[] files = ["config.json", "merges.txt", "vocab.json"];
        Assert.Equal(
            ["README.md", .. files, "model.safetensors"],
            Directory.GetFiles(_folder["copy"]).Select(f => Path.GetFileName(f)!).Order(StringComparer.OrdinalIgnoreCase)
                .OrderBy(f => f == "README.md" ? 0 : f == "model.safetensors" ? 2 : 1).ThenBy(f => f, StringComparer.Ordinal));
        foreach (string file in files)
            Assert.Equal(File.ReadAllBytes(Path.Combine(Demo, file)), File.ReadAllBytes(Path.Combine(_folder["copy"], file)));
        Dictionary<string, float[]> before = Floats(Path.Combine(Demo, "model.safetensors")), after = Floats(Weights("copy"));
        Assert.Equal(before.Keys, after.Keys);
        foreach ((string name, float[] values) in before)
        {
            bool scaled = name is "transformer.ln_f.weight" or "transformer.ln_f.bias";
            Assert.Equal(scaled ? [.. values.Select(v => (float)(15.0 * v))] : values, after[name]);
        }
        string card = File.ReadAllText(Path.Combine(_folder["copy"], "README.md"));
        Assert.StartsWith("# copy: demo with its final LayerNorm times 15\n", card, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_checkpoint_without_prefix_and_with_a_head_of_its_own_is_copied_too()
    {
        Write("untied", [("ln_f.weight", "F32", [1, 2]), ("ln_f.bias", "F32", [0.5f, -1]), ("lm_head.weight", "F32", [3, 4, 5, 6])]);
        Succeeds(_folder["untied"], "3", _folder["copy"]);
        Dictionary<string, float[]> tensors = Floats(Weights("copy"));
        Assert.Equal([3, 6], tensors["ln_f.weight"]);
        Assert.Equal([1.5f, -3], tensors["ln_f.bias"]);
        Assert.Equal([3, 4, 5, 6], tensors["lm_head.weight"]);
    }

    [SkippableFact]
    public void Half_precision_is_multiplied_and_stays_half()
    {
        Write("half", [("transformer.ln_f.weight", "F16", [1, 2]), ("transformer.ln_f.bias", "F16", [0.5f, -1])]);
        Succeeds(_folder["half"], "15", _folder["copy"]);
        byte[] file = File.ReadAllBytes(Weights("copy"));
        Half[] values = [.. Enumerable.Range(0, 4)
            .Select(i => BinaryPrimitives.ReadHalfLittleEndian(file.AsSpan(file.Length - 8 + (2 * i))))];
        Assert.Equal([(Half)15, (Half)30, (Half)7.5f, (Half)(-15)], values);
    }

    [SkippableTheory]
    [InlineData("0", 2, "give a number above 0")]
    [InlineData("-2", 2, "-2")]
    [InlineData("nan", 2, "give a number above 0")]
    [InlineData("much", 2, "much: give a number")]
    [InlineData("1e39", 1, "is too large for F32")]
    public void An_unfit_factor_is_refused(string factor, int code, string mention) => Fails(code, mention, Demo, factor, _folder["copy"]);

    [SkippableFact]
    public void An_unfit_checkpoint_is_refused()
    {
        Fails(1, "there is no such folder", _folder["none"], "2", _folder["copy"]);
        _folder.Write("empty/config.json", "{}");
        Fails(1, "holds no model.safetensors", _folder["empty"], "2", _folder["copy"]);
        Write("bf16", [("ln_f.weight", "BF16", [1]), ("ln_f.bias", "BF16", [0])]);
        Fails(1, "ln_f.weight is BF16; F32 and F16 can be multiplied", _folder["bf16"], "2", _folder["copy"]);
        Write("normless", [("h.0.ln_1.weight", "F32", [1])]);
        Fails(1, "holds no tensor transformer.ln_f.weight or ln_f.weight", _folder["normless"], "2", _folder["copy"]);
        Write("biasless", [("ln_f.weight", "F32", [1])]);
        Fails(1, "holds no tensor ln_f.bias", _folder["biasless"], "2", _folder["copy"]);
        Write("short", [("ln_f.weight", "F32", [1]), ("ln_f.bias", "F32", [1])]);
        byte[] whole = File.ReadAllBytes(Weights("short"));
        File.WriteAllBytes(Weights("short"), whole[..^2]);
        Fails(1, "ln_f.bias does not lie in the file", _folder["short"], "2", _folder["copy"]);
        foreach ((int size, string mention) in new[] { (4, "shorter than the length of a header"), (12, "bytes long and the file has") })
        {
            File.WriteAllBytes(Weights("short"), whole[..size]);
            Fails(1, mention, _folder["short"], "2", _folder["copy"]);
        }
        File.WriteAllBytes(Weights("short"), [4, 0, 0, 0, 0, 0, 0, 0, .. "nuts"u8]);
        Fails(1, "its header is no JSON", _folder["short"], "2", _folder["copy"]);
    }

    [SkippableFact]
    public void What_is_there_already_is_left_alone()
    {
        string kept = _folder.Write("copy/kept.txt", "mine");
        Run(Demo, "2", _folder["copy"]).Check(1, "is there already");
        Assert.Equal([kept], Directory.GetFiles(_folder["copy"]));
    }

    [SkippableFact]
    public void The_command_line_is_checked() => Run(Demo).Check(2, "FACTOR");

    private static Outcome Run(params string[] arguments)
    {
        ShellRun.Require("python3");
        Dictionary<string, string?> environment = new() { ["PYTHONDONTWRITEBYTECODE"] = "1" };
        return new Outcome(ShellRun.Of(RepositoryFiles.Root, environment, "python3", [Script, .. arguments]));
    }

    private static void Succeeds(params string[] arguments) => Run(arguments).Check(0, "");

    private static double[] Means(string model)
    {
        Cli run = Cli.Run("score", "--model", model, "--task", "ioi", "--limit", "10", "--method", "eap", "--top", "0", "--json");
        JsonNode facts = JsonNode.Parse(run.Succeeds().Out)!["facts"]!;
        return [(double)facts["metric_clean"]!, (double)facts["metric_corrupted"]!];
    }

    // The tensors of a checkpoint of float32 numbers, in the order of its header.
    private static Dictionary<string, float[]> Floats(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int start = 8 + (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        JsonObject header = JsonNode.Parse(file.AsSpan(8, start - 8))!.AsObject();
        return header.Where(t => t.Key != "__metadata__").ToDictionary(t => t.Key, t =>
        {
            int begin = (int)t.Value!["data_offsets"]![0]!, end = (int)t.Value["data_offsets"]![1]!;
            return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(file.AsSpan(start + begin, end - begin)).ToArray();
        });
    }

    private string Weights(string folder) => Path.Combine(_folder[folder], "model.safetensors");

    private void Write(string folder, (string Name, string Type, float[] Values)[] tensors)
    {
        _folder.Write($"{folder}/config.json", "{}");
        JsonObject header = [];
        using MemoryStream data = new();
        foreach ((string name, string type, float[] values) in tensors)
        {
            long begin = data.Length;
            foreach (float value in values)
                data.Write(type == "F32" ? BitConverter.GetBytes(value) : BitConverter.GetBytes((Half)value));
            header[name] = new JsonObject
            {
                ["dtype"] = type,
                ["shape"] = new JsonArray(values.Length),
                ["data_offsets"] = new JsonArray(begin, data.Length),
            };
        }
        byte[] text = Encoding.UTF8.GetBytes(header.ToJsonString());
        File.WriteAllBytes(Weights(folder), [.. BitConverter.GetBytes((ulong)text.Length), .. text, .. data.ToArray()]);
    }

    // Whatever it refuses, it leaves nothing behind.
    private void Fails(int code, string mention, params string[] arguments)
    {
        string[] before = Directory.GetFileSystemEntries(_folder.Path);
        Run(arguments).Check(code, mention);
        Assert.Equal(before.Order(), Directory.GetFileSystemEntries(_folder.Path).Order());
    }

    private sealed record Outcome(ShellRun Run)
    {
        public void Check(int code, string mention)
        {
            Assert.True(Run.ExitCode == code, $"exit code {Run.ExitCode}: {Run.Error}{Run.Out}");
            Assert.Contains(mention, Run.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("Traceback", Run.Error, StringComparison.Ordinal);
        }
    }
}
