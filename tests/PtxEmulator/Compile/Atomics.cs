namespace Gradpath.PtxEmulator.Compile;

/// <summary>Atomic operations; each returns what was there before. Blocks may run on several host threads.</summary>
internal static unsafe class Atomics
{
    public static int Add32(int* at, int value) => Interlocked.Add(ref *at, value) - value;

    public static long Add64(long* at, long value) => Interlocked.Add(ref *at, value) - value;

    public static float AddF(float* at, float value)
    {
        while (true)
        {
            float old = Volatile.Read(ref *at);
            int before = BitConverter.SingleToInt32Bits(old);
            if (Interlocked.CompareExchange(ref *(int*)at, BitConverter.SingleToInt32Bits(old + value), before) == before) return old;
        }
    }

    public static double AddD(double* at, double value)
    {
        while (true)
        {
            double old = Volatile.Read(ref *at);
            long before = BitConverter.DoubleToInt64Bits(old);
            if (Interlocked.CompareExchange(ref *(long*)at, BitConverter.DoubleToInt64Bits(old + value), before) == before) return old;
        }
    }

    public static int MinS32(int* at, int value) => Change(at, value, Math.Min);

    public static int MaxS32(int* at, int value) => Change(at, value, Math.Max);

    public static int MinU32(int* at, int value) => Change(at, value, (a, b) => (int)Math.Min((uint)a, (uint)b));

    public static int MaxU32(int* at, int value) => Change(at, value, (a, b) => (int)Math.Max((uint)a, (uint)b));

    public static long MinS64(long* at, long value) => Change(at, value, Math.Min);

    public static long MaxS64(long* at, long value) => Change(at, value, Math.Max);

    public static long MinU64(long* at, long value) => Change(at, value, (a, b) => (long)Math.Min((ulong)a, (ulong)b));

    public static long MaxU64(long* at, long value) => Change(at, value, (a, b) => (long)Math.Max((ulong)a, (ulong)b));

    public static int Inc32(int* at, int value) => Change(at, value, (a, b) => (uint)a >= (uint)b ? 0 : a + 1);

    public static int Dec32(int* at, int value) => Change(at, value, (a, b) => a == 0 || (uint)a > (uint)b ? b : a - 1);

    public static int And32(int* at, int value) => Interlocked.And(ref *at, value);

    public static long And64(long* at, long value) => Interlocked.And(ref *at, value);

    public static int Or32(int* at, int value) => Interlocked.Or(ref *at, value);

    public static long Or64(long* at, long value) => Interlocked.Or(ref *at, value);

    public static int Xor32(int* at, int value) => Change(at, value, (a, b) => a ^ b);

    public static long Xor64(long* at, long value) => Change(at, value, (a, b) => a ^ b);

    public static int Exchange32(int* at, int value) => Interlocked.Exchange(ref *at, value);

    public static long Exchange64(long* at, long value) => Interlocked.Exchange(ref *at, value);

    public static int Swap32(int* at, int comparand, int value) => Interlocked.CompareExchange(ref *at, value, comparand);

    public static long Swap64(long* at, long comparand, long value) => Interlocked.CompareExchange(ref *at, value, comparand);

    private static int Change(int* at, int value, Func<int, int, int> operation)
    {
        while (true)
        {
            int old = Volatile.Read(ref *at);
            if (Interlocked.CompareExchange(ref *at, operation(old, value), old) == old) return old;
        }
    }

    private static long Change(long* at, long value, Func<long, long, long> operation)
    {
        while (true)
        {
            long old = Volatile.Read(ref *at);
            if (Interlocked.CompareExchange(ref *at, operation(old, value), old) == old) return old;
        }
    }
}
