using System.Buffers.Binary;
using System.Text;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Tests.Checkpoints;

/// <summary>The file format itself: files built byte by byte, and what the writer makes.</summary>
public sealed class SafetensorsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Reads_a_minimal_file()
    {
        using SafetensorsFile file = Open("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"s":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}""", [0, 0, 128, 63, 0, 0, 0, 64, 7]);
        Assert.Equal([1f, 2f], file.ReadFloats("a"));
        Assert.Equal([7], file.ReadBytes("s"));
        Assert.Empty(file.Metadata);
        Assert.Contains(
            "holds no tensor 'b'", Assert.Throws<GradpathException>(() => file.ReadFloats("b")).Message, StringComparison.Ordinal);
        Assert.Contains("is of type U8", Assert.Throws<GradpathException>(() => file.ReadFloats("s")).Message, StringComparison.Ordinal);
        Assert.Contains("is of type F32", Assert.Throws<GradpathException>(() => file.ReadBytes("a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Empty_files_and_empty_tensors_are_sound()
    {
        using SafetensorsFile none = Open("{}", []);
        Assert.Empty(none.Entries);
        using SafetensorsFile empty = Open("""{"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]},"b":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}""", [5]);
        Assert.Empty(empty.ReadFloats("a"));
    }

    [Fact]
    public void A_type_of_the_future_is_no_error_until_it_is_read()
    {
        using SafetensorsFile file = Open("""{"a":{"dtype":"F3","shape":[2],"data_offsets":[0,5]}}""", new byte[5]);
        Assert.Contains("is of type F3; F32, F16, BF16 and F64 can be read",
            Assert.Throws<GradpathException>(() => file.ReadFloats("a")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}""", 9, "tensor 'a' of shape [2] and dtype F32 needs 8 bytes, but its data_offsets [0, 9] span 9")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "the end lies before the begin")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "would end at byte 8 after the header, but only 7 bytes follow it: the file is truncated")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "the last 1 bytes belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "bytes 0 to 4 after the header, before tensor 'a', belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "the data of tensors 'a' and 'b' overlap at byte 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "tensor 'a' appears twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}""", 8, "needs more than a file can hold")]
    [InlineData("""{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}""", 1, "needs more than a file can hold")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "-2 in its shape is not a whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "2.5 in its shape is not a whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}}""", 8, "18446744073709551615 in its data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "has 1 data_offsets; begin and end are expected")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "has no shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "has no data_offsets")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "has no dtype")]
    [InlineData("""{"a":3}""", 8, "entry of tensor 'a' is not a JSON object")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "entry 'k' is not a string")]
    [InlineData("""{"__metadata__":[]}""", 0, "__metadata__ is not a JSON object")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "__metadata__ appears twice")]
    [InlineData("[]", 0, "not a JSON object")]
    [InlineData("{", 0, "not valid JSON")]
    [InlineData("{} x", 0, "not valid JSON")]
    [InlineData("", 0, "not valid JSON")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4, "not valid JSON")]
    public void An_unsound_header_is_refused(string header, int dataBytes, string message)
    {
        GradpathException e = Assert.Throws<GradpathException>(() => Open(header, new byte[dataBytes]).Dispose());
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.StartsWith(_folder["x.safetensors"], e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_something_else_is_refused()
    {
        Refused([], "0 bytes are too few");
        Refused([1, 2, 3, 4, 5, 6, 7], "7 bytes are too few");
        Refused([8, 0, 0, 0, 0, 0, 0, 0, 1], "states a header of 8 bytes, but only 1 bytes follow");
        Refused([255, 255, 255, 255, 255, 255, 255, 255], "states a header of 18446744073709551615 bytes, above the limit");
        Refused(Encoding.ASCII.GetBytes("<!doctype html><html></html>"), "not a safetensors file");
        Refused(Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"), "Git LFS pointer");
        Refused(CheckpointBuilder.File("{\"\xff\":1}", [])[..^3], "bytes follow");
        byte[] badText = CheckpointBuilder.File("{\"ab\":1}", []);
        badText[10] = 0xff;
        Refused(badText, "not valid UTF-8");
        Assert.Contains("no such file", Assert.Throws<GradpathException>(() => SafetensorsFile.Open(_folder["none"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_and_every_damaged_header_byte_gives_an_error_or_a_sound_file()
    {
        byte[] whole = CheckpointBuilder.File(CheckpointBuilder.Tensors(CheckpointBuilder.Config).Take(3));
        for (int length = 0; length < whole.Length; length++) Refused(whole[..length], "");
        int header = (int)BinaryPrimitives.ReadUInt64LittleEndian(whole);
        for (int i = 0; i < 8 + header; i++)
        {
            byte[] damaged = [.. whole];
            damaged[i] ^= 0x15;
            File.WriteAllBytes(_folder["x.safetensors"], damaged);
            try
            {
                using SafetensorsFile file = SafetensorsFile.Open(_folder["x.safetensors"]);
                foreach (SafetensorsEntry entry in file.Entries.Values.Where(e => e.Dtype == "F32"))
                    Assert.Equal(entry.Count, file.ReadFloats(entry.Name).Length);
            }
            catch (GradpathException)
            {
            }
        }
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        SafetensorsWriter writer = new();
        writer.AddMetadata("who", "héllo \"there\"\n");
        writer.AddMetadata("a", "1");
        byte[] flags = [1, 0, 1];
        float[] scores = [.. Enumerable.Range(0, 6).Select(i => i / 3f), float.NaN, -0f];
        writer.Add("flags", flags, 3);
        writer.Add("scores", scores, 2, 4);
        writer.Add("scalar", new float[] { 5 });
        writer.Write(_folder["out.safetensors"]);
        using SafetensorsFile file = SafetensorsFile.Open(_folder["out.safetensors"]);
        Assert.Equal(0, file.HeaderBytes % 8);
        Assert.Equal("héllo \"there\"\n", file.Metadata["who"]);
        Assert.Equal(flags, file.ReadBytes("flags"));
        Assert.Equal(scores.Select(BitConverter.SingleToInt32Bits), file.ReadFloats("scores").Select(BitConverter.SingleToInt32Bits));
        Assert.Equal([2, 4], file.Require("scores").Shape);
        Assert.Equal([5f], file.ReadFloats("scalar"));
        Assert.Empty(file.Require("scalar").Shape);
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void The_writer_refuses_a_name_twice_and_a_shape_that_does_not_fit()
    {
        SafetensorsWriter writer = new();
        writer.Add("a", new float[2], 2);
        Assert.Throws<ArgumentException>(() => writer.Add("a", new float[2], 2));
        Assert.Throws<ArgumentException>(() => writer.Add("__metadata__", new float[2], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Add("b", new float[2], 3));
    }

    [Theory]
    [InlineData("F16")]
    [InlineData("BF16")]
    [InlineData("F64")]
    [InlineData("F32")]
    public void Conversion_is_exact_for_every_bit_pattern_length_and_alignment(string dtype)
    {
        int width = SafetensorsEntry.BitsOf(dtype) / 8;
        foreach (int length in (int[])[0, 1, 15, 16, 17, 65536, 300_001])
        {
            foreach (int shift in (int[])[0, 1])
            {
                byte[] source = new byte[(length * width) + shift];
                float[] expected = new float[length];
                for (int i = 0; i < length; i++)
                {
                    Span<byte> at = source.AsSpan(shift + (i * width), width);
                    switch (dtype)
                    {
                        case "F16":
                            BinaryPrimitives.WriteUInt16LittleEndian(at, (ushort)i);
                            expected[i] = (float)BitConverter.UInt16BitsToHalf((ushort)i);
                            break;
                        case "BF16":
                            BinaryPrimitives.WriteUInt16LittleEndian(at, (ushort)i);
                            expected[i] = BitConverter.Int32BitsToSingle((int)((uint)(ushort)i << 16));
                            break;
                        case "F64":
                            BinaryPrimitives.WriteDoubleLittleEndian(at, Math.Sin(i));
                            expected[i] = (float)Math.Sin(i);
                            break;
                        default:
                            BinaryPrimitives.WriteSingleLittleEndian(at, MathF.Sqrt(i));
                            expected[i] = MathF.Sqrt(i);
                            break;
                    }
                }
                float[] actual = new float[length];
                FloatConversion.ToSingle(dtype, source.AsSpan(shift), actual);
                for (int i = 0; i < length; i++)
                {
                    if (!expected[i].Equals(actual[i]))
                        Assert.Fail($"{dtype}, {length} values, shifted by {shift}, at {i}: {actual[i]} for {expected[i]}");
                }
            }
        }
    }

    private SafetensorsFile Open(string header, byte[] data)
    {
        File.WriteAllBytes(_folder["x.safetensors"], CheckpointBuilder.File(header, data));
        return SafetensorsFile.Open(_folder["x.safetensors"]);
    }

    private void Refused(byte[] bytes, string message)
    {
        File.WriteAllBytes(_folder["x.safetensors"], bytes);
        GradpathException e = Assert.Throws<GradpathException>(() => SafetensorsFile.Open(_folder["x.safetensors"]));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}
