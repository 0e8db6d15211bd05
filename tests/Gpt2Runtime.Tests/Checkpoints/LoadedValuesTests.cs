using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Checkpoints;

/// <summary>Weights that are not finite numbers, and files that change while a model is open.</summary>
public sealed class LoadedValuesTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly CpuDevice _device = new(2);

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("F32", float.NaN, "is NaN, not a finite number")]
    [InlineData("F32", float.PositiveInfinity, "is infinite, not a finite number")]
    [InlineData("F16", float.NegativeInfinity, "is minus infinity, not a finite number")]
    [InlineData("BF16", float.NaN, "is NaN, not a finite number")]
    [InlineData("F64", 1e300, "is infinite, beyond float32")]
    public void A_weight_that_is_not_finite_is_named(string dtype, double value, string message)
    {
        PutModel(dtype);
        Set("transformer.h.1.mlp.c_proj.weight", 13, value);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        GradpathException e = Assert.Throws<GradpathException>(() => checkpoint.LoadWeights(_device));
        Assert.StartsWith(
            $"{_folder["model.safetensors"]}: element [3, 1] of tensor 'transformer.h.1.mlp.c_proj.weight' {message}", e.Message,
            StringComparison.Ordinal);
        Assert.Equal(0, _device.AllocatedBytes);
    }

    [Fact]
    public void The_first_of_many_is_named_whatever_thread_finds_it()
    {
        float[] values = new float[(3 * TensorReader.Piece) + 5];
        values[TensorReader.Piece + 7] = values[^1] = float.NaN;
        SafetensorsWriter writer = new();
        writer.Add("x", values, values.Length);
        writer.Write(_folder["x.safetensors"]);
        using SafetensorsFile file = SafetensorsFile.Open(_folder["x.safetensors"]);
        for (int run = 0; run < 5; run++)
        {
            GradpathException e = Assert.Throws<GradpathException>(
                () => TensorLoader.Load(_device, file, file.Require("x"), [values.Length]));
            Assert.Contains($"element [{TensorReader.Piece + 7}] of tensor 'x' is NaN", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_place_of_a_piece_is_looked_at()
    {
        for (int length = 0; length < 70; length++)
        {
            float[] values = [.. Enumerable.Repeat(-float.MaxValue, length)];
            Assert.Equal(-1, FiniteCheck.IndexOfFirst(values));
            for (int i = 0; i < length; i++)
            {
                foreach (float bad in (float[])[float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity])
                {
                    values[i] = bad;
                    Assert.Equal(i, FiniteCheck.IndexOfFirst(values));
                }
                values[i] = 1;
            }
        }
    }

    [Fact]
    public void A_summary_counts_what_is_not_finite_and_measures_the_rest()
    {
        PutModel("F32");
        Set("transformer.h.0.ln_1.bias", 0, float.NaN);
        Set("transformer.h.0.ln_1.bias", 1, float.NegativeInfinity);
        Set("transformer.h.0.ln_1.bias", 2, -3);
        Set("transformer.h.0.ln_1.bias", 3, 4);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        TensorSummary[] all = [.. checkpoint.Summarize()];
        Assert.Equal(28, all.Length);
        TensorSummary bad = Assert.Single(all, t => !t.IsFinite);
        Assert.Equal("transformer.h.0.ln_1.bias", bad.Name);
        Assert.Equal((-3f, 4f, 5.0, 1L, 1L), (bad.Smallest, bad.Largest, bad.Norm, bad.NaNs, bad.Infinities));
        float[] first = [.. Enumerable.Range(0, 20).Select(i => CheckpointBuilder.Value("wte.weight", i))];
        Assert.Equal((first.Min(), first.Max()), (all[0].Smallest, all[0].Largest));
        Assert.Equal(Math.Sqrt(first.Sum(v => (double)v * v)), all[0].Norm, 1e-12);
        Assert.Equal([5, 4], all[0].Shape);
        Set("transformer.h.0.ln_1.bias", 2, double.NaN);
        Set("transformer.h.0.ln_1.bias", 3, double.NaN);
        using Gpt2Checkpoint none = Gpt2Checkpoint.Open(_folder.Path);
        bad = none.Summarize().Single(t => !t.IsFinite);
        Assert.Equal((float.NaN, float.NaN, 0.0), (bad.Smallest, bad.Largest, bad.Norm));
    }

    [Fact]
    public void A_file_that_is_cut_off_while_it_is_open_ends_in_a_message()
    {
        PutModel("F32");
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        using (FileStream file = Writable(_folder["model.safetensors"])) file.SetLength(file.Length / 2);
        Action[] uses =
        [
            () => checkpoint.LoadWeights(_device), () => checkpoint.ComputeHash(default),
            () => Assert.NotEmpty(checkpoint.Summarize().ToArray()),
        ];
        foreach (Action use in uses)
        {
            GradpathException e = Assert.Throws<GradpathException>(use);
            Assert.Contains("model.safetensors: has been written to since it was opened", e.Message, StringComparison.Ordinal);
        }
        Assert.Equal(0, _device.AllocatedBytes);
    }

    [Fact]
    public void A_file_that_is_written_to_while_it_is_open_is_refused_and_one_that_is_replaced_is_not()
    {
        PutModel("F32");
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        string hash = checkpoint.Hash;
        string path = _folder["model.safetensors"];
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path + ".new", bytes);
        File.Move(path, path + ".old");
        File.Move(path + ".new", path);
        checkpoint.LoadWeights(_device).Dispose();
        Assert.Equal(hash, checkpoint.Hash);
        using (FileStream file = Writable(path + ".old")) file.Write(bytes);
        File.SetLastWriteTimeUtc(path + ".old", new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        GradpathException e = Assert.Throws<GradpathException>(() => checkpoint.LoadWeights(_device));
        Assert.Contains("has been written to since it was opened; run again when nothing changes it", e.Message, StringComparison.Ordinal);
        Assert.Equal(0, _device.AllocatedBytes);
    }

    private static FileStream Writable(string path) => File.Open(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);

    private void PutModel(string dtype)
    {
        File.WriteAllText(_folder["config.json"], CheckpointBuilder.ConfigJson());
        File.WriteAllBytes(
            _folder["model.safetensors"], CheckpointBuilder.File(CheckpointBuilder.Tensors(CheckpointBuilder.Config, dtype)));
    }

    private void Set(string name, int index, double value)
    {
        byte[] bytes;
        using (SafetensorsFile file = SafetensorsFile.Open(_folder["model.safetensors"]))
        {
            SafetensorsEntry entry = file.Require(name);
            int width = SafetensorsEntry.BitsOf(entry.Dtype) / 8;
            bytes = File.ReadAllBytes(file.Path);
            CheckpointBuilder.Encode(entry.Dtype, [value]).CopyTo(bytes, 8 + file.HeaderBytes + (int)entry.Offset + (index * width));
        }
        File.WriteAllBytes(_folder["model.safetensors"], bytes);
    }
}
