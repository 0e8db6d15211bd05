using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Commands;

/// <summary>What measured, for files of measurements.</summary>
internal static class BenchMachine
{
    /// <summary>The machine, the device, the program and the time.</summary>
    /// <param name="device">The device.</param>
    public static JsonObject Describe(Device device)
    {
        JsonObject json = new()
        {
            ["created"] = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["version"] = Provenance.ProgramVersion,
            ["system"] = RuntimeInformation.OSDescription,
            ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
            ["cores"] = Environment.ProcessorCount,
            ["device"] = device.Description,
            ["precision"] = CanonicalNames.Of(device.Precision),
            ["gemm"] = CanonicalNames.Of(device.Multiplier),
        };
        if (device.PlansHash is { } plans) json["gemm_plans"] = plans;
        if (device is not CudaDevice gpu) return json;
        json["gpu"] = new JsonObject
        {
            ["name"] = gpu.Info.Name,
            ["capability"] = GemmPlanFile.CapabilityOf(gpu.Info),
            ["multiprocessors"] = gpu.Info.Multiprocessors,
            ["driver"] = gpu.DriverVersion,
            ["emulated"] = gpu.IsEmulated,
            ["clock_khz"] = gpu.Info.ClockKilohertz,
            ["memory_clock_khz"] = gpu.Info.MemoryClockKilohertz,
            ["memory_bus_bits"] = gpu.Info.MemoryBusBits,
            ["l2_bytes"] = gpu.Info.L2Bytes,
            ["memory_bytes"] = gpu.Info.TotalMemory,
        };
        return json;
    }

    /// <summary>The same GPU with cuBLAS's products.</summary>
    /// <param name="device">The device.</param>
    /// <returns>The GPU; null where the device is none, multiplies by cuBLAS already, or has no cuBLAS.</returns>
    public static CudaDevice? OpenCublas(Device device)
    {
        if (device is not CudaDevice { Options: { UseCublas: false } options } gpu) return null;
        try
        {
            return gpu.OpenAnother(options with { UseCublas = true });
        }
        catch (DeviceException)
        {
            return null;
        }
    }
}
