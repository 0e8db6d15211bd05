using System.Linq.Expressions;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.Attention.cs.</summary>
internal static class AttentionOps
{
    private const double Allowed = 2 * OpCase.Rounding;

    private static readonly (int Sequences, int Length, int Heads)[] s_timed = [(50, 16, 12), (1, 1024, 12), (50, 16, 25)];

    // Up to 8 queries of a sequence are dealt in twos to the warps, up to 16 or of wide heads in fours, more in eights.
    private static readonly (int Kind, int[] Lengths, bool LastOnly, int HeadWidth)[] s_counted =
    [
        (2, [40], true, 64), (4, [40], false, 128), (8, [40], false, 64),
    ];

    // Short sequences have a warp for a head, at most 16 queries and 16 keys at once.
    private static readonly (int[] Lengths, bool LastOnly)[] s_countedShort = [([16, 16], false), ([16, 16], true), ([30, 20], false)];

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
                new("short sequences", Allowed, x => Forward(x, Form.Short)),
            ],
            Works = [.. s_timed.Select(t => Forward(t.Sequences, t.Length, t.Heads))],
            Kernels =
            [
                .. s_counted.Select(c => Forward(new Sums(c.Lengths, c.LastOnly, c.HeadWidth), c.Kind)),
                .. s_countedShort.Select(c => Forward(new Sums(c.Lengths, c.LastOnly, Counted.HeadWidth))),
            ],
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
                new("short sequences", Allowed, x => Backward(x, Form.Short)),
            ],
            Works = [.. s_timed.Select(t => Backward(t.Sequences, t.Length, t.Heads))],
            Kernels =
            [
                .. s_counted.SelectMany(c => Backward(new Sums(c.Lengths, c.LastOnly, c.HeadWidth), c.Kind)),
                .. s_countedShort.Select(c => ShortBackward(new Sums(c.Lengths, c.LastOnly, Counted.HeadWidth))),
            ],
            Writes = ["dq", "dkv"],
        },
    ];

    private enum Form
    {
        Whole,
        LastQueryOnly,
        BehindPrefixes,
        Joined,

        /// <summary>At most 32 keys, heads as wide as tensor cores like them.</summary>
        Short,
    }

    private static Case Draw(OpOperands x, Form form)
    {
        bool lastQueryOnly = form == Form.LastQueryOnly || (form == Form.BehindPrefixes && x.Coin());
        SequenceLayout layout = form == Form.Short
            ? ShortLayout(x)
            : x.Layout(x.Extent(3, 2), 33, x.Extent(2, 2), lastQueryOnly, form == Form.BehindPrefixes);
        int heads = x.Extent(4, 2), headWidth = form == Form.Short ? 16 * x.Extent(4, 2) : x.Extent(33, 3);
        long wide = (long)heads * headWidth;
        HeadGroup group = new(heads, headWidth, 1 / MathF.Sqrt(headWidth)) { Joined = form == Form.Joined };
        return new(
            layout, group, x.Draw(QuerySpan(layout.QueryRows, group), 2), x.Draw(KeySpan(layout.KeyRows, group), 2),
            x.Out(heads * layout.ProbabilitiesPerHead),
            layout.PrefixRows == 0 ? null : x.Draw(layout.PrefixRows * 2 * wide, 2), x.Out(layout.QueryRows * wide));
    }

    private static SequenceLayout ShortLayout(OpOperands x)
    {
        int[] lengths = [.. Enumerable.Range(0, x.Extent(3, 2)).Select(_ => x.Extent(KernelConstants.ShortKeys, 1))];
        int[] prefixes = [.. lengths.Select(n => x.Coin() ? x.Below(KernelConstants.ShortKeys - n + 1) : 0)];
        return x.Own(new SequenceLayout(x.Device, lengths, x.Extent(2, 2), x.Coin(), prefixes));
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

    private static KernelCase Forward(Sums s, int? kind = null) => new(
        kind is { } rows ? $"attention{rows}" : "attentionShort",
        s.Shape,
        (2 * (s.Queries + s.Keys) * Counted.RowBytes) + s.Probabilities,
        x => Attend(x, s, backward: false))
    {
        // Longer sequences have several tiles of queries, each of which reads the keys.
        MostTraffic = kind switch { 2 => 1.6, 4 => 1.9, 8 => 1.65, _ => s.Keys > 2 * KernelConstants.ShortRows ? 1.85 : 1.35 },
    };

    private static IEnumerable<KernelCase> Backward(Sums s, int kind)
    {
        void Run(KernelOperands x) => Attend(x, s, backward: true);
        yield return new(
            $"attentionQueryGradient{kind}", s.Shape, (2 * (s.Queries + s.Keys) * Counted.RowBytes) + s.Probabilities + s.Along, Run)
        {
            MostTraffic = kind switch { 2 => 1.6, 4 => 1.9, _ => 1.7 },
        };
        if (kind is 2 or 4) yield break;
        yield return new(
            "attentionKeyGradient", s.Shape, (((2 * s.Queries) + (3 * s.Keys)) * Counted.RowBytes) + s.Probabilities + s.Along, Run)
        {
            MostTraffic = 1.15,
        };
    }

    // A warp reads the rows of its queries' gradients, and the keys' and values', as rows and as columns.
    private static KernelCase ShortBackward(Sums s) => new(
        "attentionShortGradients", s.Shape, (((3 * s.Queries) + (4 * s.Keys)) * Counted.RowBytes) + s.Probabilities,
        x => Attend(x, s, backward: true))
    {
        MostTraffic = s.Keys > 2 * KernelConstants.ShortRows ? 2.4 : 1.95,
    };

    private static void Attend(KernelOperands x, Sums s, bool backward)
    {
        SequenceLayout layout = x.Layout(s.Lengths, s.LastOnly);
        HeadGroup heads = new(Counted.Width / s.HeadWidth, s.HeadWidth, 0.125f);
        Tensor q = x.Rows(layout.QueryRows), kv = x.Rows(2 * layout.KeyRows), p = x.Floats(heads.Heads * layout.ProbabilitiesPerHead);
        if (backward)
        {
            x.Device.AttentionBackward(
                x.Rows(layout.QueryRows), q, kv, p, layout, heads, 1, x.Rows(layout.QueryRows), x.Rows(2 * layout.KeyRows));
        }
        else x.Device.Attention(q, kv, layout, heads, p, x.Rows(layout.QueryRows));
    }

    private sealed record Case(SequenceLayout Layout, HeadGroup Heads, Tensor Q, Tensor Kv, Tensor Probabilities, Tensor? Prefix, Tensor Z);

    // What a counted case reads and writes.
    private sealed record Sums(int[] Lengths, bool LastOnly, int HeadWidth)
    {
        public int Queries => LastOnly ? Lengths.Length : Lengths.Sum();

        public int Keys => Lengths.Sum();

        public double Probabilities => (double)Counted.Float * Heads * Lengths.Sum(n => LastOnly ? n : n * n);

        public double Along => (double)Counted.Float * Heads * Queries;

        private int Heads => Counted.Width / HeadWidth;

        public string Shape =>
            $"{string.Join(" and ", Lengths)} tokens, {Heads} heads of {HeadWidth}{(LastOnly ? ", last query only" : "")}";
    }
}
