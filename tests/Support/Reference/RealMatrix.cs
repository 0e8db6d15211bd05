using System.Numerics.Tensors;

namespace Gradpath.Tests.Support.Reference;

/// <summary>A row-major matrix of doubles: the only number type of the reference implementation.</summary>
internal sealed class RealMatrix
{
    public RealMatrix(int rows, int columns)
        : this(rows, columns, new double[rows * columns])
    {
    }

    public RealMatrix(int rows, int columns, double[] data)
    {
        if (data.Length != rows * columns)
        {
            throw new ArgumentException($"{data.Length} numbers do not make a {rows} x {columns} matrix", nameof(data));
        }
        Rows = rows;
        Columns = columns;
        Data = data;
    }

    public int Rows { get; }

    public int Columns { get; }

    public double[] Data { get; }

    public double this[int row, int column]
    {
        get => Data[row * Columns + column];
        set => Data[row * Columns + column] = value;
    }

    public Span<double> Row(int row) => Data.AsSpan(row * Columns, Columns);

    /// <summary>Euclidean norm over all entries.</summary>
    public double Norm() => Math.Sqrt(Dot(this, this));

    /// <summary>Sum of the products of corresponding entries.</summary>
    public static double Dot(RealMatrix a, RealMatrix b)
    {
        RequireSameShape(a, b);
        return TensorPrimitives.Dot<double>(a.Data, b.Data);
    }

    /// <summary>a + factor b.</summary>
    public static RealMatrix Combine(RealMatrix a, double factor, RealMatrix b)
    {
        RequireSameShape(a, b);
        RealMatrix result = new(a.Rows, a.Columns);
        TensorPrimitives.MultiplyAdd(b.Data, factor, a.Data, result.Data);
        return result;
    }

    /// <summary>a - b.</summary>
    public static RealMatrix Difference(RealMatrix a, RealMatrix b) => Combine(a, -1, b);

    /// <summary>(1 - t) from + t to.</summary>
    public static RealMatrix Interpolate(RealMatrix from, RealMatrix to, double t) => Combine(from, t, Difference(to, from));

    /// <summary>This matrix += factor other.</summary>
    public void Add(RealMatrix other, double factor = 1)
    {
        RequireSameShape(this, other);
        TensorPrimitives.MultiplyAdd(other.Data, factor, Data, Data);
    }

    /// <summary>Columns [first, first + count) as a matrix of its own.</summary>
    public RealMatrix ColumnBlock(int first, int count)
    {
        RealMatrix result = new(Rows, count);
        for (int r = 0; r < Rows; r++)
        {
            Row(r).Slice(first, count).CopyTo(result.Row(r));
        }
        return result;
    }

    /// <summary>Rows [first, first + count) as a matrix of its own.</summary>
    public RealMatrix RowBlock(int first, int count) =>
        new(count, Columns, Data.AsSpan(first * Columns, count * Columns).ToArray());

    /// <summary>Rows become columns.</summary>
    public RealMatrix Transpose()
    {
        RealMatrix result = new(Columns, Rows);
        for (int r = 0; r < Rows; r++)
        {
            for (int c = 0; c < Columns; c++)
            {
                result[c, r] = this[r, c];
            }
        }
        return result;
    }

    /// <summary>Per row one of two matrices' rows.</summary>
    public static RealMatrix SelectRows(bool[] first, RealMatrix ifTrue, RealMatrix ifFalse)
    {
        RequireSameShape(ifTrue, ifFalse);
        RealMatrix result = new(ifTrue.Rows, ifTrue.Columns);
        for (int r = 0; r < result.Rows; r++)
        {
            (first[r] ? ifTrue : ifFalse).Row(r).CopyTo(result.Row(r));
        }
        return result;
    }

    /// <summary>The matrix product a b.</summary>
    public static RealMatrix Product(RealMatrix a, RealMatrix b)
    {
        if (a.Columns != b.Rows)
        {
            throw new ArgumentException($"[{a.Rows}, {a.Columns}] x [{b.Rows}, {b.Columns}]");
        }
        RealMatrix result = new(a.Rows, b.Columns);
        for (int r = 0; r < a.Rows; r++)
        {
            Span<double> target = result.Row(r);
            for (int i = 0; i < a.Columns; i++)
            {
                TensorPrimitives.MultiplyAdd(b.Row(i), a.Data[r * a.Columns + i], target, target);
            }
        }
        return result;
    }

    /// <summary>a b^T.</summary>
    public static RealMatrix ProductTransposed(RealMatrix a, RealMatrix b)
    {
        if (a.Columns != b.Columns)
        {
            throw new ArgumentException($"[{a.Rows}, {a.Columns}] x [{b.Rows}, {b.Columns}]^T");
        }
        RealMatrix result = new(a.Rows, b.Rows);
        for (int r = 0; r < a.Rows; r++)
        {
            for (int c = 0; c < b.Rows; c++)
            {
                result.Data[r * b.Rows + c] = TensorPrimitives.Dot<double>(a.Row(r), b.Row(c));
            }
        }
        return result;
    }

    private static void RequireSameShape(RealMatrix a, RealMatrix b)
    {
        if (a.Rows != b.Rows || a.Columns != b.Columns)
        {
            throw new ArgumentException($"[{a.Rows}, {a.Columns}] against [{b.Rows}, {b.Columns}]");
        }
    }
}
