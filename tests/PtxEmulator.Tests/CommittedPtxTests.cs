using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;
using Xunit.Abstractions;

namespace Gradpath.PtxEmulator.Tests;

/// <summary>Every kernel of the product is within what the emulator knows.</summary>
public sealed class CommittedPtxTests(ITestOutputHelper output)
{
    public static IEnumerable<object[]> Files() =>
        typeof(CudaDevice).Assembly.GetManifestResourceNames().Where(n => n.EndsWith(".ptx", StringComparison.Ordinal)).Select(
            n => new object[] { n });

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_of_kernels_loads(string file)
    {
        using var driver = new EmulatedDriver();
        driver.CreateContext(0);
        using Stream resource = typeof(CudaDevice).Assembly.GetManifestResourceStream(file)!;
        byte[] ptx = new byte[resource.Length];
        resource.ReadExactly(ptx);
        nint module = driver.LoadModule(file, ptx);
        foreach (string entry in System.Text.Encoding.ASCII.GetString(ptx).Split(".entry ").Skip(1).Select(e =>
            e[..e.IndexOf('(', StringComparison.Ordinal)].Trim()))
        {
            CudaFunctionInfo info = driver.DescribeFunction(driver.GetFunction(module, entry));
            Assert.InRange(info.MaxThreads, 32, 1024);
            Assert.InRange(info.StaticSharedBytes, 0, 48 * 1024);
            Assert.InRange(info.Registers, 1, 255);
            output.WriteLine($"{file} {entry}: {info.Registers} registers live at most, {info.StaticSharedBytes} bytes of static shared "
                + $"and {info.LocalBytes} of local memory, up to {info.MaxThreads} threads");
        }
    }
}
