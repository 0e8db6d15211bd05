using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Native.Calls;

namespace Gradpath.Native.Exports;

/// <summary><c>gradpath_tensor</c> of gradpath.h: one tensor of a model that a caller has in memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TensorArgument
{
    private const int MostExtents = 8;

    /// <summary>Its name in Hugging Face checkpoints.</summary>
    public byte* Name;

    /// <summary>Bytes of the name.</summary>
    public nuint NameLength;

    /// <summary>Its values, float32, row-major without gaps.</summary>
    public float* Data;

    /// <summary>Its extents.</summary>
    public ulong* Shape;

    /// <summary>How many extents.</summary>
    public nuint Rank;

    /// <summary>The tensors by name. They are views of the caller's memory, good for the call.</summary>
    /// <param name="tensors">The tensors.</param>
    /// <param name="config">The model's shape.</param>
    /// <exception cref="CallException">A tensor is null, has no name, or is of another shape.</exception>
    public static Dictionary<string, ReadOnlyMemory<float>> Read(ReadOnlySpan<TensorArgument> tensors, Gpt2Config config)
    {
        Dictionary<string, int[]> shapes = Gpt2Layout.Of(config).Append(Gpt2Layout.HeadBiasOf(config))
            .ToDictionary(s => s.Name, s => s.Shape);
        Dictionary<string, ReadOnlyMemory<float>> read = new(StringComparer.Ordinal);
        for (int i = 0; i < tensors.Length; i++)
        {
            TensorArgument t = tensors[i];
            string name = Utf8Text.Required(t.Name, t.NameLength, $"tensors[{i}].name");
            if (t.Rank is 0 or > MostExtents)
                throw CallException.Argument($"tensors[{i}], {name}: rank is {t.Rank}; tensors have 1 to {MostExtents} extents");
            if (t.Data is null) throw CallException.Argument($"tensors[{i}], {name}: data is NULL");
            ReadOnlySpan<ulong> shape = Utf8Text.Array(t.Shape, t.Rank, $"tensors[{i}].shape");
            if (shapes.TryGetValue(TensorNames.Bare(name), out int[]? expected) && !Same(shape, expected))
            {
                string hint = expected.Length == 2 && Same(shape, [expected[1], expected[0]])
                    ? " (it seems to be transposed: GPT-2 has its matrices as [in, out])" : "";
                string given = string.Join(", ", shape.ToArray()), needed = string.Join(", ", expected);
                throw new CallException(Status.Input, $"{name}: the shape is [{given}]; [{needed}] is needed{hint}");
            }
            ulong length = 1;
            foreach (ulong extent in shape)
            {
                if (extent is 0 or > int.MaxValue) throw CallException.Argument($"{name}: an extent is {extent}");
                length *= extent;
                if (length > int.MaxValue) break;
            }
            if (length > int.MaxValue) throw CallException.Argument($"{name}: {length} values; at most {int.MaxValue} can be taken");
            if (!read.TryAdd(name, new ForeignMemory(t.Data, (int)length).Memory))
                throw CallException.Argument($"tensors: {name} is given twice");
        }
        return read;
    }

    private static bool Same(ReadOnlySpan<ulong> shape, int[] expected)
    {
        if (shape.Length != expected.Length) return false;
        for (int i = 0; i < expected.Length; i++)
        {
            if (shape[i] != (ulong)expected[i]) return false;
        }
        return true;
    }
}
