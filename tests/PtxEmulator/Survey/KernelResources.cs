using Gradpath.Diagnostics.KernelRuns;

namespace Gradpath.PtxEmulator.Survey;

/// <summary>What a kernel is, from its PTX alone.</summary>
/// <param name="File">The PTX file.</param>
/// <param name="Name">The entry point.</param>
/// <param name="Registers">Values alive at once, in 32-bit registers, as <see cref="LiveRegisters"/> counts them.</param>
/// <param name="Threads">Threads of a block by its launch bounds; 0 where it has none.</param>
/// <param name="Blocks">Blocks that its launch bounds promise a multiprocessor.</param>
/// <param name="StaticSharedBytes">Shared memory that it declares.</param>
internal sealed record KernelResources(string File, string Name, int Registers, int Threads, int Blocks, int StaticSharedBytes);
