using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Tests;

/// <summary>The program as it runs on processors with fewer vector instructions than this one: .NET leaves them out on request.</summary>
public sealed class InstructionSetTests : IDisposable
{
    // The variables stand for processors: without AVX-512, without AVX2 and fused multiply-add, without any vectors.
    private static readonly (InstructionSet Widest, string Variable)[] s_processors =
    [
        (InstructionSet.Avx2, "DOTNET_EnableAVX512"),
        (InstructionSet.Vector128, "DOTNET_EnableAVX2"),
        (InstructionSet.Scalar, "DOTNET_EnableHWIntrinsic"),
    ];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("eap-ig")]
    [InlineData("eap-gp")]
    public void Every_instruction_set_gives_the_same_scores_to_rounding_and_is_named(string method)
    {
        Skip.IfNot(RuntimeInformation.ProcessArchitecture == Architecture.X64, "the variables are for x86-64");
        Skip.If(InstructionSets.Widest == InstructionSet.Scalar, "there are no vector instructions here to leave out");
        EdgeScores expected = Score(method, InstructionSets.Widest, []);
        double largest = expected.Values.ToArray().Max(Math.Abs);
        foreach ((InstructionSet widest, string variable) in s_processors.Where(p => p.Widest < InstructionSets.Widest))
        {
            EdgeScores scores = Score(method, widest, new() { [variable] = "0" });

            // Sums in another order, and multiply-adds that round twice: what two devices may differ by.
            for (int i = 0; i < scores.Values.Length; i++)
                Assert.InRange(Math.Abs(scores.Values[i] - expected.Values[i]), 0, 1e-4 * largest);
        }
    }

    private EdgeScores Score(string method, InstructionSet widest, Dictionary<string, string?> environment)
    {
        string file = _folder[$"{method}-{widest}.json"];
        string dotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        string program = Path.Combine(AppContext.BaseDirectory, "gradpath.dll"), model = RepositoryFiles.DemoModel;
        ShellRun run = ShellRun.Of(
            _folder.Path, environment, dotnet, [program,
                .. $"score --model {model} --task ioi --limit 4 --steps 2 --threads 2 --device cpu --out {file}".Split(' '), "--method",
                method]);
        Assert.True(run.ExitCode == 0, run.Error);
        EdgeScores scores = ScoreFile.Read(file);
        Assert.Contains(widest.Description(), scores.Provenance!.Device, StringComparison.Ordinal);
        return scores;
    }
}
