using System.Globalization;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

// Opening: which GPU, and what is missing where there is none.
public sealed partial class CudaDevice
{
    // PTX ISA 7.8, which the kernels are written in, is understood from CUDA 11.8 on.
    private const int LowestDriver = 11080;

    /// <summary>Looks for GPUs that can be used, without opening one.</summary>
    /// <returns>What there is and what is missing.</returns>
    public static CudaAvailability Availability()
    {
        if (!CudaDrivers.IsInstalled)
        {
            return new CudaAvailability(false, 0, $"no NVIDIA driver is installed ({string.Join(" or ", LibCudaLibrary.Names)} not found)");
        }
        try
        {
            ICudaDriver driver = CudaDrivers.Get();
            int count = driver.DeviceCount;
            return new CudaAvailability(true, count, Obstacle(driver, count));
        }
        catch (CudaException e)
        {
            return new CudaAvailability(true, 0, e.Message);
        }
        catch (DeviceException e)
        {
            return new CudaAvailability(true, 0, e.Message);
        }
    }

    /// <summary>Opens a GPU.</summary>
    /// <param name="ordinal">Its number, from 0; null for the one with the most free memory.</param>
    /// <param name="options">How it computes; null for float32 by our own kernels.</param>
    /// <returns>The device; dispose of it to free its memory.</returns>
    /// <exception cref="DeviceException">There is no such GPU or it cannot be used; the message says what is missing.</exception>
    public static CudaDevice Open(int? ordinal = null, CudaOptions? options = null)
    {
        CudaAvailability found = Availability();
        if (!found.IsUsable) throw new DeviceException($"no GPU can be used: {found.Obstacle}");
        if (ordinal is < 0 || ordinal >= found.Devices)
        {
            throw new DeviceException($"there is no GPU {ordinal}: this machine has {Gpus(found.Devices)}, numbered from 0");
        }
        ICudaDriver driver = CudaDrivers.Get();
        return new CudaDevice(driver, ordinal ?? Roomiest(driver, found.Devices), options, CudaDrivers.Cache);
    }

    /// <summary>How the GPU is just now: its clocks, the driver's version; null where nobody tells.</summary>
    internal GpuState? State => StateOf(_driver, _ordinal);

    /// <summary>The CUDA version that the driver supports, such as 12.4.</summary>
    internal string CudaVersion => string.Create(CultureInfo.InvariantCulture, $"{_driver.Version / 1000}.{_driver.Version % 1000 / 10}");

    /// <summary>A number of GPUs in words.</summary>
    internal static string Gpus(int count) => count == 1 ? "1 GPU" : $"{count} GPUs";

    private static string? Obstacle(ICudaDriver driver, int count)
    {
        int version = driver.Version;
        if (version < LowestDriver)
        {
            return $"the NVIDIA driver supports CUDA {version / 1000}.{version % 1000 / 10} only: "
                + "one for CUDA 11.8 or later (version 520) is needed";
        }
        if (count == 0) return "the NVIDIA driver finds no GPU";
        CudaDeviceInfo[] all = [.. Enumerable.Range(0, count).Select(driver.Describe)];
        if (all.Any(IsFit)) return null;
        string found = string.Join(", ", all.Select(i => $"{i.Name} ({i.Major}.{i.Minor})"));
        return $"a GPU of compute capability 8.0 or later is needed; there is {found}";
    }

    private static bool IsFit(CudaDeviceInfo info) => (10 * info.Major) + info.Minor >= LowestCapability;

    // Where the management library does not tell, the memory of a GPU can only be asked for within a context.
    private static int Roomiest(ICudaDriver driver, int count)
    {
        int[] fit = [.. Enumerable.Range(0, count).Where(i => IsFit(driver.Describe(i)))];
        if (fit.Length == 1) return fit[0];
        GpuState?[] states = [.. fit.Select(i => StateOf(driver, i))];
        if (states.All(s => s is not null)) return fit.Zip(states).MaxBy(p => p.Second!.FreeBytes).First;
        (int best, long most) = (fit[0], -1);
        foreach (int i in fit)
        {
            try
            {
                nint context = driver.CreateContext(i);
                _current = 0;
                long free;
                try
                {
                    free = driver.MemoryInfo().Free;
                }
                finally
                {
                    driver.ReleaseContext(i, context);
                }
                if (free > most) (best, most) = (i, free);
            }
            catch (CudaException)
            {
                // A GPU that is out of order or reserved is no choice; if all are, opening the first one tells.
            }
        }
        return best;
    }

    private static GpuState? StateOf(ICudaDriver driver, int ordinal)
    {
        try
        {
            return driver.State(ordinal);
        }
        catch (CudaException)
        {
            return null;
        }
    }
}
