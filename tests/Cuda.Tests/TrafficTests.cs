using System.Globalization;
using Gradpath.Gpt2Runtime.Tests;
using Gradpath.PtxEmulator.Survey;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// What each kernel moves at the shapes of GPT-2 small (fewer rows), in sectors of 32 bytes, against reading every operand and writing
/// every result once; how often accesses to shared memory wait for a bank; and that perf/KERNELS.md states what is counted. The products'
/// traffic has tests of its own.
/// </summary>
public sealed class TrafficTests
{
    // Largest ratio of sectors to the least bytes: 1 and a little for what a kernel reads besides, more where a row is read again.
    private const double Streaming = 1.07;

    private static readonly Dictionary<string, double> s_allowed = new()
    {
        ["attention2"] = 1.2,
        ["attentionQueryGradient2"] = 1.2,
        ["attention4"] = 1.15,
        ["attentionQueryGradient4"] = 1.2,
        ["attentionKeyGradient"] = 1.15,
        ["attentionQueryGradient8"] = 1.15,
        ["accumulateReaders"] = 1.4,
        ["finishReaders"] = 1.5,
        ["proximityShares"] = 2.65,
        ["sumShares"] = 2.0,
        ["layerNorm"] = 2.0,
        ["layerNormBackward"] = 1.4,
        ["logSoftmax"] = 2.4,
        ["weightedRowSums"] = 1.15,
        ["probabilityDifference"] = 1.25,
        ["klDivergence"] = 1.2,
        ["probabilityDistanceGradient"] = 2.0,
        ["argMax"] = 1.25,
        ["gateMaskGradients"] = 1.31,
        ["mixInputs"] = 4.4,
        ["sumSplits"] = 3.0,
        ["pathStep"] = 1.15,
    };

    private static readonly Lazy<string[]> s_page = new(() => File.ReadAllLines(Path.Combine(SharedFiles.RepositoryRoot!, "perf/KERNELS.md")));

    public static IEnumerable<object[]> Cases => KernelCases.All.Where(c => !IsProduct(c)).Select(c => new object[] { c.Kernel, c.Shape });

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_kernel_moves_little_more_than_it_must_and_the_page_says_so(string kernel, string shape)
    {
        KernelLine line = KernelSurvey.Run(KernelCases.All.Single(c => c.Kernel == kernel && c.Shape == shape));
        Assert.InRange(line.Ratio, 1, s_allowed.GetValueOrDefault(kernel, Streaming));
        Assert.InRange(line.ConflictsPerRequest, 0, kernel == "mirrorUpperTriangle" ? 0.02 : 0);
        Assert.True(s_page.Value.Contains(line.ToString()), $"perf/KERNELS.md is out of date, run perf kernels --update: it lacks\n{line}");
    }

    [Fact]
    public void Every_kernel_has_a_case() => Assert.Equal(KernelSurvey.Resources.Keys.Order(), KernelCases.All.Select(c => c.Kernel).Distinct().Order());

    /// <summary>To count the products takes too long for every test run; what their PTX says is checked.</summary>
    [Fact]
    public void The_page_has_the_products_registers()
    {
        foreach (KernelCase c in KernelCases.All.Where(IsProduct))
        {
            KernelResources kernel = KernelSurvey.Resources[c.Kernel];
            string line = Assert.Single(s_page.Value, l => l.StartsWith($"| {c.Kernel} | {c.Shape} | ", StringComparison.Ordinal));
            string[] cells = line.Split('|', StringSplitOptions.TrimEntries);
            Assert.StartsWith($"{kernel.Registers} of ", cells[4], StringComparison.Ordinal);
            Assert.StartsWith(kernel.StaticSharedBytes.ToString("N0", CultureInfo.InvariantCulture) + " + ", cells[5], StringComparison.Ordinal);
            if (kernel.Threads > 0) Assert.Equal(($"{kernel.Threads}", $"{kernel.Registers} of {LiveRegisters.Allowed(kernel.Threads, kernel.Blocks)}"), (cells[3], cells[4]));
        }
    }

    private static bool IsProduct(KernelCase c) => c.Kernel.StartsWith("gemm", StringComparison.Ordinal) || c.Kernel.StartsWith("contract", StringComparison.Ordinal);
}
