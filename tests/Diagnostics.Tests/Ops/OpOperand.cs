using System.Globalization;
using System.Reflection;

namespace Gradpath.Diagnostics.Tests.Ops;

/// <summary>An argument of an op, or a field of one.</summary>
/// <param name="Name">The parameter's name, and after points those of fields.</param>
/// <param name="Value">What the call has there.</param>
/// <param name="MayBeMissing">Whether null is fit.</param>
/// <param name="Path">The parameter's index, then the fields.</param>
internal sealed record OpOperand(string Name, object Value, bool MayBeMissing, IReadOnlyList<object> Path)
{
    /// <summary>Index of the argument.</summary>
    public int Argument => (int)Path[0];

    /// <summary>Whether it is a number that says how much or where, or names a choice.</summary>
    public bool IsNumber => Value is int or long or Enum;

    /// <summary>The number.</summary>
    public long Number => Convert.ToInt64(Value, CultureInfo.InvariantCulture);

    /// <summary>The argument with another value in this place.</summary>
    /// <param name="argument">The argument; stays as it is.</param>
    /// <param name="value">The value.</param>
    /// <returns>A changed copy.</returns>
    public object? Within(object? argument, object? value) => Exchange(argument, 1, value);

    private object? Exchange(object? target, int depth, object? value)
    {
        if (depth == Path.Count) return IsNumber ? Typed(Convert.ToInt64(value, CultureInfo.InvariantCulture)) : value;
        var field = (FieldInfo)Path[depth];
        object copy = target is ValueType
            ? System.Runtime.CompilerServices.RuntimeHelpers.GetObjectValue(target)
            : target!.GetType().GetMethod("<Clone>$")!.Invoke(target, null)!;
        field.SetValue(copy, Exchange(field.GetValue(copy), depth + 1, value));
        return copy;
    }

    private object Typed(long number) => Value switch
    {
        int => (int)number,
        Enum e => Enum.ToObject(e.GetType(), (int)number),
        _ => number,
    };
}
