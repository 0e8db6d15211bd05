using System.Linq.Expressions;
using System.Reflection;
using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Tests.Ops;

/// <summary>A call of an op whose arguments, down to the fields of structs, can be exchanged one by one.</summary>
internal sealed class OpInvocation : IDisposable
{
    private readonly Device _device;
    private readonly OpOperands _operands;
    private readonly MethodInfo _method;
    private readonly object?[] _arguments;

    /// <summary>Draws the operands.</summary>
    /// <param name="device">Where.</param>
    /// <param name="way">How the op is called.</param>
    /// <param name="seed">Decides shapes and values.</param>
    public OpInvocation(Device device, OpCase way, int seed)
    {
        _device = device;
        _operands = new OpOperands(device, seed, exact: true);
        var call = (MethodCallExpression)way.Call(_operands).Body;
        _method = call.Method;
        _arguments =
        [
            .. call.Arguments.Select(
                a => Expression.Lambda<Func<object?>>(Expression.Convert(a, typeof(object))).Compile(preferInterpretation: true)()),
        ];
        NullabilityInfoContext nullability = new();
        ParameterInfo[] parameters = _method.GetParameters();
        Operands =
        [
            .. parameters.SelectMany(
                (p, i) => Leaves(p.Name!, _arguments[i], nullability.Create(p).ReadState == NullabilityState.Nullable, [i], nullability)),
        ];
    }

    /// <summary>Every argument, or every field of it where it is a struct or a record of the device's.</summary>
    public IReadOnlyList<OpOperand> Operands { get; }

    /// <summary>Calls the op with some operands exchanged.</summary>
    /// <param name="exchanged">Operands and what takes their place.</param>
    /// <returns>What the op threw, or null.</returns>
    public Exception? Call(params (OpOperand Operand, object? Value)[] exchanged)
    {
        object?[] arguments = [.. _arguments];
        foreach ((OpOperand operand, object? value) in exchanged)
        {
            arguments[operand.Argument] = operand.Within(arguments[operand.Argument], value);
        }
        try
        {
            _method.Invoke(_device, BindingFlags.DoNotWrapExceptions, null, arguments, null);
            _device.Synchronize();
            return null;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or DeviceException)
        {
            return e;
        }
    }

    /// <summary>The value of an operand of some name.</summary>
    public long Number(string name) => Operands.Single(o => o.Name == name).Number;

    /// <inheritdoc />
    public void Dispose() => _operands.Dispose();

    private static IEnumerable<OpOperand> Leaves(
        string name, object? value, bool nullable, IReadOnlyList<object> path, NullabilityInfoContext nullability)
    {
        if (value is null) yield break;
        if (!IsOpened(value.GetType()))
        {
            yield return new OpOperand(name, value, nullable, path);
            yield break;
        }
        foreach (PropertyInfo property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            FieldInfo? field = value.GetType().GetField(
                $"<{property.Name}>k__BackingField", BindingFlags.NonPublic | BindingFlags.Instance);
            if (field is null) continue;
            bool mayBeMissing = nullability.Create(property).ReadState == NullabilityState.Nullable;
            object? held = field.GetValue(value);
            foreach (OpOperand leaf in Leaves($"{name}.{property.Name}", held, mayBeMissing, [.. path, field], nullability))
            {
                yield return leaf;
            }
        }
    }

    // Structs and records of operands; sequences and arrays are taken as a whole.
    private static bool IsOpened(Type type) =>
        type.Namespace!.StartsWith("Gradpath.Kernels", StringComparison.Ordinal) && !type.IsEnum
            && !typeof(DeviceMemory).IsAssignableFrom(type) && type != typeof(SequenceLayout);
}
