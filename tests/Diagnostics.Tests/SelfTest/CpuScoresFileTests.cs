using System.Text;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Diagnostics.Tests.SelfTest;

/// <summary>Files of the CPU's scores: written, read, damaged, foreign and old.</summary>
public sealed class CpuScoresFileTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"gradpath-{Guid.NewGuid():N}.safetensors");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Scores_come_back_with_how_they_were_made()
    {
        CpuScores written = Write(), read = CpuScoresFile.Read(_file);
        Assert.Equal((written.Shape, written.Device, written.Created), (read.Shape, read.Device, read.Created));
        foreach (string method in (string[])["eap", "eap-ig", "eap-gp"]) Assert.Equal(written.Edges[method], read.Edges[method]);

        // The methods are told from one another by what they score.
        Assert.True(ScoreAgreement.Of(read.Edges["eap"], read.Edges["eap-ig"]).Error > 0.01);
        Assert.True(ScoreAgreement.Of(read.Edges["eap-ig"], read.Edges["eap-gp"]).Error > 0.01);
        Assert.InRange(new FileInfo(_file).Length, 900, 3000);
    }

    [Theory]
    [InlineData("selftest scores 1", "selftest scores 0", "is of the format \"selftest scores 0\", this program reads")]
    [InlineData("sha256:", "sha256:0", "has scores of other weights, pairs or settings")]
    [InlineData("tiny", "tiey", "shape")]
    [InlineData("022created", "022creates", "created is missing")]
    [InlineData("gradpath_selftest", "gradpath_selftesd", "holds no scores of a self-test")]
    public void Another_file_is_told_apart(string text, string instead, string mention)
    {
        Write();
        Change(text, instead);
        GradpathException e = Assert.Throws<GradpathException>(() => CpuScoresFile.Read(_file));
        Assert.StartsWith(_file, e.Message, StringComparison.Ordinal);
        Assert.Contains(mention, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damage_and_other_tensors_are_found()
    {
        Write();
        byte[] bytes = File.ReadAllBytes(_file);
        bytes[^5] ^= 4;
        File.WriteAllBytes(_file, bytes);
        Assert.Contains("is damaged", Assert.Throws<GradpathException>(() => CpuScoresFile.Read(_file)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_file, bytes[..^5]);
        Assert.Throws<GradpathException>(() => CpuScoresFile.Read(_file));
        SafetensorsWriter other = new();
        other.Add("eap", new float[3], 3);
        other.Write(_file);
        Assert.Contains(
            "holds no scores of a self-test", Assert.Throws<GradpathException>(() => CpuScoresFile.Read(_file)).Message,
            StringComparison.Ordinal);
    }

    private CpuScores Write()
    {
        using CpuDevice device = new(1);
        CpuScores scores = CpuScores.Compute("tiny", device, null, CancellationToken.None);
        CpuScoresFile.Write(_file, scores);
        return scores;
    }

    // Both texts of a length, or the header made longer by what is more.
    private void Change(string text, string instead)
    {
        byte[] bytes = File.ReadAllBytes(_file);
        int header = BitConverter.ToInt32(bytes);
        string json = Encoding.UTF8.GetString(bytes, 8, header);
        int at = json.IndexOf(text, StringComparison.Ordinal);
        Assert.True(at >= 0, json);
        json = json[..at] + instead + json[(at + text.Length)..];
        byte[] changed = Encoding.UTF8.GetBytes(json);
        File.WriteAllBytes(_file, [.. BitConverter.GetBytes((long)changed.Length), .. changed, .. bytes[(8 + header)..]]);
    }
}
