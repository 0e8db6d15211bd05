using System.Linq.Expressions;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.Attention.cs.</summary>
internal static class AttentionOps
{
    private const double Allowed = 2 * OpCase.Rounding;

    private static readonly (int Sequences, int Length, int Heads)[] s_timed = [(50, 16, 12), (1, 1024, 12), (50, 16, 25)];

    // Up to 8 queries of a sequence are dealt in twos to the warps, up to 16 in fours, more in eights.
    private static readonly (int Kind, int[] Lengths, bool LastOnly)[] s_counted =
    [
        (2, [14, 10], true), (4, [14, 10], false), (8, [24], false),
    ];

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("Attention", "Attention")
        {
            Cases =
            [
                new("", Allowed, x => Forward(x, Form.Whole)),
                new("last query only", Allowed, x => Forward(x, Form.LastQueryOnly)),
                new("behind prefixes", Allowed, x => Forward(x, Form.BehindPrefixes)),
                new("joined", Allowed, x => Forward(x, Form.Joined)),
            ],
            Works = [.. s_timed.Select(t => Forward(t.Sequences, t.Length, t.Heads))],
            Kernels = [.. s_counted.Select(c => Forward(c.Kind, c.Lengths, c.LastOnly))],
            Writes = ["probabilities", "z"],
        },
        new("Attention", "AttentionBackward")
        {
            Cases =
            [
                new("", Allowed, x => Backward(x, Form.Whole)),
                new("last query only", Allowed, x => Backward(x, Form.LastQueryOnly)),
                new("behind prefixes", Allowed, x => Backward(x, Form.BehindPrefixes)),
                new("joined", Allowed, x => Backward(x, Form.Joined)),
            ],
            Works = [.. s_timed.Select(t => Backward(t.Sequences, t.Length, t.Heads))],
            Kernels = [.. s_counted.SelectMany(c => Backward(c.Kind, c.Lengths, c.LastOnly))],
            Writes = ["dq", "dkv"],
        },
    ];

    private enum Form
    {
        Whole,
        LastQueryOnly,
        BehindPrefixes,
        Joined,
    }

    private static Case Draw(OpOperands x, Form form)
    {
        bool lastQueryOnly = form == Form.LastQueryOnly || (form == Form.BehindPrefixes && x.Coin());
        SequenceLayout layout = x.Layout(x.Extent(3, 2), 33, x.Extent(2, 2), lastQueryOnly, form == Form.BehindPrefixes);
        int heads = x.Extent(4, 2), headWidth = x.Extent(33, 3);
        long wide = (long)heads * headWidth;
        HeadGroup group = new(heads, headWidth, 1 / MathF.Sqrt(headWidth)) { Joined = form == Form.Joined };
        return new(
            layout, group, x.Draw(QuerySpan(layout.QueryRows, group), 2), x.Draw(KeySpan(layout.KeyRows, group), 2),
            x.Out(heads * layout.ProbabilitiesPerHead),
            layout.PrefixRows == 0 ? null : x.Draw(layout.PrefixRows * 2 * wide, 2), x.Out(layout.QueryRows * wide));
    }

    private static Expression<Action<Device>> Forward(OpOperands x, Form form)
    {
        Case c = Draw(x, form);
        return d => d.Attention(c.Q, c.Kv, c.Layout, c.Heads, c.Probabilities, c.Z, c.Prefix);
    }

    private static Expression<Action<Device>> Backward(OpOperands x, Form form)
    {
        Case c = Draw(x, form);
        x.Device.Attention(c.Q, c.Kv, c.Layout, c.Heads, c.Probabilities, c.Z, c.Prefix);
        int cotangents = x.Extent(3, 1);
        int queries = cotangents * c.Layout.QueryRows;
        Tensor dz = x.Draw((long)queries * c.Heads.Width), dq = x.Out(QuerySpan(queries, c.Heads));
        Tensor dkv = x.Out(KeySpan(cotangents * c.Layout.KeyRows, c.Heads));
        return d => d.AttentionBackward(dz, c.Q, c.Kv, c.Probabilities, c.Layout, c.Heads, cotangents, dq, dkv, c.Prefix);
    }

    private static long QuerySpan(int rows, in HeadGroup heads) => ((rows - 1L) * heads.QueryStride) + heads.Width;

    private static long KeySpan(int rows, in HeadGroup heads) => ((rows - 1L) * heads.KeyStride) + (2L * heads.Width);

    private static OpWork Forward(int sequences, int length, int heads)
    {
        int rows = sequences * length, wide = heads * 64;
        double pairs = sequences * (double)heads * length * (length + 1) / 2;
        double square = sequences * (double)heads * length * length;
        double n = (double)rows * wide;
        return new($"{sequences} x {length} tokens, {heads} heads of 64", pairs * ((4 * 64) + 4), Timed.Float * ((4 * n) + square), x =>
        {
            SequenceLayout layout = x.Layout(sequences, length);
            Tensor q = x.Tensor(rows, wide), kv = x.Tensor(rows, 2 * wide), p = x.Tensor((int)square), z = x.Tensor(rows, wide);
            HeadGroup group = new(heads, 64, 0.125f);
            return () => x.Device.Attention(q, kv, layout, group, p, z);
        });
    }

    private static OpWork Backward(int sequences, int length, int heads)
    {
        int rows = sequences * length, wide = heads * 64;
        double pairs = sequences * (double)heads * length * (length + 1) / 2;
        double square = sequences * (double)heads * length * length;
        double n = (double)rows * wide;
        return new($"{sequences} x {length} tokens, {heads} heads of 64", pairs * ((8 * 64) + 5), Timed.Float * ((7 * n) + square), x =>
        {
            SequenceLayout layout = x.Layout(sequences, length);
            Tensor dz = x.Tensor(rows, wide), q = x.Tensor(rows, wide), kv = x.Tensor(rows, 2 * wide), p = x.Tensor((int)square);
            Tensor dq = x.Tensor(rows, wide), dkv = x.Tensor(rows, 2 * wide);
            HeadGroup group = new(heads, 64, 0.125f);
            return () => x.Device.AttentionBackward(dz, q, kv, p, layout, group, 1, dq, dkv);
        });
    }

    private static KernelCase Forward(int kind, int[] lengths, bool lastOnly)
    {
        Sums s = new(lengths, lastOnly);
        return new(
            $"attention{kind}",
            s.Shape,
            (2 * (s.Queries + s.Keys) * Counted.RowBytes) + s.Probabilities,
            x => Attend(x, lengths, lastOnly, backward: false))
        {
            MostTraffic = kind switch { 2 => 1.2, 4 => 1.15, _ => 1.07 },
        };
    }

    private static IEnumerable<KernelCase> Backward(int kind, int[] lengths, bool lastOnly)
    {
        Sums s = new(lengths, lastOnly);
        void Run(KernelOperands x) => Attend(x, lengths, lastOnly, backward: true);
        yield return new(
            $"attentionQueryGradient{kind}", s.Shape, (2 * (s.Queries + s.Keys) * Counted.RowBytes) + s.Probabilities + s.Along, Run)
        {
            MostTraffic = kind == 8 ? 1.15 : 1.2,
        };
        if (kind != 4) yield break;
        yield return new(
            "attentionKeyGradient", s.Shape, (((2 * s.Queries) + (3 * s.Keys)) * Counted.RowBytes) + s.Probabilities + s.Along, Run)
        {
            MostTraffic = 1.15,
        };
    }

    private static void Attend(KernelOperands x, int[] lengths, bool lastOnly, bool backward)
    {
        SequenceLayout layout = x.Layout(lengths, lastOnly);
        HeadGroup heads = new(Counted.Heads, Counted.HeadWidth, 0.125f);
        Tensor q = x.Rows(layout.QueryRows), kv = x.Rows(2 * layout.KeyRows), p = x.Floats(Counted.Heads * layout.ProbabilitiesPerHead);
        if (backward)
        {
            x.Device.AttentionBackward(
                x.Rows(layout.QueryRows), q, kv, p, layout, heads, 1, x.Rows(layout.QueryRows), x.Rows(2 * layout.KeyRows));
        }
        else x.Device.Attention(q, kv, layout, heads, p, x.Rows(layout.QueryRows));
    }

    private sealed record Case(SequenceLayout Layout, HeadGroup Heads, Tensor Q, Tensor Kv, Tensor Probabilities, Tensor? Prefix, Tensor Z);

    // What a counted case reads and writes.
    private sealed record Sums(int[] Lengths, bool LastOnly)
    {
        public int Queries => LastOnly ? Lengths.Length : Lengths.Sum();

        public int Keys => Lengths.Sum();

        public double Probabilities => (double)Counted.Float * Counted.Heads * Lengths.Sum(n => LastOnly ? n : n * n);

        public double Along => (double)Counted.Float * Counted.Heads * Queries;

        public string Shape => $"{string.Join(" and ", Lengths)} tokens, 12 heads of 64{(LastOnly ? ", last query only" : "")}";
    }
}
