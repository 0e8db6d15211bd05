using System.Runtime.InteropServices;

namespace Gradpath.Kernels.Cuda;

/// <summary>One argument of a kernel: an address, a whole number or a float, in the low bytes of eight.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct KernelArgument
{
    private readonly ulong _bits;

    private KernelArgument(ulong bits) => _bits = bits;

    public static implicit operator KernelArgument(DeviceArray<float>? array) => new(array is null ? 0 : (ulong)array.Address);

    public static implicit operator KernelArgument(DeviceArray<double>? array) => new(array is null ? 0 : (ulong)array.Address);

    public static implicit operator KernelArgument(DeviceArray<int>? array) => new(array is null ? 0 : (ulong)array.Address);

    public static implicit operator KernelArgument(DeviceArray<long>? array) => new(array is null ? 0 : (ulong)array.Address);

    public static implicit operator KernelArgument(nint address) => new((ulong)address);

    public static implicit operator KernelArgument(int value) => new((uint)value);

    public static implicit operator KernelArgument(bool value) => new(value ? 1u : 0u);

    public static implicit operator KernelArgument(long value) => new((ulong)value);

    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value));

    public static implicit operator KernelArgument(double value) => new(BitConverter.DoubleToUInt64Bits(value));
}
