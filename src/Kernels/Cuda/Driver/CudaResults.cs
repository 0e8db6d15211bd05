namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>The driver's results in words.</summary>
internal static class CudaResults
{
    /// <summary>A result in words.</summary>
    public static string Meaning(this CudaResult result) => result switch
    {
        CudaResult.InvalidValue => "an argument is out of range",
        CudaResult.OutOfMemory => "out of memory",
        CudaResult.NotInitialized => "the driver is not initialised",
        CudaResult.Deinitialized => "the driver is shutting down",
        CudaResult.NoDevice => "the driver finds no GPU",
        CudaResult.InvalidDevice => "there is no GPU of this number",
        CudaResult.InvalidContext => "no context is current",
        CudaResult.NoBinaryForGpu => "the code does not run on this GPU: compute capability 8.0 or later is needed",
        CudaResult.EccUncorrectable => "the GPU's memory has an error that cannot be corrected",
        CudaResult.InvalidPtx => "the driver's compiler rejects the PTX",
        CudaResult.UnsupportedPtxVersion => "the driver is too old for PTX 7.8: version 520 or later is needed",
        CudaResult.InvalidHandle => "a handle is not valid",
        CudaResult.NotFound => "a named symbol was not found",
        CudaResult.NotReady => "the work is not done yet",
        CudaResult.IllegalAddress => "a kernel touched memory that is not its own",
        CudaResult.LaunchOutOfResources => "a launch asks for too many registers or too much shared memory",
        CudaResult.LaunchTimeout => "a kernel ran longer than the display's watchdog allows",
        CudaResult.AssertFailed => "a kernel's assertion failed",
        CudaResult.HardwareStackError => "a kernel's call stack broke",
        CudaResult.IllegalInstruction => "a kernel met an instruction that the GPU does not know",
        CudaResult.MisalignedAddress => "a kernel touched a misaligned address",
        CudaResult.InvalidAddressSpace => "a kernel used an address of another kind of memory",
        CudaResult.InvalidProgramCounter => "a kernel jumped out of its code",
        CudaResult.LaunchFailed => "a kernel failed",
        CudaResult.StreamCaptureUnsupported => "the call is not allowed while a stream is recorded",
        CudaResult.StreamCaptureInvalidated => "an earlier error ended the recording",
        CudaResult.SystemDriverMismatch => "the driver's library and its kernel module are of different versions",
        _ => "the driver failed",
    };

    /// <summary>Whether the context is of no use any more after a result: every later call on it reports the same.</summary>
    public static bool IsSticky(this CudaResult result) =>
        result is CudaResult.IllegalAddress or CudaResult.LaunchTimeout or CudaResult.AssertFailed or CudaResult.MisalignedAddress
        or CudaResult.InvalidAddressSpace or CudaResult.InvalidProgramCounter or CudaResult.LaunchFailed or CudaResult.Deinitialized
        or CudaResult.IllegalInstruction or CudaResult.HardwareStackError or CudaResult.EccUncorrectable or CudaResult.Unknown;
}
