using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;
using Gradpath.Native.Handles;

namespace Gradpath.Native.Objects;

/// <summary>A device. Models keep it open, so that handles may be closed in any order.</summary>
/// <param name="device">The device.</param>
internal sealed class DeviceObject(Device device) : IHandled
{
    /// <summary>The device, for models to join.</summary>
    public Shared<Device> Device { get; } = new(device);

    /// <inheritdoc />
    public HandleKind Kind => HandleKind.Device;

    /// <inheritdoc />
    public JsonObject Describe()
    {
        Device d = Device.Value;
        return new JsonObject
        {
            ["name"] = d.Name,
            ["description"] = d.Description,
            ["precision"] = CanonicalNames.Of(d.Precision),
            ["gemm"] = CanonicalNames.Of(d.Multiplier),
            ["free_bytes"] = d.FreeMemory,
            ["total_bytes"] = d.TotalMemory,
            ["memory"] = d.MemoryBudget,
        };
    }

    /// <inheritdoc />
    public void Dispose() => Device.Leave();
}
