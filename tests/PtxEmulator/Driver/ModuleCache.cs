using System.Collections.Concurrent;
using System.Text;
using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator;

/// <summary>A PTX file read and made into code.</summary>
internal sealed record CompiledModule(PtxModule Ptx, Dictionary<string, CompiledKernel> Kernels);

/// <summary>Keeps compiled modules for the life of the process: every test opens a driver of its own and loads the same files.</summary>
internal static class ModuleCache
{
    private static readonly ConcurrentDictionary<(string Text, bool Count, bool Fuse), Lazy<CompiledModule>> Modules = new();

    /// <exception cref="PtxException">The file cannot be read or has an instruction that is not emulated.</exception>
    public static CompiledModule Get(ReadOnlySpan<byte> ptx, bool count, bool fuse = false)
    {
        string text = Encoding.UTF8.GetString(ptx).TrimEnd('\0');
        return Modules.GetOrAdd((text, count, fuse), key => new(() => Compile(key.Text, key.Count, key.Fuse))).Value;
    }

    private static CompiledModule Compile(string text, bool count, bool fuse)
    {
        PtxModule module = PtxParser.Parse(text);
        if (fuse) module.Kernels.ForEach(k => Contraction.Apply(k));
        return new(module, module.Kernels.ToDictionary(k => k.Name, k => KernelCompiler.Compile(k, count)));
    }
}
