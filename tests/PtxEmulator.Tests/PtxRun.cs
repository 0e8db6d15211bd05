using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.PtxEmulator.Tests;

/// <summary>Runs hand-written PTX: a body with registers declared and arguments loaded, or a whole kernel.</summary>
internal static unsafe class PtxRun
{
    /// <summary>The start of every file.</summary>
    public const string Head = ".version 7.8\n.target sm_80\n.address_size 64\n";

    private const string Declarations = """
        .reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<32>; .reg .f32 %f<32>; .reg .b64 %rd<16>; .reg .f64 %d<16>;
        ld.param.u64 %rd0, [in]; ld.param.u64 %rd1, [out]; mov.u32 %r0, %tid.x;
        """;

    /// <summary>
    /// A kernel of two pointers around a body. %rd0 is the address of the input, %rd1 that of the output, %r0 the thread.
    /// </summary>
    public static string Kernel(string body, string declarations = "", string outside = "") =>
        $"{Head}{outside}\n.visible .entry kernel(.param .u64 in, .param .u64 out)\n{{\n{declarations}\n{Declarations}\n{body}\nret;\n}}\n";

    /// <summary>Runs a kernel of two pointers, in and out, and gives what it left in the output (zero at first).</summary>
    public static byte[] Run(
        string ptx, byte[] input, int outputBytes, int threads = 1, Grid? grid = null, int sharedBytes = 0, EmulatorOptions? options = null)
    {
        using var driver = new EmulatedDriver(options ?? new EmulatorOptions());
        nint context = driver.CreateContext(0), stream = driver.CreateStream();
        nint module = driver.LoadModule("test.ptx", System.Text.Encoding.UTF8.GetBytes(ptx));
        nint function = driver.GetFunction(module, "kernel");
        nint from = driver.Allocate(Math.Max(input.Length, 4)), to = driver.Allocate(outputBytes);
        fixed (byte* first = input) driver.CopyToDevice(from, (nint)first, input.Length, stream);
        driver.FillBytes(to, 0, outputBytes, stream);
        Launch(driver, function, grid ?? 1, threads, sharedBytes, stream, from, to);
        byte[] output = new byte[outputBytes];
        fixed (byte* first = output) driver.CopyToHost((nint)first, to, outputBytes, stream);
        driver.Synchronize(stream);
        driver.ReleaseContext(0, context);
        return output;
    }

    public static void Launch(
        ICudaDriver driver, nint function, Grid grid, int threads, int sharedBytes, nint stream, params nint[] pointers)
    {
        nint* addresses = stackalloc nint[pointers.Length];
        fixed (nint* first = pointers)
        {
            for (int i = 0; i < pointers.Length; i++) addresses[i] = (nint)(first + i);
            driver.Launch(function, grid, threads, sharedBytes, stream, new ReadOnlySpan<nint>(addresses, pointers.Length));
        }
    }

    /// <summary>The report of a run that fails.</summary>
    public static CudaException Fault(string ptx, int inputBytes = 64, int outputBytes = 1024, int threads = 1, Grid? grid = null,
        int sharedBytes = 0, EmulatorOptions? options = null) =>
        Assert.Throws<CudaException>(() => Run(ptx, new byte[inputBytes], outputBytes, threads, grid, sharedBytes, options));

    /// <summary>Runs one instruction on 32-bit operands a, b, c (%r1, %r2, %r3 or %f1, %f2, %f3); the result is %r4 or %f4.</summary>
    public static uint Word(string instruction, uint a = 0, uint b = 0, uint c = 0)
    {
        string load = string.Concat(Enumerable.Range(1, 3).Select(i =>
            $"ld.global.b32 %r{i}, [%rd0+{4 * i - 4}]; mov.b32 %f{i}, %r{i}; cvt.u16.u32 %h{i}, %r{i};\n"));
        bool isFloat = instruction.Contains("%f4", StringComparison.Ordinal), isHalf = instruction.Contains(
            "%h4", StringComparison.Ordinal);
        string store = isFloat
            ? "st.global.f32 [%rd1], %f4;"
            : isHalf ? "cvt.u32.u16 %r4, %h4; st.global.u32 [%rd1], %r4;" : "st.global.b32 [%rd1], %r4;";
        byte[] input = [.. BitConverter.GetBytes(a), .. BitConverter.GetBytes(b), .. BitConverter.GetBytes(c)];
        return BitConverter.ToUInt32(Run(Kernel($"{load}{instruction}\n{store}"), input, 4));
    }

    public static float Float(string instruction, float a = 0, float b = 0, float c = 0) =>
        BitConverter.UInt32BitsToSingle(Word(instruction, Bits(a), Bits(b), Bits(c)));

    /// <summary>Whether %p1 holds after an instruction.</summary>
    public static bool Predicate(string instruction, uint a = 0, uint b = 0, uint c = 0) =>
        Word($"{instruction} selp.u32 %r4, 1, 0, %p1;", a, b, c) == 1;

    /// <summary>Runs one instruction on 64-bit operands %rd2, %rd3, %rd4 or %d2, %d3, %d4; the result is %rd5 or %d5.</summary>
    public static ulong Long(string instruction, ulong a = 0, ulong b = 0, ulong c = 0)
    {
        string load = string.Concat(Enumerable.Range(2, 3).Select(i =>
            $"ld.global.b64 %rd{i}, [%rd0+{8 * i - 16}]; mov.b64 %d{i}, %rd{i}; cvt.u32.u64 %r{i}, %rd{i};\n"));
        string store = instruction.Contains("%d5", StringComparison.Ordinal) ? "st.global.f64 [%rd1], %d5;" : "st.global.u64 [%rd1], %rd5;";
        byte[] input = [.. BitConverter.GetBytes(a), .. BitConverter.GetBytes(b), .. BitConverter.GetBytes(c)];
        return BitConverter.ToUInt64(Run(Kernel($"{load}{instruction}\n{store}"), input, 8));
    }

    public static uint Bits(float a) => BitConverter.SingleToUInt32Bits(a);
}
