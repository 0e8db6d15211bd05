using Gradpath.Cuda.Tests.Driver;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// Whatever call to the driver fails in the middle of a run, the run ends in an explained error, with every array freed at once (not when
/// some finaliser gets to it), and the device goes on where the error allows it.
/// </summary>
public sealed class FailureTests
{
    private static readonly AttributionOptions Path = new()
    {
        Method = AttributionMethods.EapGp,
        Steps = 2,
        BatchSize = 1,
        EmbeddingPath = new() { Objective = EmbeddingPathObjective.ProbsLast },
    };

    [Theory]
    [InlineData("Allocate", 2)]
    [InlineData("Launch", 701)]
    [InlineData("RecordLaunch", 701)]
    [InlineData("CopyToDevice", 1)]
    [InlineData("CopyToHost", 1)]
    [InlineData("FillBytes", 1)]
    [InlineData("Synchronize", 999)]
    [InlineData("BeginCapture", 900)]
    [InlineData("EndCapture", 901)]
    [InlineData("LaunchGraph", 1)]
    public void Every_call_of_a_run_may_fail(string call, int code)
    {
        PromptPair[] pairs = TinyRuns.Pairs(3, 3, 3);
        int calls = int.MaxValue;
        int tried = 0;
        for (int k = 0; k < calls; k++)
        {
            WatchedDriver driver = new(new HostDriver());
            using (CudaDevice device = new(driver, 0, new CudaOptions { CacheMemory = false }))
            {
                using Gpt2Weights model = TinyRuns.Model(device);
                long weights = device.AllocatedBytes;
                driver.Reset();
                if (k == 0)
                {
                    TinyRuns.Score(model, Path, pairs);
                    calls = driver.Calls(call);
                    Assert.InRange(calls, 1, 5000);
                    continue;
                }

                // Out of memory is tried again once after everything has been given back, so it must last.
                bool lasts = call == "Allocate";
                int failing = k - 1;
                driver.Fault = (name, count) => name == call && (count == failing || (lasts && count == failing + 1))
                    ? (CudaResult)code
                    : null;
                var e = Assert.Throws<DeviceException>(() => TinyRuns.Score(model, Path, pairs));
                Assert.Equal(call == "Allocate", e.IsOutOfMemory);
                tried++;
                Assert.StartsWith("cuda:0", e.Message, StringComparison.Ordinal);
                Assert.Contains(call == "Allocate" ? "has no room for" : $"(CUDA error {code})", e.Message, StringComparison.Ordinal);
                driver.Fault = null;
                long own = device.OwnScratchBytes;
                Assert.True(
                    device.AllocatedBytes == weights + own,
                    $"call {failing} of {call}: {device.AllocatedBytes - weights - own} bytes are left");
                Assert.DoesNotContain(driver.Live, l => l.StartsWith("graph", StringComparison.Ordinal));
                if (code is 999 || k % 8 != 0) continue;
                TinyRuns.Score(model, Path, TinyRuns.Pairs(3));
            }
            Assert.True(!driver.Live.Any(), $"call {k - 1} of {call}: {string.Join(", ", driver.Live)}");
        }
        Assert.Equal(calls - 1, tried);
    }

    [Theory]
    [InlineData("Allocate", 2)]
    [InlineData("Launch", 719)]
    public void Runs_on_the_emulator_may_fail_anywhere(string call, int code)
    {
        PromptPair[] pairs = TinyRuns.Pairs(3);
        AttributionOptions options = new() { Method = AttributionMethods.EapGp, Steps = 2 };
        for (int failing = 0; failing < 400; failing += 53)
        {
            using EmulatedGpu gpu = new();
            using (Gpt2Weights model = TinyRuns.Model(gpu.Device))
            {
                gpu.Driver.Reset();
                int at = failing;
                gpu.Driver.Fault = (name, count) => name == call && count >= at ? (CudaResult)code : null;
                try
                {
                    TinyRuns.Score(model, options, pairs);
                    Assert.InRange(gpu.Driver.Calls(call), 1, failing);
                    Assert.True(failing > 50);
                }
                catch (DeviceException e)
                {
                    Assert.Contains(call == "Allocate" ? "has no room for" : "the kernel ", e.Message, StringComparison.Ordinal);
                }
                gpu.Driver.Fault = null;
            }
            gpu.Device.Dispose();
            Assert.Empty(gpu.Driver.Live);
        }
    }

    [Fact]
    public void Loading_a_model_that_does_not_fit_leaves_nothing()
    {
        WatchedDriver driver = new(new HostDriver());
        using CudaDevice device = new(driver, 0, new CudaOptions { CacheMemory = false });
        driver.Fault = (name, count) => name == "Allocate" && count >= 12 ? CudaResult.OutOfMemory : null;
        Assert.Throws<DeviceException>(() => TinyRuns.Model(device));
        Assert.Equal(0, device.AllocatedBytes);
        Assert.Empty(driver.LiveSizes);
    }
}
