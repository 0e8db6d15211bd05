using System.Text;
using Gradpath.Diagnostics.KernelRuns;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath kernels</c>: what an author of kernels asks for.</summary>
internal static class KernelsCommand
{
    private const string PtxExtension = ".ptx";

    public static CommandReport Run(KernelsOptions o, Terminal terminal, CancellationToken cancellation)
    {
        Check(o);
        return o switch
        {
            { Dump: { } name } => Dump(o, name, terminal),
            { Run: not null } => KernelsRun.Run(o, terminal, cancellation),
            { Compile: true } => Compile(o, terminal),
            _ => List(o, terminal),
        };
    }

    /// <summary>Opens the GPU that an option needs.</summary>
    /// <param name="o">The options.</param>
    /// <param name="option">What needs it.</param>
    /// <param name="terminal">Where to say which it is.</param>
    /// <exception cref="DeviceException">There is none.</exception>
    public static CudaDevice OpenGpu(KernelsOptions o, string option, Terminal terminal)
    {
        Device device = ComputeDevice.Open(o, terminal);
        if (device is CudaDevice gpu) return gpu;
        device.Dispose();
        if (o.Device == "cpu") throw new UsageException($"{option} needs a GPU; leave --device cpu out.");
        throw new DeviceException($"{option} needs a GPU: {CudaDevice.Availability().Obstacle}");
    }

    // Exactly one thing is done, and what belongs to another one is refused.
    private static void Check(KernelsOptions o)
    {
        int asked = (o.List ? 1 : 0) + (o.Compile ? 1 : 0) + (o.Dump is null ? 0 : 1) + (o.Run is null ? 0 : 1);
        if (asked == 0) throw new UsageException("name what to do: kernels list, kernels dump NAME, kernels run NAME or kernels compile.");
        if (asked > 1) throw new UsageException("--list, --dump, --run and --compile do not go together; give one.");
        foreach ((string option, bool given, string with, bool fits) in new[]
        {
            ("cubin", o.Cubin, "dump", o.Dump is not null),
            ("out", o.Out is not null, "dump", o.Dump is not null),
            ("shape", o.Shape is not null, "run", o.Run is not null),
            ("layout", o.Layout is not null, "run", o.Run is not null),
            ("plan", o.Plan is not null, "run", o.Run is not null),
            ("repeats", o.Repeats is not null, "run", o.Run is not null),
            ("watch", o.Watch is not null, "run", o.Run is not null),
        })
        {
            if (given && !fits) throw new UsageException($"--{option} is for kernels {with}.");
        }
        if (o.Cubin && o.Out is null) throw new UsageException("--cubin: an image is no text; add --out FILE.");
        if (o.Watch is not null && o.Json) throw new UsageException("--watch and --json do not go together: watching has no end.");
    }

    private static CommandReport List(KernelsOptions o, Terminal terminal)
    {
        using Device device = ComputeDevice.Open(o, terminal);
        CommandReport report = new();
        IEnumerable<CudaKernelInfo> loaded = [];
        if (device is CudaDevice gpu)
        {
            gpu.Preload(gpu.Files);
            loaded = [.. gpu.Files.SelectMany(file => gpu.LoadModule(file).Kernels)];
            report.Line($"device: {device.Description}", ("device", device.Description));
        }
        else
        {
            report.Line("no GPU: registers are those that the PTX has in use at once", ("device", null));
        }
        Dictionary<string, CudaKernelInfo> of = loaded.ToDictionary(k => k.Name);
        report.Table(KernelsTables.List(KernelEntry.All, of));
        report.Line($"{KernelEntry.All.Count} kernels in {CudaDevice.ModuleFiles.Count} files");
        return report;
    }

    private static CommandReport Dump(KernelsOptions o, string name, Terminal terminal)
    {
        (string file, string? kernel) = Find(name);
        CommandReport report = new();
        report.Fact("file", $"{file}{PtxExtension}");
        report.Fact("kernel", kernel);
        byte[] code;
        string? text = null;
        if (o.Cubin)
        {
            using CudaDevice gpu = OpenGpu(o, "--cubin", terminal);
            code = gpu.ImageOf(file).Bytes;
            report.Fact("device", gpu.Description);
        }
        else
        {
            text = CudaDevice.ShippedPtx(file);
            if (kernel is not null) text = KernelEntry.PtxOf(text, kernel);
            code = Encoding.UTF8.GetBytes(text);
        }
        report.Fact("bytes", code.Length);
        if (o.Out is null)
        {
            report.Plain(text!.TrimEnd());
            report.Fact("ptx", text);
            return report;
        }
        AtomicFile.Write(o.Out, stream => stream.Write(code));
        report.File(o.Cubin ? "image" : "PTX", o.Out);
        return report;
    }

    private static CommandReport Compile(KernelsOptions o, Terminal terminal)
    {
        using CudaDevice gpu = OpenGpu(o, "--compile", terminal);
        if (gpu.CacheFolder is not { } folder)
            throw new DeviceException($"--compile: {KernelCache.Variable} says that compiled kernels are kept nowhere");
        gpu.Preload([.. gpu.ScoringFiles, .. gpu.Files.Except(gpu.ScoringFiles)]);
        CommandReport report = new();
        report.Table(KernelsTables.Images([.. gpu.Files.Select(file => (file, gpu.ImageOf(file)))]));
        if (gpu.Files.FirstOrDefault(file => !gpu.IsKept(file)) is { } lost)
            throw new DeviceException($"--compile: {folder} does not take the image of {lost}{PtxExtension}");
        report.Line($"device: {gpu.Description}", ("device", gpu.Description));
        report.Line($"kept in {folder}", ("folder", folder));
        return report;
    }

    private static (string File, string? Kernel) Find(string name)
    {
        string file = name.EndsWith(PtxExtension, StringComparison.OrdinalIgnoreCase) ? name[..^PtxExtension.Length] : name;
        if (CudaDevice.ModuleFiles.FirstOrDefault(f => f == file) is { } exact) return (exact, null);
        KernelEntry? entry = KernelEntry.All.FirstOrDefault(e => e.Name == name)
            ?? KernelEntry.All.FirstOrDefault(e => TableNames.Same(name, e.Name));
        if (CudaDevice.ModuleFiles.FirstOrDefault(f => TableNames.Same(file, f)) is { } alike && entry?.Name != name) return (alike, null);
        if (entry is not null) return (entry.File, entry.Name);
        string[] names = [.. CudaDevice.ModuleFiles, .. KernelEntry.All.Select(e => e.Name)];
        throw new UsageException($"--dump {name}: there is no such kernel or file"
            + $"{(NearestName.Of(name, names) is { } near ? $"; did you mean {near}?" : "; 'gradpath kernels list' has their names.")}");
    }
}
