using System.Reflection;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Tests.Ops;

/// <summary>The ops of the device, read off its class: every method that has a core on each device, but for those of memory.</summary>
internal static class DeviceOps
{
    private const string Core = "Core";
    private const BindingFlags Declared = BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly string[] s_memory = ["Receive", "Upload", "Download", "Allocate", "Free", "Dispose"];

    /// <summary>Their names in order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(Device).GetMethods(Declared)
            .Where(m => m.IsAbstract && m.Name.EndsWith(Core, StringComparison.Ordinal))
            .Select(m => m.Name[..^Core.Length])
            .Except(s_memory)
            .Order(),
    ];
}
