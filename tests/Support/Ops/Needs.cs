using Gradpath.Kernels.Cpu;

namespace Gradpath.Tests.Support.Ops;

/// <summary>What a test needs of the processor. For use in a SkippableFact or SkippableTheory.</summary>
internal static class Needs
{
    /// <summary>Skips the test where loops written for an instruction set cannot run.</summary>
    public static void InstructionSet(InstructionSet set) =>
        Skip.IfNot(set.RunsHere(),
            $"needs {set} ({set.Description()}), which this processor, or this process, lacks; it has {InstructionSets.Widest}");

    /// <summary>The matrix product's loops for vectors of a number of bits, 32 for none; skips the test where they cannot run.</summary>
    public static GemmKernel Loops(int bits)
    {
        GemmKernel kernel = bits switch
        {
            512 => GemmKernel.Bits512,
            256 => GemmKernel.Bits256,
            128 => GemmKernel.Bits128,
            _ => GemmKernel.Scalar,
        };
        InstructionSet(kernel.Needs);
        return kernel;
    }
}
