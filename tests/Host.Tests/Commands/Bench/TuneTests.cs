using System.Security.Cryptography;
using System.Text.Json;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator;

namespace Gradpath.Host.Tests;

/// <summary><c>bench --tune</c> and <c>--plans</c>; the GPU is emulated.</summary>
[Trait("About", "emulator")]
public sealed class TuneTests : IClassFixture<TinyModel>, IDisposable
{
    private readonly TinyModel _model;
    private readonly TempFolder _folder = new();

    public TuneTests(TinyModel model)
    {
        _model = model;
        EmulatedDriver driver = new(new EmulatorOptions { Races = false });
        CudaDrivers.Replace(() => driver);
    }

    public void Dispose()
    {
        CudaDrivers.Replace(null);
        _folder.Dispose();
    }

    [Fact]
    public void Plans_are_measured_written_used_and_stated()
    {
        string plans = _folder["plans.json"];
        Cli.Run("bench", "--tune", "--shape", "tiny", "--only", "W3", "--quick", "--device", "cuda", "--out", plans).Succeeds(
            "runner-up", "An emulator stands in for the GPU: the times are the emulator's");
        using JsonDocument file = JsonDocument.Parse(File.ReadAllText(plans));
        Assert.True(file.RootElement.GetProperty("emulated").GetBoolean());
        Assert.NotEqual(0, file.RootElement.GetProperty("plans").GetArrayLength());
        string hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(plans)));

        Score("named.json", null, "--plans", plans).Succeeds();
        Assert.Equal(hash, Plans("named.json"));

        // The usual place, without being named.
        string usual = _folder["config/gradpath/plans/Emulated_GPU.json"];
        Directory.CreateDirectory(Path.GetDirectoryName(usual)!);
        Score("none.json", _folder["config"]).Succeeds();
        Assert.Null(Plans("none.json"));
        File.Copy(plans, usual);
        Assert.DoesNotContain("note:", Score("usual.json", _folder["config"]).Succeeds().Error, StringComparison.Ordinal);
        Assert.Equal(hash, Plans("usual.json"));

        // Of another GPU: a note there, an error where the file is named.
        File.WriteAllText(usual, File.ReadAllText(plans).Replace("Emulated GPU", "NVIDIA L4", StringComparison.Ordinal));
        Cli other = Score("other.json", _folder["config"]).Succeeds();
        Assert.Contains(
            "Emulated_GPU.json are not used: it was measured on NVIDIA L4, and this GPU is Emulated GPU", other.Error,
            StringComparison.Ordinal);
        Assert.Null(Plans("other.json"));
        Score("refused.json", null, "--plans", usual).Fails(2, $"--plans {usual}: it was measured on NVIDIA L4");
        File.WriteAllText(usual, "{}");
        Score("refused.json", null, "--plans", usual).Fails(2, "as files of measured plans have");
    }

    [Theory]
    [InlineData("bench --tune --device cpu", "--tune measures a GPU, and the device is cpu")]
    [InlineData("bench --tune --device cuda --shape huge", "--shape huge: no such shape")]
    public void What_cannot_be_tuned_is_refused(string line, string message) => Cli.Run(line.Split(' ')).Fails(2, message);

    [Fact]
    public void Plans_are_for_a_GPU() => Cli.Run(
        "score", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--metric", "logit-diff", "--device", "cpu", "--plans",
        _model.Pairs).Fails(2, "is for the project's own kernels on a GPU: leave it out");

    private Cli Score(string name, string? configuration, params string[] more)
    {
        string[] words =
        [
            "score", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--metric", "logit-diff", "--method", "eap", "--device",
            "cuda", "--out", _folder[name], .. more,
        ];
        return Cli.RunWithVariables(new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = configuration ?? _folder["nothing"] }, words);
    }

    private string? Plans(string name)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(_folder[name]));
        return json.RootElement.GetProperty("gradpath").TryGetProperty("gemm_plans", out JsonElement hash) ? hash.GetString() : null;
    }
}
