using System.Diagnostics;

namespace Gradpath.Cuda.Tests.Driver;

/// <summary>Shared libraries made from the C files beside the tests with the machine's own compiler.</summary>
internal static class CompiledC
{
    /// <summary>Compiles a library.</summary>
    /// <param name="source">Name of the file.</param>
    /// <param name="reason">Why it could not be compiled.</param>
    /// <returns>Its path, in a folder of its own that the caller deletes; null where there is no compiler.</returns>
    public static string? Build(string source, out string reason)
    {
        reason = "";
        if (!OperatingSystem.IsLinux())
        {
            reason = $"{source} is compiled on Linux only";
            return null;
        }
        string library = Path.Combine(Directory.CreateTempSubdirectory("gradpath-compiled").FullName, "lib.so");
        foreach (string compiler in new[] { "cc", "gcc", "clang", "clang-19" })
        {
            try
            {
                using Process process = Process.Start(
                    new ProcessStartInfo(
                        compiler, ["-shared", "-fPIC", "-w", "-o", library, Path.Combine(AppContext.BaseDirectory, "Driver", source)]))!;
                process.WaitForExit();
                if (process.ExitCode == 0) return library;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // Not installed; the next one may be.
            }
        }
        Directory.Delete(Path.GetDirectoryName(library)!, recursive: true);
        reason = $"no C compiler (cc, gcc, clang): {source} cannot be built";
        return null;
    }
}
