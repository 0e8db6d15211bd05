using CommandLine;
using Gradpath.Programs.Files;

namespace Gradpath.Programs;

/// <summary>What all commands share that compute: where, and how exactly.</summary>
internal abstract class DeviceOptions : CommandOptions
{
    [Option(
        "device",
        MetaValue = "DEVICE",
        Default = "auto",
        HelpText = "auto (the GPU with the most free memory, or the CPU where none can be used), cpu, cuda or cuda:N.")]
    public string Device { get; set => field = value.ToLowerInvariant(); } = "auto";

    [Option("threads", MetaValue = "N", HelpText = "Threads of the CPU device (default: one per core).")]
    [Range(1, 1_024)]
    public int? Threads { get; set; }

    [Option(
        "memory",
        MetaValue = "SIZE",
        HelpText = "Memory for a run's workspaces, such as 800MiB or 6GiB (default: half of the device's memory beside the weights); "
            + "batches are planned by it.")]
    public string? Memory { get; set; }

    [Option(
        "precision",
        MetaValue = "PRECISION",
        Default = "fp32",
        HelpText = "Matrix products on a GPU: fp32, or with rounded factors tf32 or bf16. The CPU has fp32.")]
    public string Precision { get; set; } = "fp32";

    [Option(
        "gemm",
        MetaValue = "PROVIDER",
        Default = "own",
        HelpText = "How matrices are multiplied on a GPU: own (fp32 by the fastest of the next three), fp16x3 or tf32x3 (tensor cores; "
            + "fp32 as three products of halves or of TF32, as accurate), ffma (without tensor cores; fp32 only) or cublas (an installed "
            + "CUDA toolkit).")]
    public string Gemm { get; set; } = "own";

    [Input]
    [Option(
        "plans",
        MetaValue = "FILE",
        HelpText = "How matrices are cut up on this GPU, as bench --tune has measured it (default: gradpath/plans/GPU.json in the user's "
            + "configuration folder, where it is and fits).")]
    public string? Plans { get; set; }
}
