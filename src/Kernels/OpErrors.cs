using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Gradpath.Kernels;

/// <summary>
/// What the checks of an operation throw. Each message names the operation and the operand, says what it has and what is needed.
/// </summary>
internal static class OpErrors
{
    /// <summary>An operand is null.</summary>
    [DoesNotReturn]
    public static void Missing(string op, string name) => throw new ArgumentNullException(name, $"{op}: {name} is missing");

    /// <summary>An array cannot be used.</summary>
    [DoesNotReturn]
    public static void Unfit(string op, string name, DeviceMemory? operand, Device device, long needed)
    {
        if (operand is null) Missing(op, name);
        if (!ReferenceEquals(operand.Device, device))
        {
            throw new ArgumentException(
                $"{op}: {name} belongs to another device ({operand.Device.Name}) than the one that computes ({device.Name})", name);
        }
        if (!operand.IsAlive)
        {
            throw new ObjectDisposedException(name, $"{op}: {name} has been disposed of, or the array that it is a part of has");
        }
        throw new ArgumentException(Invariant($"{op}: {name} has {operand.Length} elements, {needed} are needed"), name);
    }

    /// <summary>An array does not consist of whole rows.</summary>
    [DoesNotReturn]
    public static void NoWholeRows(string op, string name, long length, int width) =>
        throw new ArgumentException(Invariant($"{op}: {name} has {length} elements, which are no whole rows of {width}"), name);

    /// <summary>A number is too small.</summary>
    [DoesNotReturn]
    public static void TooSmall(string op, string name, long value, long least) =>
        throw new ArgumentOutOfRangeException(name, value, Invariant($"{op}: {name} is {value}, at least {least} is needed"));

    /// <summary>A number is too large.</summary>
    [DoesNotReturn]
    public static void TooLarge(string op, string name, long value, long most) =>
        throw new ArgumentOutOfRangeException(name, value, Invariant($"{op}: {name} is {value}, at most {most} is possible"));

    /// <summary>A number is no multiple of another one.</summary>
    [DoesNotReturn]
    public static void NoMultiple(string op, string name, long value, string ofName, long of) =>
        throw new ArgumentException(Invariant($"{op}: {name} is {value}, a multiple of {ofName}, {of}, is needed"), name);

    /// <summary>An output lies over another operand.</summary>
    [DoesNotReturn]
    public static void Overlap(string op, string name, string otherName) =>
        throw new ArgumentException($"{op}: {name} shares memory with {otherName}", name);

    /// <summary>An output lies over another operand, and not exactly.</summary>
    [DoesNotReturn]
    public static void PartOverlap(string op, string name, string otherName) =>
        throw new ArgumentException($"{op}: {name} shares memory with {otherName} and does not begin where that does", name);

    /// <summary>Numbers are no rectangle.</summary>
    [DoesNotReturn]
    public static void NoMatrix(string op, string name, in Matrix m) => throw new ArgumentOutOfRangeException(
        name, $"{op}: {name} is {Extents(m)}: none may be negative, and a stride is at least the number of columns");

    /// <summary>A rectangle reaches beyond its storage.</summary>
    [DoesNotReturn]
    public static void OutsideStorage(string op, string name, in Matrix m, long needed) => throw new ArgumentException(
        Invariant($"{op}: {name} is {Extents(m)} and needs {needed} elements; its storage has {m.Storage.Length}"), name);

    /// <summary>The members of a batch of results lie over each other.</summary>
    [DoesNotReturn]
    public static void OverlapInBatch(string op, string name, long step) =>
        throw new ArgumentException(Invariant($"{op}: the batch's {name} share memory with each other, {step} elements apart"), name);

    /// <summary>Three rectangles are no product.</summary>
    [DoesNotReturn]
    public static void NoProduct(in Matrix a, in Matrix b, in Matrix c) => throw new ArgumentException(
        Invariant($"Gemm: {Shape(a)} x {Shape(b)} does not give [{c.Rows}, {c.Columns}]{(c.Transposed ? " transposed" : "")}"));

    /// <summary>Two rectangles differ in shape.</summary>
    [DoesNotReturn]
    public static void NoCopy(in Matrix source, in Matrix target) => throw new ArgumentException(
        $"CopyMatrix: {Shape(source)} is copied to its own shape only, not to {Shape(target)}, and neither may be transposed");

    public static void NoCombination(in Matrix a, in Matrix b, in Matrix output) => throw new ArgumentException(
        $"CombineBlocks: a and b must have the output's shape {Shape(output)}, not {Shape(a)} and {Shape(b)}, and none may be transposed");

    private static string Extents(in Matrix m) => Invariant($"{m.Rows} x {m.Columns} with stride {m.Stride} at offset {m.Offset}");

    private static string Shape(in Matrix m) => Invariant($"[{m.OperandRows}, {m.OperandColumns}]");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
