using System.Numerics;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Whole number instructions that IL has no equal of.</summary>
internal static class Integers
{
    // A division by zero has no stated result; the hardware's is all ones.
    public static int DivS32(int a, int b) => b == 0 ? -1 : b == -1 ? -a : a / b;

    public static uint DivU32(uint a, uint b) => b == 0 ? uint.MaxValue : a / b;

    public static long DivS64(long a, long b) => b == 0 ? -1 : b == -1 ? -a : a / b;

    public static ulong DivU64(ulong a, ulong b) => b == 0 ? ulong.MaxValue : a / b;

    public static int RemS32(int a, int b) => b == 0 ? a : b == -1 ? 0 : a % b;

    public static uint RemU32(uint a, uint b) => b == 0 ? a : a % b;

    public static long RemS64(long a, long b) => b == 0 ? a : b == -1 ? 0 : a % b;

    public static ulong RemU64(ulong a, ulong b) => b == 0 ? a : a % b;

    public static int MinS32(int a, int b) => Math.Min(a, b);

    public static uint MinU32(uint a, uint b) => Math.Min(a, b);

    public static long MinS64(long a, long b) => Math.Min(a, b);

    public static ulong MinU64(ulong a, ulong b) => Math.Min(a, b);

    public static int MaxS32(int a, int b) => Math.Max(a, b);

    public static uint MaxU32(uint a, uint b) => Math.Max(a, b);

    public static long MaxS64(long a, long b) => Math.Max(a, b);

    public static ulong MaxU64(ulong a, ulong b) => Math.Max(a, b);

    public static int Abs32(int a) => a < 0 ? -a : a;

    public static long Abs64(long a) => a < 0 ? -a : a;

    public static uint SadS32(int a, int b) => (uint)Math.Abs((long)a - b);

    public static uint SadU32(uint a, uint b) => a > b ? a - b : b - a;

    public static ulong SadS64(long a, long b) => a > b ? (ulong)a - (ulong)b : (ulong)b - (ulong)a;

    public static ulong SadU64(ulong a, ulong b) => a > b ? a - b : b - a;

    public static int AddSaturated(int a, int b) => (int)Math.Clamp((long)a + b, int.MinValue, int.MaxValue);

    public static int SubSaturated(int a, int b) => (int)Math.Clamp((long)a - b, int.MinValue, int.MaxValue);

    public static int MulHighS32(int a, int b) => (int)(((long)a * b) >> 32);

    public static uint MulHighU32(uint a, uint b) => (uint)(((ulong)a * b) >> 32);

    public static long MulHighS64(long a, long b) => Math.BigMul(a, b, out _);

    public static ulong MulHighU64(ulong a, ulong b) => Math.BigMul(a, b, out _);

    // Shifts by the width or more leave zero, or copies of the sign.
    public static int Shl32(int a, uint by) => by > 31 ? 0 : a << (int)by;

    public static long Shl64(long a, uint by) => by > 63 ? 0 : a << (int)by;

    public static uint ShrU32(uint a, uint by) => by > 31 ? 0 : a >> (int)by;

    public static ulong ShrU64(ulong a, uint by) => by > 63 ? 0 : a >> (int)by;

    public static int ShrS32(int a, uint by) => a >> (int)Math.Min(by, 31);

    public static long ShrS64(long a, uint by) => a >> (int)Math.Min(by, 63);

    public static uint FunnelLeftClamp(uint low, uint high, uint by) => Funnel(low, high, 32 - Math.Min(by, 32));

    public static uint FunnelLeftWrap(uint low, uint high, uint by) => Funnel(low, high, 32 - (by & 31));

    public static uint FunnelRightClamp(uint low, uint high, uint by) => Funnel(low, high, Math.Min(by, 32));

    public static uint FunnelRightWrap(uint low, uint high, uint by) => Funnel(low, high, by & 31);

    private static uint Funnel(uint low, uint high, uint right) => (uint)((((ulong)high << 32) | low) >> (int)right);

    public static uint Lop3(uint a, uint b, uint c, int table)
    {
        uint result = 0;
        if ((table & 0x01) != 0) result |= ~a & ~b & ~c;
        if ((table & 0x02) != 0) result |= ~a & ~b & c;
        if ((table & 0x04) != 0) result |= ~a & b & ~c;
        if ((table & 0x08) != 0) result |= ~a & b & c;
        if ((table & 0x10) != 0) result |= a & ~b & ~c;
        if ((table & 0x20) != 0) result |= a & ~b & c;
        if ((table & 0x40) != 0) result |= a & b & ~c;
        if ((table & 0x80) != 0) result |= a & b & c;
        return result;
    }

    public static uint Permute(uint a, uint b, uint selector)
    {
        ulong bytes = ((ulong)b << 32) | a;
        uint result = 0;
        for (int i = 0; i < 4; i++)
        {
            int select = (int)(selector >> (4 * i)) & 15;
            uint value = (uint)(bytes >> (8 * (select & 7))) & 0xFF;
            if ((select & 8) != 0) value = (value & 0x80) != 0 ? 0xFFu : 0;
            result |= value << (8 * i);
        }
        return result;
    }

    public static uint ExtractU32(uint a, uint position, uint length) => (uint)ExtractU64(a, position & 255, length & 255);

    public static ulong ExtractU64(ulong a, uint position, uint length)
    {
        position &= 255;
        length &= 255;
        if (length == 0 || position > 63) return 0;
        a >>= (int)position;
        return length > 63 ? a : a & ((1UL << (int)length) - 1);
    }

    public static int ExtractS32(int a, uint position, uint length) => (int)ExtractSigned(a, position & 255, length & 255, 31);

    public static long ExtractS64(long a, uint position, uint length) => ExtractSigned(a, position & 255, length & 255, 63);

    // Above the top bit stands the sign of the field's last bit, or of the operand's where the field goes beyond.
    private static long ExtractSigned(long a, uint position, uint length, uint top)
    {
        if (length == 0) return 0;
        long sign = (a >> (int)Math.Min(position + length - 1, top)) & 1;
        long result = 0;
        for (uint i = 0; i <= top; i++)
        {
            long bit = i < length && position + i <= top ? (a >> (int)(position + i)) & 1 : sign;
            result |= bit << (int)i;
        }
        return top == 31 ? (int)result : result;
    }

    public static uint Insert32(uint a, uint b, uint position, uint length) => (uint)Insert(a, b, position, length, 32);

    public static ulong Insert64(ulong a, ulong b, uint position, uint length) => Insert(a, b, position, length, 64);

    private static ulong Insert(ulong a, ulong b, uint position, uint length, uint width)
    {
        position &= 255;
        length &= 255;
        for (uint i = 0; i < length && position + i < width; i++)
        {
            ulong bit = 1UL << (int)(position + i);
            b = ((a >> (int)i) & 1) != 0 ? b | bit : b & ~bit;
        }
        return b;
    }

    public static uint Reverse32(uint a)
    {
        uint result = 0;
        for (int i = 0; i < 32; i++) result |= ((a >> i) & 1) << (31 - i);
        return result;
    }

    public static ulong Reverse64(ulong a) => ((ulong)Reverse32((uint)a) << 32) | Reverse32((uint)(a >> 32));

    public static uint PopCount32(uint a) => (uint)BitOperations.PopCount(a);

    public static uint PopCount64(ulong a) => (uint)BitOperations.PopCount(a);

    public static uint LeadingZeros32(uint a) => (uint)BitOperations.LeadingZeroCount(a);

    public static uint LeadingZeros64(ulong a) => (uint)BitOperations.LeadingZeroCount(a);

    /// <summary>The place of the highest bit that differs from the sign, all ones if there is none.</summary>
    public static uint FindU32(uint a) => a == 0 ? uint.MaxValue : 31 - (uint)BitOperations.LeadingZeroCount(a);

    public static uint FindS32(int a) => FindU32((uint)(a < 0 ? ~a : a));

    public static uint FindU64(ulong a) => a == 0 ? uint.MaxValue : 63 - (uint)BitOperations.LeadingZeroCount(a);

    public static uint FindS64(long a) => FindU64((ulong)(a < 0 ? ~a : a));

    public static int LaneMaskEqual(int lane) => 1 << lane;

    public static int LaneMaskLess(int lane) => (1 << lane) - 1;

    public static int LaneMaskLessEqual(int lane) => (int)(uint)((2UL << lane) - 1);

    public static int LaneMaskGreater(int lane) => ~LaneMaskLessEqual(lane);

    public static int LaneMaskGreaterEqual(int lane) => ~LaneMaskLess(lane);
}
