using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Commands;

/// <summary>A folder of edited PTX files.</summary>
/// <param name="Path">The folder.</param>
internal sealed record PtxFolder(string Path)
{
    private const string Pattern = "*.ptx";

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Checks a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="UsageException">It is not there, or its files are of other names.</exception>
    public static PtxFolder Open(string path)
    {
        string[] files = Directory.Exists(path)
            ? [.. Directory.GetFiles(path, Pattern).Select(f => System.IO.Path.GetFileNameWithoutExtension(f)!)]
            : throw new UsageException($"--watch {path}: there is no such folder.");
        if (files.Length == 0)
        {
            throw new UsageException(
                $"--watch {path}: it has no PTX file; 'gradpath kernels dump Rows --out {path}/Rows.ptx' puts one there.");
        }
        if (files.Except(CudaDevice.ModuleFiles).FirstOrDefault() is { } other)
        {
            throw new UsageException(
                $"--watch {path}: {other}.ptx: {TableNames.Unknown("file of kernels", other, [.. CudaDevice.ModuleFiles])}.");
        }
        return new PtxFolder(path);
    }

    /// <summary>The files with their times and sizes.</summary>
    public string State() => string.Join('\n', new DirectoryInfo(Path).GetFiles(Pattern).OrderBy(f => f.Name, StringComparer.Ordinal)
        .Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Name} {f.LastWriteTimeUtc.Ticks} {f.Length}")));

    /// <summary>Waits until a file changes, or until the command is stopped.</summary>
    /// <param name="seen">The state that has been seen.</param>
    /// <param name="cancellation">Stops it.</param>
    public void WaitForChange(string seen, CancellationToken cancellation)
    {
        while (State() == seen)
        {
            if (cancellation.WaitHandle.WaitOne(s_pause)) return;
        }
    }
}
