using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;
using Gradpath.Native.Calls;

namespace Gradpath.Native.Options;

/// <summary>Devices by name, with the options that <c>gradpath --device</c> has beside it.</summary>
internal static class DeviceReader
{
    private const string Auto = "auto";
    private const string Cpu = "cpu";
    private const string Cuda = "cuda";

    /// <summary>Opens a device.</summary>
    /// <param name="name"><c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <param name="o">The options.</param>
    /// <returns>The device, with its memory budget.</returns>
    /// <exception cref="DeviceException">The GPU that was asked for cannot be used.</exception>
    public static Func<Device> Read(string name, OptionObject o)
    {
        int? ordinal = Ordinal(name);
        int? threads = (int?)o.Whole("threads", 1, CpuDevice.MostWorkers);
        long? memory = o.Whole("memory", 1, long.MaxValue);
        MatrixPrecision precision = o.Value<MatrixPrecision>("precision") ?? MatrixPrecision.Float32;
        MatrixProvider gemm = o.Value<MatrixProvider>("gemm") ?? MatrixProvider.Own;
        CudaOptions gpu = new()
        {
            Precision = precision,
            UseCublas = gemm == MatrixProvider.Cublas,
            TensorProducts = gemm is MatrixProvider.Tf32x3 or MatrixProvider.Fp16x3 ? gemm : null,
            TensorCores = gemm switch
            {
                MatrixProvider.Ffma => false,
                MatrixProvider.Tf32x3 or MatrixProvider.Fp16x3 => true,
                _ => null,
            },
        };
        if (gemm is MatrixProvider.Ffma or MatrixProvider.Tf32x3 or MatrixProvider.Fp16x3 && precision != MatrixPrecision.Float32)
        {
            throw CallException.Argument(
                $"options: gemm {CanonicalNames.Of(gemm)} multiplies in fp32 only, not in {CanonicalNames.Of(precision)}");
        }
        if (threads is not null && name.StartsWith(Cuda, StringComparison.Ordinal))
            throw CallException.Argument("options: threads is for the device cpu");
        if (name == Cpu && gpu != new CudaOptions()) throw CallException.Argument("options: precision and gemm are for GPUs");
        return () =>
        {
            Device device = Open(name, ordinal, threads, gpu);
            if (memory > device.TotalMemory)
            {
                long most = device.TotalMemory;
                device.Dispose();
                throw CallException.Argument($"options: memory is {memory} bytes; {name} has {most}");
            }
            device.MemoryBudget = memory;
            return device;
        };
    }

    private static Device Open(string name, int? ordinal, int? threads, CudaOptions options)
    {
        if (name == Cpu) return new CpuDevice(threads ?? 0);
        CudaAvailability found = CudaDevice.Availability();
        if (name == Auto)
        {
            if (threads is null && found.IsUsable) return CudaDevice.Open(null, options);
            return options == new CudaOptions()
                ? new CpuDevice(threads ?? 0)
                : throw CallException.Argument("options: precision and gemm are for GPUs, and no GPU can be used");
        }
        if (!found.IsUsable) throw new DeviceException($"{name}: {found.Obstacle}; the device cpu needs no GPU");
        return ordinal < found.Devices || ordinal is null
            ? CudaDevice.Open(ordinal, options)
            : throw CallException.Argument($"{name}: this machine has {CudaDevice.Gpus(found.Devices)}");
    }

    private static int? Ordinal(string name)
    {
        if (name is Auto or Cpu or Cuda) return null;
        if (name.StartsWith($"{Cuda}:", StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(Cuda.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int ordinal))
            return ordinal;
        throw CallException.Argument($"device {name}: {TableNames.Unknown("device", name, [Auto, Cpu, Cuda, $"{Cuda}:N"])}");
    }
}
