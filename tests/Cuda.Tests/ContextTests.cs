using Gradpath.Cuda.Tests.Driver;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// Every call to the driver is made in the device's own context, and a context that a kernel has broken is known for one.
/// </summary>
public sealed class ContextTests
{
    [Fact]
    public void Two_GPUs_take_turns_on_one_thread()
    {
        HostDriver machine = new();
        machine.Devices.Add(machine.Devices[0]);
        WatchedDriver driver = new(machine);
        using CudaDevice first = new(driver, 0), second = new(driver, 1);
        using Tensor a = first.StoreTensor([1, 2, 3, 4], 4), b = second.StoreTensor([1, 2, 3, 4], 4);
        Action<CudaDevice, Tensor>[] calls =
        [
            (d, t) => d.CopyBlock(t, 0, t, 2, 2),
            (d, t) => d.AddBlock(t, 0, t, 2, 2),
            (d, t) => d.Fill(t, 1, 4),
            (d, t) => d.Upload<float>([5, 6, 7, 8], t),
            (_, t) => t.ToArray(),
            (d, _) => d.Synchronize(),
            (d, t) => d.Time(() => d.Fill(t, 1, 4), 2),
            (d, _) => d.Allocate(7).Dispose(),
            (d, _) => Assert.True(d.FreeMemory > 0),
            (d, _) => d.LoadModule("Rows"),
            (d, _) => d.LoadModule("Masks"),
            (d, _) => Assert.True(d.TotalMemory > 0),
            (d, t) => d.Time(() => Other(d, t), 1),
        ];
        foreach (Action<CudaDevice, Tensor> call in calls)
        {
            call(first, a);
            call(second, b);
        }
        first.DirectRuns = second.DirectRuns = 1;

        // Work that is timed may use another GPU in between.
        void Other(CudaDevice d, Tensor t)
        {
            d.Fill(t, 1, 4);
            if (ReferenceEquals(d, first)) second.Fill(b, 1, 4);
            else first.Fill(a, 1, 4);
        }
        using Gpt2Weights one = TinyRuns.Model(first), other = TinyRuns.Model(second);
        AttributionOptions options = TinyRuns.Options(AttributionMethods.EapIg, 2) with { BatchSize = 1 };
        foreach (Gpt2Weights model in (Gpt2Weights[])[one, other, one, other]) TinyRuns.Score(model, options, TinyRuns.Pairs(3, 3, 3));
        Assert.True(driver.Calls("LaunchGraph") > 0);
    }

    [Theory]
    [InlineData(700, true)]
    [InlineData(710, true)]
    [InlineData(716, true)]
    [InlineData(717, true)]
    [InlineData(718, true)]
    [InlineData(719, true)]
    [InlineData(701, false)]
    [InlineData(1, false)]
    public void A_broken_context_is_known_for_one(int code, bool broken)
    {
        WatchedDriver driver = new(new HostDriver());
        using CudaDevice device = new(driver, 0);
        using Tensor tensor = device.Allocate(8);
        driver.Fault = (call, _) => call == "Launch" ? (CudaResult)code : null;
        var e = Assert.Throws<DeviceException>(() => device.Fill(tensor, 1, 8));
        Assert.Contains("the kernel fill", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("the driver failed", e.Message, StringComparison.Ordinal);
        Assert.Equal(broken, device.HasFailed);
    }

    /// <summary>Tiles need leave for their shared memory, which a driver may refuse.</summary>
    [Fact]
    public void A_refused_leave_for_shared_memory_names_the_kernel()
    {
        WatchedDriver driver = new(new HostDriver());
        using CudaDevice device = new(driver, 0);
        using Tensor a = device.Allocate(256 * 256), b = device.Allocate(256 * 256), c = device.Allocate(256 * 256);
        driver.Fault = (call, _) => call == "AllowSharedMemory" ? CudaResult.InvalidValue : null;
        var e = Assert.Throws<DeviceException>(() => device.Gemm(a.AsMatrix(256, 256), b.AsMatrix(256, 256), c.AsMatrix(256, 256)));
        Assert.StartsWith("cuda:0: the kernel gemmFp16x3Nn", e.Message, StringComparison.Ordinal);
        Assert.Contains("could not be loaded", e.Message, StringComparison.Ordinal);
    }

    /// <summary>An error that shows at the next wait names what was launched since the last one, and what to try.</summary>
    [Fact]
    public void A_late_error_names_the_last_launches()
    {
        WatchedDriver driver = new(new HostDriver());
        using CudaDevice device = new(driver, 0);
        using Tensor x = device.Allocate(8), y = device.Allocate(8);
        device.ScaleRows(x, x, 1, 1, 8, y);
        device.Synchronize();
        for (int i = 0; i < 5; i++) device.Fill(x, i, 8);
        device.Combine(1, x, 1, x, 8, y);
        driver.Fault = (call, _) => call == "Synchronize" ? CudaResult.MisalignedAddress : null;
        var e = Assert.Throws<DeviceException>(device.Synchronize);
        Assert.Contains("a kernel touched a misaligned address (CUDA error 716) (the last kernel launched is combine on 1 x 1 x 1 ",
            e.Message, StringComparison.Ordinal);
        Assert.Contains(" threads with 0 bytes of shared memory; before it: fill on ", e.Message, StringComparison.Ordinal);
        Assert.Equal(3, e.Message.Split("fill on").Length - 1);
        Assert.DoesNotContain("scaleRows", e.Message, StringComparison.Ordinal);
        Assert.Contains("compute-sanitizer", e.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData(2, "a smaller batch")]
    [InlineData(46, "nvidia-smi")]
    [InlineData(100, "CUDA_VISIBLE_DEVICES")]
    [InlineData(209, "a newer NVIDIA driver")]
    [InlineData(214, "Xid")]
    [InlineData(221, "libnvidia-ptxjitcompiler")]
    [InlineData(222, "version 520")]
    [InlineData(700, "compute-sanitizer")]
    [InlineData(702, "drives no display")]
    [InlineData(802, "nvidia-fabricmanager")]
    [InlineData(803, "restart")]
    public void Results_that_a_user_can_do_something_about_say_what(int code, string advice) =>
        Assert.Contains(advice, ((CudaResult)code).Advice(), StringComparison.Ordinal);

    [Fact]
    public void Every_result_has_words_of_its_own()
    {
        CudaResult[] all = [.. Enum.GetValues<CudaResult>().Where(r => r != CudaResult.Success)];
        Assert.Equal(all.Order(), CudaResults.Known.Order());
        Assert.Equal(all.Length, all.Select(r => r.Meaning()).Distinct().Count());
    }
}
