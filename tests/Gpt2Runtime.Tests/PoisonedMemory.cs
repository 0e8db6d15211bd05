using System.Runtime.CompilerServices;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>Memory that is allocated without being cleared is full of NaN in this project's tests: a result that reads it shows.</summary>
internal static class PoisonedMemory
{
    [ModuleInitializer]
    internal static void Use() => Device.PoisonsMemory = true;
}
