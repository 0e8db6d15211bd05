using System.Runtime.CompilerServices;

namespace Gradpath.Kernels;

// What every operation requires of its operands before a device touches them. Each operation is an internal method that checks and a core
// per device that computes: no core sees an array that is missing, disposed of, another device's or too short, and none sees an output that
// lies over another operand where its documentation does not say that it may. What the elements of an index array say is not checked: they
// are in the device's memory.
public abstract partial class Device
{
    /// <summary>The number of elements of [a, b].</summary>
    /// <param name="a">Not negative.</param>
    /// <param name="b">Not negative.</param>
    /// <returns>The product, which a long holds.</returns>
    private static long Size(int a, int b) => (long)a * b;

    /// <summary>The number of elements of [a, b, c].</summary>
    /// <param name="a">Not negative.</param>
    /// <param name="b">Not negative.</param>
    /// <param name="c">Not negative.</param>
    /// <returns>The product, or the largest number where it is beyond that.</returns>
    private static long Size(int a, int b, int c) => Product((long)a * b, c);

    /// <summary>A product of numbers that are not negative.</summary>
    /// <param name="a">Not negative.</param>
    /// <param name="b">Not negative.</param>
    /// <returns>The product, or the largest number where it is beyond that.</returns>
    private static long Product(long a, long b) => Math.BigMul(a, b, out long low) == 0 && low >= 0 ? low : long.MaxValue;

    /// <summary>A sum of numbers that are not negative.</summary>
    /// <param name="a">Not negative.</param>
    /// <param name="b">Not negative.</param>
    /// <returns>The sum, or the largest number where it is beyond that.</returns>
    private static long Sum(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;

    /// <summary>Requires a number of at least some size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AtLeast(
        long least, long value, [CallerArgumentExpression(nameof(value))] string name = "", [CallerMemberName] string op = "")
    {
        if (value < least) OpErrors.TooSmall(op, name, value, least);
    }

    /// <summary>Requires a number of at most some size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AtMost(
        long most, long value, [CallerArgumentExpression(nameof(value))] string name = "", [CallerMemberName] string op = "")
    {
        if (value > most) OpErrors.TooLarge(op, name, value, most);
    }

    /// <summary>Requires an array of this device that has not been disposed of and has so many elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Need(
        DeviceMemory operand,
        long elements,
        [CallerArgumentExpression(nameof(operand))] string name = "",
        [CallerMemberName] string op = "")
    {
        if (operand is null || !ReferenceEquals(operand.Device, this) || !operand.IsAlive || operand.Length < elements)
        {
            OpErrors.Unfit(op, name, operand, this, elements);
        }
    }

    /// <summary>Requires an array of this device that consists of whole rows, at least one where any are read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void NeedRows(
        DeviceMemory operand, int count, int width, [CallerArgumentExpression(nameof(operand))] string name = "",
        [CallerMemberName] string op = "")
    {
        Need(operand, count == 0 ? 0 : width, name, op);
        if (operand.Length % width != 0) OpErrors.NoWholeRows(op, name, operand.Length, width);
    }

    /// <summary>Requires sequences of this device.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Need(SequenceLayout layout, [CallerArgumentExpression(nameof(layout))] string name = "", [CallerMemberName] string op = "")
    {
        if (layout is null) OpErrors.Missing(op, name);
        Need(layout.KeyStart, layout.Sequences, name, op);
    }

    /// <summary>Requires that the elements that are written share no memory with those of another operand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Apart(
        DeviceMemory output,
        long elements,
        DeviceMemory other,
        long otherElements,
        [CallerArgumentExpression(nameof(output))] string name = "",
        [CallerArgumentExpression(nameof(other))] string otherName = "",
        [CallerMemberName] string op = "")
    {
        if (Overlap(output, elements, other, otherElements)) OpErrors.Overlap(op, name, otherName);
    }

    /// <summary>Requires that two operands of one length are the same memory or share none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SameOrApart(
        DeviceMemory output,
        DeviceMemory other,
        long elements,
        [CallerArgumentExpression(nameof(output))] string name = "",
        [CallerArgumentExpression(nameof(other))] string otherName = "",
        [CallerMemberName] string op = "")
    {
        if (output.Address != other.Address && Overlap(output, elements, other, elements)) OpErrors.PartOverlap(op, name, otherName);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Overlap(DeviceMemory a, long elements, DeviceMemory b, long otherElements) =>
        a.Address < b.Address + (nint)(otherElements * b.ElementBytes) && b.Address < a.Address + (nint)(elements * a.ElementBytes);
}
