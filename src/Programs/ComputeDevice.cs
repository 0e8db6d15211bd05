using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Programs;

/// <summary>The device that <c>--device</c> names.</summary>
internal static class ComputeDevice
{
    private const string Auto = "auto";
    private const string Cpu = "cpu";
    private const string Cuda = "cuda";

    /// <summary>Checks the options without touching hardware.</summary>
    /// <exception cref="UsageException">A name is unknown, or options do not go together.</exception>
    public static void Check(DeviceOptions o)
    {
        Ordinal(o.Device);
        if (o.Memory is not null) Sizes.Parse("memory", o.Memory);
        MatrixProvider provider = Provider(o);
        bool plain = Precision(o) == MatrixPrecision.Float32 && provider == MatrixProvider.Own;
        if (o.Device == Cpu && !plain) throw NeedsGpu(o);
        if (o.Plans is not null && (o.Device == Cpu || provider == MatrixProvider.Cublas))
            throw new UsageException($"--plans {o.Plans} is for the project's own kernels on a GPU: leave it out.");
        if (provider is MatrixProvider.Ffma or MatrixProvider.Tf32x3 or MatrixProvider.Fp16x3 && Precision(o) != MatrixPrecision.Float32)
        {
            throw new UsageException(
                $"--gemm {o.Gemm} multiplies in fp32 only, and {o.Precision} rounds the factors: leave --gemm or --precision out.");
        }
        if (o.Threads is not null && o.Device.StartsWith(Cuda, StringComparison.Ordinal))
        {
            throw new UsageException("--threads is for the CPU device; add --device cpu.");
        }
    }

    /// <summary>Opens the device.</summary>
    /// <exception cref="UsageException">An option cannot be used on this machine.</exception>
    /// <exception cref="DeviceException">The GPU that was asked for cannot be used.</exception>
    public static Device Open(DeviceOptions o, Terminal terminal)
    {
        Check(o);
        Device device = Open(o.Device, o.Threads, Options(o), () => NeedsGpu(o), terminal);
        try
        {
            PlanFiles.Apply(device, o.Plans, terminal);
        }
        catch
        {
            device.Dispose();
            throw;
        }
        if (o.Memory is null) return device;
        long memory = Sizes.Parse("memory", o.Memory), most = device.TotalMemory;
        if (memory > most)
        {
            device.Dispose();
            throw new UsageException($"--memory {o.Memory}: {device.Name} has {Sizes.Bytes(most)}.");
        }
        device.MemoryBudget = memory;
        return device;
    }

    /// <summary>How a GPU computes.</summary>
    public static CudaOptions Options(DeviceOptions o)
    {
        MatrixProvider provider = Provider(o);
        return new CudaOptions
        {
            Precision = Precision(o),
            UseCublas = provider == MatrixProvider.Cublas,
            TensorProducts = provider is MatrixProvider.Tf32x3 or MatrixProvider.Fp16x3 ? provider : null,
            TensorCores = provider switch
            {
                MatrixProvider.Ffma => false,
                MatrixProvider.Tf32x3 or MatrixProvider.Fp16x3 => true,
                _ => null,
            },
        };
    }

    /// <summary>Opens the device that a command without further options of it names.</summary>
    public static Device Open(string name, Terminal terminal)
    {
        Ordinal(name);
        Device device = Open(name, null, new CudaOptions(), null, terminal);
        PlanFiles.Apply(device, null, terminal);
        return device;
    }

    private static Device Open(string name, int? threads, CudaOptions options, Func<UsageException>? needsGpu, Terminal terminal)
    {
        if (name == Cpu) return new CpuDevice(threads ?? 0);
        CudaAvailability found = CudaDevice.Availability();
        if (name == Auto)
        {
            // A number of threads asks for the CPU.
            if (threads is null && found.IsUsable)
            {
                CudaDevice gpu = CudaDevice.Open(null, options);
                terminal.Note($"device: {gpu.Name}, {gpu.Description}, {Sizes.Bytes(gpu.FreeMemory)} free");
                return gpu;
            }
            if (needsGpu is not null && options != new CudaOptions()) throw needsGpu();
            if (threads is null && found.DriverInstalled)
            {
                terminal.Note($"device: cpu, because no GPU can be used: {found.Obstacle}");
            }
            return new CpuDevice(threads ?? 0);
        }
        int? ordinal = Ordinal(name);
        if (found.IsUsable && ordinal >= found.Devices)
        {
            string choice = EnumNames.Choice(Enumerable.Range(0, found.Devices).Select(i => $"{Cuda}:{i}"));
            throw new UsageException($"--device {name}: this machine has {CudaDevice.Gpus(found.Devices)}; choose {choice}.");
        }
        if (!found.IsUsable) throw new DeviceException($"--device {name}: {found.Obstacle}; --device cpu needs no GPU");
        return CudaDevice.Open(ordinal, options);
    }

    private static MatrixPrecision Precision(DeviceOptions o) => EnumNames.Parse<MatrixPrecision>(
        "precision", o.Precision, p => o.Device != Cpu || p == MatrixPrecision.Float32);

    private static MatrixProvider Provider(DeviceOptions o) => EnumNames.Parse<MatrixProvider>(
        "gemm", o.Gemm, p => o.Device != Cpu || p == MatrixProvider.Own);

    private static UsageException NeedsGpu(DeviceOptions o) => new(Precision(o) != MatrixPrecision.Float32
        ? $"--precision {o.Precision} needs a GPU; the CPU computes in fp32."
        : $"--gemm {o.Gemm} needs a GPU; the CPU has its own products.");

    // The number behind "cuda:", or null where any GPU will do.
    private static int? Ordinal(string name)
    {
        if (name is Auto or Cpu or Cuda) return null;
        if (name.StartsWith($"{Cuda}:", StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(Cuda.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int ordinal))
        {
            return ordinal;
        }
        throw new UsageException($"--device {name}: {TableNames.Unknown("device", name, [Auto, Cpu, Cuda, $"{Cuda}:N"])}.");
    }
}
