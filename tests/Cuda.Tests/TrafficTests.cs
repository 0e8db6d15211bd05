using System.Globalization;
using Gradpath.Diagnostics.KernelRuns;
using Gradpath.Diagnostics.Ops;
using Gradpath.PtxEmulator.Survey;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// What each kernel moves at the shapes of GPT-2 small (fewer rows), in sectors of 32 bytes, against reading every operand and writing
/// every result once; how often accesses to shared memory wait for a bank; and that perf/KERNELS.md states what is counted. The products'
/// traffic has tests of its own.
/// </summary>
public sealed class TrafficTests
{
    private static readonly Lazy<string[]> s_page = new(
        () => File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "perf/KERNELS.md")));

    public static IEnumerable<object[]> Cases =>
        KernelSurvey.Cases.Where(c => !IsProduct(c)).Select(c => new object[] { c.Kernel, c.Shape });

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_kernel_moves_little_more_than_it_must_and_the_page_says_so(string kernel, string shape)
    {
        KernelLine line = KernelSurvey.Run(KernelSurvey.Cases.Single(c => c.Kernel == kernel && c.Shape == shape));
        Assert.InRange(line.Ratio, 1, line.Case.MostTraffic);
        Assert.InRange(line.ConflictsPerRequest, 0, line.Case.MostConflicts);
        Assert.True(s_page.Value.Contains(line.ToString()), $"perf/KERNELS.md is out of date, run perf kernels --update: it lacks\n{line}");
    }

    [Fact]
    public void Every_kernel_has_a_case() =>
        Assert.Equal(KernelSurvey.Resources.Keys.Order(), KernelSurvey.Cases.Select(c => c.Kernel).Distinct().Order());

    /// <summary>To count the products takes too long for every test run; what their PTX says is checked.</summary>
    [Fact]
    public void The_page_has_the_products_registers()
    {
        foreach (KernelCase c in KernelSurvey.Cases.Where(IsProduct))
        {
            KernelResources kernel = KernelSurvey.Resources[c.Kernel];
            string line = Assert.Single(s_page.Value, l => l.StartsWith($"| {c.Kernel} | {c.Shape} | ", StringComparison.Ordinal));
            string[] cells = line.Split('|', StringSplitOptions.TrimEntries);
            Assert.StartsWith($"{kernel.Registers} of ", cells[4], StringComparison.Ordinal);
            Assert.StartsWith(
                kernel.StaticSharedBytes.ToString("N0", CultureInfo.InvariantCulture) + " + ", cells[5], StringComparison.Ordinal);
            if (kernel.Threads > 0)
            {
                Assert.Equal(
                    ($"{kernel.Threads}", $"{kernel.Registers} of {LiveRegisters.Allowed(kernel.Threads, kernel.Blocks)}"),
                    (cells[3], cells[4]));
            }
        }
    }

    private static bool IsProduct(KernelCase c) =>
        c.Kernel.StartsWith("gemm", StringComparison.Ordinal) || c.Kernel.StartsWith("contract", StringComparison.Ordinal);
}
