namespace Gradpath.Tests.Support.Ops;

/// <summary>Random queries, keys and values, and causal attention over them in float64, one element after the other.</summary>
internal sealed class PlainAttention
{
    public PlainAttention(int[] lengths, int copies, int heads, int headWidth, bool lastOnly, float scale)
    {
        Lengths = lengths;
        Copies = copies;
        Heads = heads;
        HeadWidth = headWidth;
        LastOnly = lastOnly;
        Scale = scale;
        KeyRows = copies * lengths.Sum();
        QueryRows = lastOnly ? copies * lengths.Length : KeyRows;
        Q = Numbers.Draw(1, QueryRows * heads * headWidth);
        Kv = Numbers.Draw(2, KeyRows * 2 * heads * headWidth);
    }

    public int[] Lengths { get; }

    public int Copies { get; }

    public int Heads { get; }

    public int HeadWidth { get; }

    public bool LastOnly { get; }

    public float Scale { get; }

    public int KeyRows { get; }

    public int QueryRows { get; }

    /// <summary>[query rows, heads * head width].</summary>
    public float[] Q { get; }

    /// <summary>[key rows, 2 heads * head width].</summary>
    public float[] Kv { get; }

    /// <summary>Probabilities (per sequence [heads, queries, keys]) and mixed values [query rows, heads * head width].</summary>
    public (double[] Probabilities, double[] Mixed) Forward(double[] q, double[] kv)
    {
        var probabilities = new List<double>();
        var mixed = new double[q.Length];
        foreach ((int keyRow, int queryRow, int keys, int queries) in Sequences())
        {
            for (int h = 0; h < Heads; h++)
            {
                for (int i = 0; i < queries; i++)
                {
                    double[] p = Softmax(q, kv, keyRow, queryRow + i, h, keys - queries + i + 1);
                    probabilities.AddRange(p);
                    probabilities.AddRange(new double[keys - p.Length]);
                    for (int j = 0; j < p.Length; j++)
                    {
                        for (int w = 0; w < HeadWidth; w++) mixed[At(queryRow + i, h, w)] += p[j] * kv[Value(keyRow + j, h, w)];
                    }
                }
            }
        }
        return ([.. probabilities], mixed);
    }

    /// <summary>dp = dz v^T, ds = scale p (dp - sum(p dp)), dq = ds k, dk = ds^T q, dv = p^T dz.</summary>
    public (double[] Dq, double[] Dkv) Backward(double[] dz)
    {
        double[] q = Numbers.Wide(Q), kv = Numbers.Wide(Kv);
        var dq = new double[q.Length];
        var dkv = new double[kv.Length];
        foreach ((int keyRow, int queryRow, int keys, int queries) in Sequences())
        {
            for (int h = 0; h < Heads; h++)
            {
                for (int i = 0; i < queries; i++)
                {
                    double[] p = Softmax(q, kv, keyRow, queryRow + i, h, keys - queries + i + 1);
                    var dp = new double[p.Length];
                    for (int j = 0; j < p.Length; j++)
                    {
                        for (int w = 0; w < HeadWidth; w++) dp[j] += dz[At(queryRow + i, h, w)] * kv[Value(keyRow + j, h, w)];
                    }
                    double along = Numbers.Dot(p, dp);
                    for (int j = 0; j < p.Length; j++)
                    {
                        double ds = Scale * p[j] * (dp[j] - along);
                        for (int w = 0; w < HeadWidth; w++)
                        {
                            dq[At(queryRow + i, h, w)] += ds * kv[Key(keyRow + j, h, w)];
                            dkv[Key(keyRow + j, h, w)] += ds * q[At(queryRow + i, h, w)];
                            dkv[Value(keyRow + j, h, w)] += p[j] * dz[At(queryRow + i, h, w)];
                        }
                    }
                }
            }
        }
        return (dq, dkv);
    }

    private double[] Softmax(double[] q, double[] kv, int keyRow, int queryRow, int head, int visible)
    {
        var scores = new double[visible];
        for (int j = 0; j < visible; j++)
        {
            for (int w = 0; w < HeadWidth; w++) scores[j] += Scale * q[At(queryRow, head, w)] * kv[Key(keyRow + j, head, w)];
        }
        double largest = scores.Max();
        double sum = scores.Sum(s => Math.Exp(s - largest));
        return Array.ConvertAll(scores, s => Math.Exp(s - largest) / sum);
    }

    private IEnumerable<(int KeyRow, int QueryRow, int Keys, int Queries)> Sequences()
    {
        int keyRow = 0, queryRow = 0;
        for (int s = 0; s < Copies * Lengths.Length; s++)
        {
            int keys = Lengths[s % Lengths.Length];
            int queries = LastOnly ? 1 : keys;
            yield return (keyRow, queryRow, keys, queries);
            keyRow += keys;
            queryRow += queries;
        }
    }

    private int At(int row, int head, int w) => (((row * Heads) + head) * HeadWidth) + w;

    private int Key(int row, int head, int w) => (((row * 2 * Heads) + head) * HeadWidth) + w;

    private int Value(int row, int head, int w) => Key(row, Heads + head, w);
}
