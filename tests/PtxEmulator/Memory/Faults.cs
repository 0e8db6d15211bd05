using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Execution;

namespace Gradpath.PtxEmulator.Memory;

/// <summary>The words of faults of memory. What is known of an allocation is added by whoever knows the allocations.</summary>
internal static unsafe class Faults
{
    public static FaultException Outside(string space, string access, Frame* frame, ulong address, int size, int line)
    {
        string limit = space switch
        {
            "shared" => $": the block has {frame->SharedBytes} bytes",
            "local" => $": the thread has {frame->LocalBytes} bytes",
            _ => "",
        };
        return new(CudaResult.IllegalAddress, line,
            $"out-of-bounds {access} of {size} bytes at {space} address 0x{address:x}{limit}")
        { Address = address };
    }

    public static FaultException Misaligned(string access, Frame* frame, ulong offset, int size, int line) =>
        new(CudaResult.MisalignedAddress, line, $"misaligned {access} of {size} bytes at {Place(frame, offset)}")
        {
            Address = offset
            + Arena.Base
        };

    public static FaultException Load(Frame* frame, ulong offset, int size, int line)
    {
        for (ulong at = offset; at < offset + (ulong)size; at++)
        {
            int state = frame->State[at >> 2] >> (int)(at & 3);
            if ((state & 0x10) == 0)
                return new(CudaResult.IllegalAddress, line,
                    $"out-of-bounds read of {size} bytes at {Place(frame, offset)}")
                { Address = offset + Arena.Base };
        }
        return new(CudaResult.LaunchFailed, line,
            $"read of memory that was never written, {size} bytes at {Place(frame, offset)}")
        {
            Address = offset + Arena.Base,
            Unwritten = true
        };
    }

    public static FaultException Store(Frame* frame, ulong offset, int size, int line) =>
        new(CudaResult.IllegalAddress, line, $"out-of-bounds write of {size} bytes at {Place(frame, offset)}")
        {
            Address = offset
            + Arena.Base
        };

    /// <summary>A place as the kernel's author knows it.</summary>
    public static string Place(Frame* frame, ulong offset)
    {
        ulong address = offset + Arena.Base;
        if (address - frame->SharedBase < (ulong)Arena.SharedWindow) return $"shared address 0x{address - frame->SharedBase:x}";
        if (offset < Arena.GlobalStart) return $"local address 0x{address - frame->LocalBase:x}";
        return $"global address 0x{address:x}";
    }
}
