using System.Numerics;
using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Memory;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>What a warp's lanes do together.</summary>
internal sealed unsafe partial class Worker
{
    // Does what lanes wait for where all that it names have come; false if there is nothing.
    private bool Meet(int warp, int first, int end)
    {
        bool done = false;
        uint exist = end - first == Lanes ? uint.MaxValue : (1u << (end - first)) - 1;
        for (int thread = first; thread < end; thread++)
        {
            int at = _status[thread];
            if (at < 0 || !_launch.Kernel.Collectives[at].OfWarp) continue;
            uint mask = FrameOf(thread)->Exchange[KernelCompiler.MaskWord];
            if ((mask >> (thread - first) & 1) == 0) throw Fault(thread, $"the mask 0x{mask:x8} does not name the lane itself");
            uint need = mask & exist;
            bool all = true;
            for (uint rest = need; rest != 0 && all; rest &= rest - 1)
            {
                int other = first + BitOperations.TrailingZeroCount(rest);
                all = _status[other] == at && FrameOf(other)->Exchange[KernelCompiler.MaskWord] == mask;
            }
            if (!all) continue;
            Do(_launch.Kernel.Collectives[at], warp, first, need);
            for (uint rest = need; rest != 0; rest &= rest - 1) _status[first + BitOperations.TrailingZeroCount(rest)] = Ready;
            done = true;
        }
        return done;
    }

    private void Do(Collective collective, int warp, int first, uint lanes)
    {
        Tick();
        *MeetTime(warp) = _clock;
        if (_orders is not null) OrderLanes(collective, first, lanes);
        switch (collective.Kind)
        {
            case CollectiveKind.Elect:
                for (uint rest = lanes; rest != 0; rest &= rest - 1)
                {
                    int lane = BitOperations.TrailingZeroCount(rest), elected = BitOperations.TrailingZeroCount(lanes);
                    FrameOf(first + lane)->Exchange[0] = (uint)elected;
                    FrameOf(first + lane)->Exchange[1] = lane == elected ? 1u : 0u;
                }
                break;
            case CollectiveKind.StoreMatrix:
                if (lanes != uint.MaxValue) throw Fault(first, "stmatrix needs all 32 lanes");
                StoreMatrix(collective, first);
                break;
            case CollectiveKind.WarpBarrier:
                *WarpTime(warp) = _clock;
                break;
            case CollectiveKind.Shuffle:
                Shuffle(collective, first, lanes);
                break;
            case CollectiveKind.Vote:
                Vote(collective, first, lanes);
                break;
            case CollectiveKind.Reduce:
                Reduce(collective, first, lanes);
                break;
            case CollectiveKind.Match:
                Match(first, lanes);
                break;
            case CollectiveKind.Matrix:
                if (lanes != uint.MaxValue) throw Fault(first, "mma needs all 32 lanes");
                Matrices.Multiply(collective.Mode, FrameOf(first), _frameBytes, _launch.Options.TensorCores);
                CountMatrix(collective);
                break;
            default:
                if (lanes != uint.MaxValue) throw Fault(first, "ldmatrix needs all 32 lanes");
                LoadMatrix(collective, first);
                break;
        }
    }

    private void Shuffle(Collective collective, int first, uint lanes)
    {
        Span<uint> values = stackalloc uint[Lanes];
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            values[lane] = FrameOf(first + lane)->Exchange[0];
        }
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            Frame* frame = FrameOf(first + lane);
            int by = (int)(frame->Exchange[1] & 31), clamp = (int)(frame->Exchange[2] & 31), segment = (int)(frame->Exchange[2] >> 8 & 31);
            int last = (lane & segment) | (clamp & ~segment), start = lane & segment;
            int source = collective.Mode switch
            {
                "up" => lane - by,
                "down" => lane + by,
                "bfly" => lane ^ by,
                _ => start | (by & ~segment),
            };
            bool inside = collective.Mode == "up" ? source >= last : source <= last;
            if (!inside) source = lane;
            if ((lanes >> source & 1) == 0) throw Fault(first + lane, $"shfl reads lane {source}, which takes no part");
            frame->Exchange[0] = values[source];
            frame->Exchange[1] = inside ? 1u : 0u;
        }
    }

    private void Vote(Collective collective, int first, uint lanes)
    {
        uint ballot = 0;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            if (FrameOf(first + lane)->Exchange[0] != 0) ballot |= 1u << lane;
        }
        uint result = collective.Mode switch
        {
            "ballot" => ballot,
            "all" => ballot == lanes ? 1u : 0u,
            "any" => ballot != 0 ? 1u : 0u,
            _ => ballot == 0 || ballot == lanes ? 1u : 0u,
        };
        Give(first, lanes, result);
    }

    private void Reduce(Collective collective, int first, uint lanes)
    {
        uint? result = null;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            uint value = FrameOf(first + BitOperations.TrailingZeroCount(rest))->Exchange[0];
            result = result is not { } sum ? value : collective.Mode switch
            {
                "add.s" or "add.u" => sum + value,
                "min.s" => (uint)Math.Min((int)sum, (int)value),
                "max.s" => (uint)Math.Max((int)sum, (int)value),
                "min.u" => Math.Min(sum, value),
                "max.u" => Math.Max(sum, value),
                "and.u" => sum & value,
                "or.u" => sum | value,
                _ => sum ^ value,
            };
        }
        Give(first, lanes, result!.Value);
    }

    private void Match(int first, uint lanes)
    {
        Span<uint> values = stackalloc uint[Lanes];
        for (int lane = 0; lane < Lanes; lane++)
        {
            if ((lanes >> lane & 1) != 0) values[lane] = FrameOf(first + lane)->Exchange[0];
        }
        for (int lane = 0; lane < Lanes; lane++)
        {
            if ((lanes >> lane & 1) == 0) continue;
            uint same = 0;
            for (int other = 0; other < Lanes; other++)
            {
                if ((lanes >> other & 1) != 0 && values[other] == values[lane]) same |= 1u << other;
            }
            FrameOf(first + lane)->Exchange[0] = same;
        }
    }

    private void Give(int first, uint lanes, uint value)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1) FrameOf(first + BitOperations.TrailingZeroCount(rest))->Exchange[0] = value;
    }

    // Lanes 8 m to 8 m + 7 give the addresses of matrix m's rows; lane l gets of each matrix the pair (l / 4, 2 (l % 4)), transposed
    // where asked for.
    private void LoadMatrix(Collective collective, int first)
    {
        int count = collective.Mode[0] - '0', line = collective.Instruction.Line;
        bool transpose = collective.Mode.EndsWith('t');
        ushort* values = stackalloc ushort[256];
        for (int row = 0; row < count * 8; row++)
        {
            Frame* frame = FrameOf(first + row);
            CurrentThread = first + row;
            ulong address = *(ulong*)frame->Exchange;
            RecordLoadMatrix(collective, frame, address);
            Buffer.MemoryCopy(Access.LoadShared(frame, address, 16, line), values + (row * 8), 16, 16);
        }
        for (int lane = 0; lane < Lanes; lane++)
        {
            Frame* frame = FrameOf(first + lane);
            int row = lane / 4, column = lane % 4 * 2;
            for (int m = 0; m < count; m++)
            {
                ushort* matrix = values + (m * 64);
                uint low = transpose ? matrix[(column * 8) + row] : matrix[(row * 8) + column];
                uint high = transpose ? matrix[((column + 1) * 8) + row] : matrix[(row * 8) + column + 1];
                frame->Exchange[m] = low | (high << 16);
            }
        }
        EndTrace();
    }

    // The reverse: lane l gives of each matrix the pair (l / 4, 2 (l % 4)), or transposed (2 (l % 4), l / 4) and the one below.
    private void StoreMatrix(Collective collective, int first)
    {
        int count = collective.Mode[0] - '0', line = collective.Instruction.Line;
        bool transpose = collective.Mode.EndsWith('t');
        ushort* values = stackalloc ushort[256];
        for (int lane = 0; lane < Lanes; lane++)
        {
            for (int m = 0; m < count; m++)
            {
                uint pair = FrameOf(first + lane)->Exchange[2 + m];
                int row = lane / 4, column = lane % 4 * 2;
                ushort* matrix = values + (m * 64);
                matrix[transpose ? (column * 8) + row : (row * 8) + column] = (ushort)pair;
                matrix[transpose ? ((column + 1) * 8) + row : (row * 8) + column + 1] = (ushort)(pair >> 16);
            }
        }
        for (int row = 0; row < count * 8; row++)
        {
            Frame* frame = FrameOf(first + row);
            CurrentThread = first + row;
            ulong address = *(ulong*)frame->Exchange;
            RecordLoadMatrix(collective, frame, address);
            Buffer.MemoryCopy(values + (row * 8), Access.StoreShared(frame, address, 16, line), 16, 16);
        }
        EndTrace();
    }
}
