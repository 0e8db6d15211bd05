using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;

namespace Gradpath.Diagnostics.Tests.Ops;

/// <summary>
/// Every op in every way of calling it, with one operand after the other made unfit: missing, disposed of, another device's, one element
/// too short, over another operand, a number out of bounds. Each call must end with the right kind of exception, on the processor and on
/// the GPU. An op that has no row in the catalog fails <see cref="OpCatalogTests"/>.
/// </summary>
public sealed class UnfitOperandsTests
{
    // A case with extents that are neither 1 nor all the same.
    private const int Seed = 26;

    // Counts and places, which may be 0; the op then does less, or nothing.
    private static readonly string[] s_mayBeZero =
    [
        "function", "count", "rows", "length", "size", "writers", "readers", "inputs", "cotangents", "contributingRows", "clearedRows",
        "WeightedRowSums.items",
        "sourceOffset", "targetOffset", "outputRow", "firstPoint", "firstElement", "Offset", "Rows", "Columns", "First", "Points",
        "FinishReaders.blocks.Readers", "blocks", "Layers", "SumsStride", "StandardizedStride", "FirstPoint",
        "Listed", "Copies", "Slots", "Count", "MostA", "MostB", "MostC", "Edges", "Gates", "Batch", "StepA", "StepB", "StepC",
    ];

    // Divisors and the like, of which every number from 1 on is fit.
    private static readonly string[] s_unbounded =
    [
        "AccumulateReaders.points.Readers.Width", "constraints.Edges", "constraints.Gates",
    ];

    // What else an op reads says how much of these is needed, and here that is nothing.
    private static readonly string[] s_notReadWithoutGates = ["layout.GateOf", "layout.GateStart"];

    public static TheoryData<string, string> Calls
    {
        get
        {
            TheoryData<string, string> calls = [];
            foreach (string device in (string[])["cpu", "cuda"])
            {
                foreach (OpCheck check in OpCatalog.Checks) calls.Add(device, check.Op);
            }
            return calls;
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public void Unfit_operands_are_refused(string deviceName, string check)
    {
        using Device device = Open(deviceName), other = Open(deviceName);
        (OpRow op, OpCase way) = Find(check);
        using OpInvocation call = new(device, way, Seed);
        Assert.Null(call.Call());
        int refused = 0;

        void Refuses<T>(OpOperand operand, string what, object? value)
            where T : Exception
        {
            Exception? e = call.Call((operand, value));
            Assert.True(e is T, $"{operand.Name} {what} ends with {e?.GetType().Name ?? "nothing"}: {e?.Message}");
            Assert.StartsWith($"{op.Name}: ", e!.Message, StringComparison.Ordinal);
            refused++;
        }

        foreach (OpOperand operand in call.Operands)
        {
            switch (operand.Value)
            {
                case DeviceMemory memory:
                    if (!operand.MayBeMissing) Refuses<ArgumentNullException>(operand, "that is missing", null);
                    Refuses<ObjectDisposedException>(operand, "that has been disposed of", DisposedOf(Like(device, memory, memory.Length)));
                    Refuses<ObjectDisposedException>(operand, "whose whole has been disposed of", PartOfDisposed(device, memory));
                    using (DeviceMemory elsewhere = Like(other, memory, memory.Length))
                    {
                        Refuses<ArgumentException>(operand, "of another device", elsewhere);
                    }
                    if (IsNeeded(call, operand))
                    {
                        Refuses<ArgumentException>(operand, "that is too short", Part(memory, 0, memory.Length - 1));
                    }
                    break;
                case SequenceLayout:
                    Refuses<ArgumentNullException>(operand, "that is missing", null);
                    Refuses<ObjectDisposedException>(operand, "that has been disposed of", DisposedOf(new SequenceLayout(device, [1])));
                    using (SequenceLayout elsewhere = new(other, [1])) Refuses<ArgumentException>(operand, "of another device", elsewhere);
                    break;
                case var _ when operand.IsNumber:
                    Refuses<ArgumentException>(operand, "of -1", -1);
                    if (IsBounded(call, op, operand)) Refuses<ArgumentException>(operand, "of the largest int", int.MaxValue);
                    if (!MayBeZero(call, op, operand)) Refuses<ArgumentException>(operand, "of 0", 0);
                    else Assert.True(call.Call((operand, 0)) is null or ArgumentException, $"{operand.Name} of 0");
                    break;
            }
        }
        Assert.InRange(refused, 6, 200);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public void Results_over_other_operands_are_refused(string deviceName, string check)
    {
        using Device device = Open(deviceName);
        (OpRow op, OpCase way) = Find(check);
        using OpInvocation call = new(device, way, Seed);
        OpOperand[] floats = [.. call.Operands.Where(o => o.Value is DeviceArray<float> { Length: > 0 })];
        foreach (OpOperand output in floats.Where(o => op.Writes.Any(w => o.Name == w || o.Name == $"{w}.Storage")))
        {
            foreach (OpOperand operand in floats.Where(o => o != output))
            {
                // The factors of a product of depth 0 have no elements.
                if (way.Special == "depth 0" && operand.Name != "options.Bias") continue;
                long length = ((DeviceMemory)output.Value).Length, others = ((DeviceMemory)operand.Value).Length;
                int first = FirstElement(call, output), otherFirst = FirstElement(call, operand);
                using Tensor common = device.AllocateZeros(checked((int)(first + otherFirst + Math.Max(length, others) + 1)));
                Exception? e = call.Call((output, common.Slice(otherFirst, (int)length)), (operand, common.Slice(first, (int)others)));
                if (op.MayWriteTo.Contains(operand.Name))
                {
                    Assert.Null(e);
                    if (length <= 1) continue;
                    e = call.Call((output, common.Slice(otherFirst + 1, (int)length)), (operand, common.Slice(first, (int)others)));
                }
                Assert.True(
                    e is ArgumentException, $"{output.Name} over {operand.Name} ends with {e?.GetType().Name ?? "nothing"}: {e?.Message}");
                Assert.Contains("shares memory with", e!.Message, StringComparison.Ordinal);
            }
        }
        Assert.Equal(
            op.Writes.Length > 0,
            call.Operands.Any(o => op.Writes.Any(w => o.Name == w || o.Name == $"{w}.Storage"))
                || way.Special.Contains("without gradient", StringComparison.Ordinal));
    }

    /// <summary>What once ended the process.</summary>
    [Theory]
    [InlineData("cpu")]
    [InlineData("cuda")]
    public void A_fill_and_a_combination_beyond_their_tensors_are_refused(string deviceName)
    {
        using Device device = Open(deviceName);
        using Tensor four = device.Allocate(4), other = device.Allocate(4);
        Assert.StartsWith(
            "Fill: target has 4 elements, 64 are needed",
            Assert.Throws<ArgumentException>(() => device.Fill(four, 7, 64)).Message,
            StringComparison.Ordinal);
        Assert.StartsWith(
            "Combine: a has 4 elements, 100000000 are needed",
            Assert.Throws<ArgumentException>(() => device.Combine(1, four, 1, other, 100_000_000, four)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("cuda")]
    public void A_device_that_has_been_disposed_of_does_nothing(string deviceName)
    {
        Device device = Open(deviceName);
        Tensor tensor = device.Allocate(4);
        device.Dispose();
        device.Dispose();
        Assert.Throws<ObjectDisposedException>(() => device.Fill(tensor, 1, 4));
        Assert.Throws<ObjectDisposedException>(() => tensor.ToArray());
        Assert.Throws<ObjectDisposedException>(() => tensor.Upload([1]));
        Assert.Throws<ObjectDisposedException>(() => device.Allocate(1));
        Assert.Throws<ObjectDisposedException>(() => device.PlannedBytes(() => { }));
        Assert.Throws<ObjectDisposedException>(() => { using RunLease lease = device.EnterRun(); });
        tensor.Dispose();
    }

    private static Device Open(string name) =>
        name == "cpu" ? new CpuDevice(1) : new CudaDevice(new EmulatedDriver(new EmulatorOptions { Races = false }), 0);

    private static (OpRow Op, OpCase Way) Find(string check) =>
        OpCatalog.All.SelectMany(op => op.Cases.Select(way => (op, way))).Single(p => p.way.Check(p.op.Family, p.op.Name).Op == check);

    // Names stand for themselves, for a field of any operand, or for an operand of one op.
    private static bool Is(string[] names, OpRow op, OpOperand operand) =>
        names.Any(n => operand.Name == n || operand.Name.EndsWith($".{n}", StringComparison.Ordinal) || $"{op.Name}.{operand.Name}" == n);

    private static bool MayBeZero(OpInvocation call, OpRow op, OpOperand operand) => Is(s_mayBeZero, op, operand)
        || (operand.Name is "a.Stride" or "b.Stride"
            && call.Number(operand.Name.Replace("Stride", "Columns", StringComparison.Ordinal)) == 0);

    // Where a matrix begins in its storage.
    private static int FirstElement(OpInvocation call, OpOperand operand) =>
        operand.Name.EndsWith(".Storage", StringComparison.Ordinal)
            ? (int)call.Number(operand.Name.Replace("Storage", "Offset", StringComparison.Ordinal))
            : 0;

    private static bool IsNeeded(OpInvocation call, OpOperand operand)
    {
        if (((DeviceMemory)operand.Value).Length == 0) return false;
        if (s_notReadWithoutGates.Contains(operand.Name) && call.Number("layout.Gates") == 0) return false;
        return !operand.Name.EndsWith(".Storage", StringComparison.Ordinal)
            || call.Number(operand.Name.Replace("Storage", "Columns", StringComparison.Ordinal)) > 0
            && call.Number(operand.Name.Replace("Storage", "Rows", StringComparison.Ordinal)) > 0;
    }

    private static bool IsBounded(OpInvocation call, OpRow op, OpOperand operand)
    {
        if (Is(s_unbounded, op, operand)) return false;
        if (operand.Name.StartsWith("options.Step", StringComparison.Ordinal)) return call.Number("options.Batch") > 1;

        // From a layer to the next one.
        if (operand.Name is "blocks.SumsStride" or "blocks.StandardizedStride") return call.Number("blocks.Layers") > 1;

        // Where there is one row, or none with elements, a stride leads nowhere.
        if (operand.Name is not ("a.Stride" or "b.Stride" or "c.Stride")) return true;
        return call.Number(operand.Name.Replace("Stride", "Rows", StringComparison.Ordinal)) > 1
            && call.Number(operand.Name.Replace("Stride", "Columns", StringComparison.Ordinal)) > 0;
    }

    private static DeviceMemory Like(Device device, DeviceMemory memory, long length) => memory switch
    {
        Tensor => device.Allocate(checked((int)length)),
        DeviceArray<float> => device.AllocateArray<float>(length),
        DeviceArray<double> => device.AllocateArray<double>(length),
        _ => device.AllocateArray<int>(length),
    };

    private static DeviceMemory Part(DeviceMemory memory, long offset, long length) => memory switch
    {
        Tensor tensor => tensor.Slice(offset, checked((int)length)),
        DeviceArray<float> floats => floats.Part(offset, length),
        DeviceArray<double> doubles => doubles.Part(offset, length),
        _ => ((DeviceArray<int>)memory).Part(offset, length),
    };

    private static DeviceMemory PartOfDisposed(Device device, DeviceMemory memory)
    {
        DeviceMemory whole = Like(device, memory, memory.Length + 1), part = Part(Part(whole, 0, memory.Length + 1), 1, memory.Length);
        whole.Dispose();
        return part;
    }

    private static T DisposedOf<T>(T resource)
        where T : IDisposable
    {
        resource.Dispose();
        return resource;
    }
}
