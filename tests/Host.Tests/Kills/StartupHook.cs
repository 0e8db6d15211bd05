using System.Diagnostics.CodeAnalysis;
using Gradpath.Host.Tests;

/// <summary>
/// What .NET runs in a child process before the program, where <c>DOTNET_STARTUP_HOOKS</c> names this assembly: the tests' way into a
/// process that they are about to kill. The shipped program knows nothing of it.
/// </summary>
[SuppressMessage("Design", "CA1050:Declare types in namespaces", Justification = ".NET looks for this name without one.")]
internal static class StartupHook
{
    /// <summary>Called by .NET.</summary>
    public static void Initialize()
    {
        KillPoint.Arm();
        EmulatedProcess.Arm();
        SweepChild.Shorten();
        SweepChild.Arm();
    }
}
