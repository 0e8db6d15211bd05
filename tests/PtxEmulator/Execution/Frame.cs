using System.Runtime.InteropServices;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>What compiled code sees of one thread. The thread's registers follow it in memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Frame
{
    /// <summary>Words that a collective takes from and gives to a thread.</summary>
    public const int ExchangeWords = 24;

    /// <summary>The arena's data, states and stamps; the stamps are null where races are not looked for.</summary>
    public byte* Data;
    public byte* State;
    public ulong* Stamps;

    /// <summary>Device addresses of the block's shared memory, the thread's local memory and the module's variables.</summary>
    public ulong SharedBase;
    public ulong LocalBase;
    public ulong ModuleBase;

    /// <summary>The arguments of the launch.</summary>
    public byte* Parameters;

    /// <summary>The block's clock at its last barrier.</summary>
    public ulong* BarrierTime;

    /// <summary>The block's clock at the warp's last bar.warp.sync or barrier.</summary>
    public ulong* WarpTime;

    /// <summary>The block's clock at the last meeting of the warp's lanes, shfl and the like included.</summary>
    public ulong* MeetTime;

    /// <summary>Launch, block and thread as they stand in stamps.</summary>
    public ulong Identity;

    /// <summary>By block, the time before which its writes are ordered before this block's accesses; null where nothing is. It holds for
    /// the thread that acquired it, and for others behind a barrier after that.</summary>
    public ulong* Ordered;
    public ulong AcquiredAt;
    public int AcquiredBy;

    /// <summary>Whether the thread has met an atomic operation since its last fence, and the block's barrier before that fence.</summary>
    public int Acquires;
    public ulong Released;

    /// <summary>What is known of the block's shared memory; null where its barriers tell enough or races are not looked for.</summary>
    public Memory.WatchState* Watch;

    /// <summary>Instructions run, and the count at which the thread lets others go on.</summary>
    public long Instructions;
    public long YieldAt;

    /// <summary>Where the thread goes on.</summary>
    public int Resume;

    /// <summary>The dynamic shared memory's and the whole shared memory's size, and the size of local memory.</summary>
    public int DynamicSharedBytes;
    public int SharedBytes;
    public int LocalBytes;

    public int TidX;
    public int TidY;
    public int TidZ;
    public int NTidX;
    public int NTidY;
    public int NTidZ;
    public int CtaX;
    public int CtaY;
    public int CtaZ;
    public int NCtaX;
    public int NCtaY;
    public int NCtaZ;
    public int Lane;
    public int Warp;
    public int Thread;
    public int Pad;
    public fixed uint Exchange[ExchangeWords];
}
