using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator;

namespace Gradpath.Host.Tests;

/// <summary>The program as a process of its own, in which an emulator is the GPU.</summary>
internal static class EmulatedProcess
{
    private const string Variable = "GRADPATH_TEST_EMULATOR";

    /// <summary>Lines of a shell script that start the program with the script's arguments.</summary>
    /// <param name="emulated">Whether an emulator is the GPU; else there is what the machine has.</param>
    public static string Script(bool emulated)
    {
        (string file, IReadOnlyList<string> first) = (Environment.ProcessPath!, ["exec", typeof(SweepProcesses).Assembly.Location]);
        string hook = emulated ? $"export {Variable}=1 DOTNET_STARTUP_HOOKS='{typeof(EmulatedProcess).Assembly.Location}'\n" : "";
        return $"{hook}exec '{file}' {string.Join(' ', first.Select(f => $"'{f}'"))} \"$@\"\n";
    }

    /// <summary>In the child: puts the emulator in the driver's place where the variable says so.</summary>
    public static void Arm()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null) return;
        string folder = Path.GetDirectoryName(typeof(EmulatedProcess).Assembly.Location)!;
        AssemblyLoadContext.Default.Resolving += (context, name) =>
        {
            string path = Path.Combine(folder, $"{name.Name}.dll");
            return File.Exists(path) ? context.LoadFromAssemblyPath(path) : null;
        };
        Emulate();
    }

    // Apart, so that nothing of the emulator is looked for before.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Emulate()
    {
        EmulatedDriver driver = new(new EmulatorOptions { Races = false });
        CudaDrivers.Replace(() => driver);
    }
}
