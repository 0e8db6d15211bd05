using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Memory;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Which state space a generic address lies in.</summary>
internal static unsafe class Addresses
{
    public static bool IsGlobal(Frame* frame, ulong address) => address - Arena.Base - Arena.GlobalStart < Arena.GlobalBytes;

    public static bool IsShared(Frame* frame, ulong address) => address - frame->SharedBase < Arena.SharedWindow;

    public static bool IsLocal(Frame* frame, ulong address) => address - frame->LocalBase < (ulong)frame->LocalBytes;
}
