namespace Gradpath.Tests.Support.Reference;

/// <summary>A matrix on a <see cref="Tape"/>, with the gradient of the last scalar that was differentiated.</summary>
internal sealed class TapeNode(RealMatrix value, Action<RealMatrix>? pull)
{
    public RealMatrix Value { get; } = value;

    /// <summary>d scalar / d this, or null where the scalar does not depend on it.</summary>
    public RealMatrix? Gradient { get; private set; }

    /// <summary>The gradient, with zeros where the scalar does not depend on this node.</summary>
    public RealMatrix GradientOrZero => Gradient ?? new RealMatrix(Value.Rows, Value.Columns);

    internal void Clear() => Gradient = null;

    internal void Receive(RealMatrix gradient)
    {
        Gradient ??= new RealMatrix(Value.Rows, Value.Columns);
        Gradient.Add(gradient);
    }

    internal void Pull()
    {
        if (Gradient is not null)
        {
            pull?.Invoke(Gradient);
        }
    }
}

/// <summary>
/// Reverse-mode differentiation, written for clarity: every operation computes its value at once and remembers how to hand a gradient
/// to its operands. <see cref="Differentiate"/> walks the operations backwards. Weights are plain matrices: they get no gradient.
/// </summary>
internal sealed class Tape
{
    private readonly List<TapeNode> _nodes = [];

    /// <summary>An input whose gradient may be wanted.</summary>
    public TapeNode Leaf(RealMatrix value) => Record(value, null);

    /// <summary>constant + a + b + ...</summary>
    public TapeNode Sum(IEnumerable<TapeNode> terms, RealMatrix constant)
    {
        TapeNode[] list = [.. terms];
        RealMatrix value = new(constant.Rows, constant.Columns, [.. constant.Data]);
        foreach (TapeNode term in list)
        {
            value.Add(term.Value);
        }
        return Record(value, g =>
        {
            foreach (TapeNode term in list)
            {
                term.Receive(g);
            }
        });
    }

    /// <summary>x W + b in every row. dx = dy W^T.</summary>
    public TapeNode Linear(TapeNode x, RealMatrix weight, double[]? bias = null)
    {
        RealMatrix value = RealMatrix.Product(x.Value, weight);
        for (int i = 0; bias is not null && i < value.Data.Length; i++)
        {
            value.Data[i] += bias[i % value.Columns];
        }
        return Record(value, g => x.Receive(RealMatrix.ProductTransposed(g, weight)));
    }

    /// <summary>The matrix product a b. da = share dy b^T, db = share a^T dy.</summary>
    public TapeNode Product(TapeNode a, TapeNode b, double share = 1) => Record(RealMatrix.Product(a.Value, b.Value), g =>
    {
        RealMatrix shared = RealMatrix.Combine(new RealMatrix(g.Rows, g.Columns), share, g);
        a.Receive(RealMatrix.ProductTransposed(shared, b.Value));
        b.Receive(RealMatrix.Product(a.Value.Transpose(), shared));
    });

    /// <summary>The transpose of x.</summary>
    public TapeNode Transpose(TapeNode x) => Record(x.Value.Transpose(), g => x.Receive(g.Transpose()));

    /// <summary>factor x.</summary>
    public TapeNode Scale(TapeNode x, double factor)
    {
        RealMatrix zero = new(x.Value.Rows, x.Value.Columns);
        return Record(RealMatrix.Combine(zero, factor, x.Value), g => x.Receive(RealMatrix.Combine(zero, factor, g)));
    }

    /// <summary>f of every entry; dx = f'(x) dy.</summary>
    public TapeNode Map(TapeNode x, Func<double, double> function, Func<double, double> derivative)
    {
        RealMatrix value = new(x.Value.Rows, x.Value.Columns, Array.ConvertAll(x.Value.Data, v => function(v)));
        return Record(value, g =>
        {
            RealMatrix dx = new(g.Rows, g.Columns);
            for (int i = 0; i < dx.Data.Length; i++)
            {
                dx.Data[i] = derivative(x.Value.Data[i]) * g.Data[i];
            }
            x.Receive(dx);
        });
    }

    /// <summary>
    /// LayerNorm of every row: n = (x - mean) / s, s = sqrt(variance + eps), y = n gain + shift.
    /// With h = gain dy: dx = (h - mean(h) - n mean(n h)) / s; where s is a constant the last term is missing.
    /// </summary>
    public TapeNode LayerNorm(TapeNode x, double[] gain, double[] shift, double epsilon, bool constantDeviation = false)
    {
        int width = x.Value.Columns;
        RealMatrix normal = new(x.Value.Rows, width);
        RealMatrix value = new(x.Value.Rows, width);
        double[] deviation = new double[x.Value.Rows];
        for (int r = 0; r < x.Value.Rows; r++)
        {
            double mean = 0, variance = 0;
            for (int c = 0; c < width; c++)
            {
                mean += x.Value[r, c] / width;
            }
            for (int c = 0; c < width; c++)
            {
                double centred = x.Value[r, c] - mean;
                variance += centred * centred / width;
            }
            deviation[r] = Math.Sqrt(variance + epsilon);
            for (int c = 0; c < width; c++)
            {
                normal[r, c] = (x.Value[r, c] - mean) / deviation[r];
                value[r, c] = normal[r, c] * gain[c] + shift[c];
            }
        }
        return Record(value, g =>
        {
            RealMatrix dx = new(g.Rows, width);
            for (int r = 0; r < g.Rows; r++)
            {
                double mean = 0, projection = 0;
                for (int c = 0; c < width; c++)
                {
                    mean += gain[c] * g[r, c] / width;
                    if (!constantDeviation) projection += normal[r, c] * gain[c] * g[r, c] / width;
                }
                for (int c = 0; c < width; c++)
                {
                    dx[r, c] = (gain[c] * g[r, c] - mean - normal[r, c] * projection) / deviation[r];
                }
            }
            x.Receive(dx);
        });
    }

    /// <summary>
    /// Softmax of every row; with <paramref name="causal"/> row r over columns 0..r only. dx = y (dy - sum(y dy)), with softmax(x / T) for
    /// y where a temperature is given.
    /// </summary>
    public TapeNode Softmax(TapeNode x, bool causal = false, double temperature = 1)
    {
        RealMatrix zero = new(x.Value.Rows, x.Value.Columns);
        RealMatrix slope = SoftmaxOf(RealMatrix.Combine(zero, 1 / temperature, x.Value), causal);
        return Record(SoftmaxOf(x.Value, causal), g =>
        {
            RealMatrix dx = new(g.Rows, g.Columns);
            for (int r = 0; r < g.Rows; r++)
            {
                double inner = 0;
                for (int c = 0; c < g.Columns; c++)
                {
                    inner += slope[r, c] * g[r, c];
                }
                for (int c = 0; c < g.Columns; c++)
                {
                    dx[r, c] = slope[r, c] * (g[r, c] - inner);
                }
            }
            x.Receive(dx);
        });
    }

    private static RealMatrix SoftmaxOf(RealMatrix x, bool causal)
    {
        RealMatrix value = new(x.Rows, x.Columns);
        for (int r = 0; r < value.Rows; r++)
        {
            int seen = causal ? r + 1 : value.Columns;
            double largest = double.NegativeInfinity, sum = 0;
            for (int c = 0; c < seen; c++)
            {
                largest = Math.Max(largest, x[r, c]);
            }
            for (int c = 0; c < seen; c++)
            {
                value[r, c] = Math.Exp(x[r, c] - largest);
                sum += value[r, c];
            }
            for (int c = 0; c < seen; c++)
            {
                value[r, c] /= sum;
            }
        }
        return value;
    }

    /// <summary>x - log(sum(exp x)) of every row. dx = dy - softmax(x) sum(dy).</summary>
    public TapeNode LogSoftmax(TapeNode x)
    {
        RealMatrix value = new(x.Value.Rows, x.Value.Columns);
        for (int r = 0; r < value.Rows; r++)
        {
            double largest = double.NegativeInfinity, sum = 0;
            foreach (double v in x.Value.Row(r))
            {
                largest = Math.Max(largest, v);
            }
            foreach (double v in x.Value.Row(r))
            {
                sum += Math.Exp(v - largest);
            }
            for (int c = 0; c < value.Columns; c++)
            {
                value[r, c] = x.Value[r, c] - largest - Math.Log(sum);
            }
        }
        return Record(value, g =>
        {
            RealMatrix dx = new(g.Rows, g.Columns);
            for (int r = 0; r < g.Rows; r++)
            {
                double total = 0;
                foreach (double v in g.Row(r))
                {
                    total += v;
                }
                for (int c = 0; c < g.Columns; c++)
                {
                    dx[r, c] = g[r, c] - Math.Exp(value[r, c]) * total;
                }
            }
            x.Receive(dx);
        });
    }

    /// <summary>The last row of x as a matrix of one row.</summary>
    public TapeNode LastRow(TapeNode x) => Record(x.Value.RowBlock(x.Value.Rows - 1, 1), g =>
    {
        RealMatrix dx = new(x.Value.Rows, x.Value.Columns);
        g.Row(0).CopyTo(dx.Row(dx.Rows - 1));
        x.Receive(dx);
    });

    /// <summary>constant + the sum of weights x, a scalar.</summary>
    public TapeNode Dot(TapeNode x, RealMatrix weights, double constant = 0) =>
        Record(new RealMatrix(1, 1, [constant + RealMatrix.Dot(x.Value, weights)]), g =>
            x.Receive(RealMatrix.Combine(new RealMatrix(weights.Rows, weights.Columns), g[0, 0], weights)));

    /// <summary>|| x - target ||^2, a scalar. dx = 2 (x - target).</summary>
    public TapeNode SquaredDistance(TapeNode x, RealMatrix target)
    {
        RealMatrix difference = RealMatrix.Difference(x.Value, target);
        return Record(new RealMatrix(1, 1, [RealMatrix.Dot(difference, difference)]), g =>
            x.Receive(RealMatrix.Combine(new RealMatrix(target.Rows, target.Columns), 2 * g[0, 0], difference)));
    }

    /// <summary>Sets <see cref="TapeNode.Gradient"/> of every node to d scalar / d node; forgets those of an earlier call.</summary>
    public void Differentiate(TapeNode scalar)
    {
        foreach (TapeNode node in _nodes)
        {
            node.Clear();
        }
        scalar.Receive(new RealMatrix(1, 1, [1]));
        for (int i = _nodes.Count - 1; i >= 0; i--)
        {
            _nodes[i].Pull();
        }
    }

    private TapeNode Record(RealMatrix value, Action<RealMatrix>? pull)
    {
        TapeNode node = new(value, pull);
        _nodes.Add(node);
        return node;
    }
}
