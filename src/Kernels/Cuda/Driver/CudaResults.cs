namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>The driver's results: what they mean, what to try, and whether the context survives them.</summary>
internal static class CudaResults
{
    private const string Sanitizer =
        "CUDA_LAUNCH_BLOCKING=1 in the environment, which shows the kernel, and then compute-sanitizer of a CUDA toolkit";

    private const string Hardware = "nvidia-smi -q and the kernel's log (dmesg, Xid), then a reset of the GPU, or another one";

    private const string NewerDriver = "a newer NVIDIA driver: one for CUDA 11.8 or later (version 520) is needed";

    private const string FreeGpu =
        "again once other programs have left the GPU; nvidia-smi shows them, and whether its compute mode is exclusive";

    private static readonly Dictionary<CudaResult, Row> s_rows = new()
    {
        [CudaResult.InvalidValue] = new("an argument is out of range"),
        [CudaResult.OutOfMemory] = new("out of memory", "a smaller batch, or again once other programs have left the GPU"),
        [CudaResult.NotInitialized] = new("the driver is not initialised"),
        [CudaResult.Deinitialized] = new("the driver is shutting down", null, Sticky: true),
        [CudaResult.DeviceUnavailable] = new("the GPU is busy, or another program has it for itself", FreeGpu),
        [CudaResult.NoDevice] = new(
            "the driver finds no GPU", "nvidia-smi -L, and whether CUDA_VISIBLE_DEVICES or the container hides the GPUs"),
        [CudaResult.InvalidDevice] = new(
            "there is no GPU of this number",
            "nvidia-smi -L; CUDA_VISIBLE_DEVICES changes the numbers, and one in exclusive mode may be taken"),
        [CudaResult.DeviceNotLicensed] = new("the GPU has no licence for compute", "the licence of the virtual GPU"),
        [CudaResult.InvalidImage] = new("the compiled kernels are damaged", "again with GRADPATH_KERNEL_CACHE=off in the environment"),
        [CudaResult.InvalidContext] = new("no context is current"),
        [CudaResult.NoBinaryForGpu] = new(
            "the code does not run on this GPU: compute capability 8.0 or later is needed", "a newer NVIDIA driver, or a newer GPU"),
        [CudaResult.EccUncorrectable] = new("the GPU's memory has an error that cannot be corrected", Hardware, Sticky: true),
        [CudaResult.InvalidPtx] = new("the driver's compiler rejects the PTX", "a newer NVIDIA driver"),
        [CudaResult.NvlinkUncorrectable] = new("the link between GPUs has an error that cannot be corrected", Hardware, Sticky: true),
        [CudaResult.JitCompilerNotFound] = new(
            "the driver's compiler is not installed",
            "installing libnvidia-ptxjitcompiler of the driver's version (in a container: with the driver's capability 'compute')"),
        [CudaResult.UnsupportedPtxVersion] = new("the driver is too old for PTX 7.8: version 520 or later is needed", NewerDriver),
        [CudaResult.JitCompilationDisabled] = new(
            "the driver's compiler is switched off", "again without CUDA_DISABLE_PTX_JIT and CUDA_DISABLE_JIT in the environment"),
        [CudaResult.InvalidHandle] = new("a handle is not valid"),
        [CudaResult.NotFound] = new("a named symbol was not found"),
        [CudaResult.NotReady] = new("the work is not done yet"),
        [CudaResult.IllegalAddress] = new("a kernel touched memory that is not its own", Sanitizer, Sticky: true),
        [CudaResult.LaunchOutOfResources] = new("a launch asks for too many registers or too much shared memory", NewerDriver),
        [CudaResult.LaunchTimeout] = new(
            "a kernel ran longer than the display's watchdog allows", "a GPU that drives no display, or a smaller batch", Sticky: true),
        [CudaResult.ContextIsDestroyed] = new("the context was destroyed by an earlier error", "a new process", Sticky: true),
        [CudaResult.AssertFailed] = new("a kernel's assertion failed", Sanitizer, Sticky: true),
        [CudaResult.HardwareStackError] = new("a kernel's call stack broke", Sanitizer, Sticky: true),
        [CudaResult.IllegalInstruction] = new("a kernel met an instruction that the GPU does not know", NewerDriver, Sticky: true),
        [CudaResult.MisalignedAddress] = new("a kernel touched a misaligned address", Sanitizer, Sticky: true),
        [CudaResult.InvalidAddressSpace] = new("a kernel used an address of another kind of memory", Sanitizer, Sticky: true),
        [CudaResult.InvalidProgramCounter] = new("a kernel jumped out of its code", Sanitizer, Sticky: true),
        [CudaResult.LaunchFailed] = new("a kernel failed", Sanitizer, Sticky: true),
        [CudaResult.StreamCaptureUnsupported] = new("the call is not allowed while a stream is recorded"),
        [CudaResult.StreamCaptureInvalidated] = new("an earlier error ended the recording"),
        [CudaResult.SystemNotReady] = new(
            "the system is not ready for CUDA", "starting nvidia-fabricmanager, which GPUs behind NVSwitch need"),
        [CudaResult.SystemDriverMismatch] = new(
            "the driver's library and its kernel module are of different versions", "a restart of the machine after the driver's update"),
        [CudaResult.CompatNotSupported] = new(
            "the forward compatibility package does not support this GPU", "again without cuda-compat in LD_LIBRARY_PATH"),
        [CudaResult.Unknown] = new("the driver failed", Hardware, Sticky: true),
    };

    /// <summary>The results that are known here.</summary>
    public static IEnumerable<CudaResult> Known => s_rows.Keys;

    /// <summary>A result in words.</summary>
    public static string Meaning(this CudaResult result) => s_rows.TryGetValue(result, out Row? row) ? row.Meaning : "the driver failed";

    /// <summary>What to try after a result, in words that follow "try"; null where nobody knows.</summary>
    public static string? Advice(this CudaResult result) => s_rows.GetValueOrDefault(result)?.Advice;

    /// <summary>Whether the context is of no use any more after a result: every later call on it reports the same.</summary>
    public static bool IsSticky(this CudaResult result) => s_rows.TryGetValue(result, out Row? row) && row.Sticky;

    /// <summary>Whether the way to learn more is to run the kernel again under a tool that checks it.</summary>
    public static bool IsOfKernel(this CudaResult result) => result.Advice() == Sanitizer;

    private sealed record Row(string Meaning, string? Advice = null, bool Sticky = false);
}
