using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Gives registers their places in a thread's frame; those that are never needed at once may share one.</summary>
internal static class RegisterLayout
{
    /// <summary>Places a kernel's registers.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="start">Where they begin.</param>
    /// <param name="inFlight">Registers that asynchronous products keep in use; null where there are none.</param>
    /// <returns>Bytes of the frame, and the most 32-bit registers in use at once.</returns>
    public static (int Bytes, int Live) Place(PtxKernel kernel, int start, InFlight? inFlight)
    {
        if (kernel.Instructions.Count == 0) return (start, 0);
        var liveness = new Liveness(kernel, inFlight);
        int end = start;
        // Places in use, by when they come free; those of four and of eight bytes are kept apart.
        var busy = new PriorityQueue<Register, int>();
        Stack<int> narrow = [], wide = [];
        foreach ((Register register, (int first, int last)) in liveness.Ranges.OrderBy(r => r.Value.First))
        {
            while (busy.TryPeek(out Register? done, out int until) && until < first)
            {
                busy.Dequeue();
                (done.Type.IsWide() ? wide : narrow).Push(done.Offset);
            }
            if ((register.Type.IsWide() ? wide : narrow).TryPop(out int place))
            {
                register.Offset = place;
            }
            else
            {
                if (register.Type.IsWide()) end = (end + 7) / 8 * 8;
                register.Offset = end;
                end += register.Type.IsWide() ? 8 : 4;
            }
            busy.Enqueue(register, last);
        }
        return (end, liveness.Most);
    }
}
