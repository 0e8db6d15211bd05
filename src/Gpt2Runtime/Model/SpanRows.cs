using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The rows of a batch by the spans of their tokens: which rows a span has, and a factor per row that leaves those of one span. The arrays
/// stay where they are from batch to batch, so that recorded passes find them.
/// </summary>
internal sealed class SpanRows : ResourceOwner
{
    private readonly int[] _numbers;
    private readonly int[] _starts;
    private readonly float[] _factors;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="device">The device.</param>
    /// <param name="spans">Number of spans.</param>
    /// <param name="capacity">The largest batch, one copy.</param>
    public SpanRows(Device device, int spans, PassCapacity capacity)
    {
        Count = spans;
        (_numbers, _factors, _starts) = (new int[capacity.Rows], new float[capacity.Rows], new int[spans + 1]);
        Order = Own(device.AllocateArray<int>(capacity.Rows));
        Places = Own(device.AllocateArray<int>(capacity.Rows));
        AnswerPlaces = Own(device.AllocateArray<int>(capacity.Sequences));
        AtAllRows = [.. Enumerable.Range(0, spans).Select(_ => new Part(
            Own(device.AllocateArray<int>(capacity.Rows)), Own(device.AllocateZeros(capacity.Rows))))];
        AtAnswers = [.. Enumerable.Range(0, spans).Select(_ => new Part(
            Own(device.AllocateArray<int>(capacity.Sequences)), Own(device.AllocateZeros(capacity.Sequences))))];
    }

    /// <summary>Number of spans.</summary>
    public int Count { get; }

    /// <summary>Per span, what it has of all rows.</summary>
    public Part[] AtAllRows { get; }

    /// <summary>Per span, what it has of the answer rows; rows are prompts here.</summary>
    public Part[] AtAnswers { get; }

    /// <summary>The rows' numbers, span by span.</summary>
    public DeviceArray<int> Order { get; }

    /// <summary>The place of each row in <see cref="Order"/>.</summary>
    public DeviceArray<int> Places { get; }

    /// <summary>The place of each prompt's last row there.</summary>
    public DeviceArray<int> AnswerPlaces { get; }

    /// <summary>The place of each span's first row there; the number of rows behind the last.</summary>
    public ReadOnlySpan<int> Starts => _starts;

    /// <summary>Takes a batch.</summary>
    /// <param name="spans">The positions of each prompt that are run.</param>
    /// <param name="spanOf">The span of a prompt's token.</param>
    public void Load(PromptSpan[] spans, Func<int, int, int> spanOf)
    {
        int rows = spans.Sum(s => s.Length);
        var all = new int[rows];
        for (int i = 0, row = 0; i < spans.Length; i++)
        {
            for (int p = 0; p < spans[i].Length; p++) all[row++] = spanOf(i, spans[i].Prefix + p);
        }
        int[] answers = [.. spans.Select((span, i) => spanOf(i, span.Total - 1))];
        Load(all, AtAllRows);
        Load(answers, AtAnswers);
        int[] order = [.. Enumerable.Range(0, rows).OrderBy(r => all[r])];
        var places = new int[rows];
        for (int at = 0; at < rows; at++) places[order[at]] = at;
        int end = 0;
        Order.Upload(order);
        Places.Upload(places);
        AnswerPlaces.Upload([.. spans.Select(span => places[(end += span.Length) - 1])]);
        for (int s = 0; s < Count; s++) _starts[s + 1] = _starts[s] + AtAllRows[s].Length;
    }

    private void Load(int[] spans, Part[] parts)
    {
        for (int s = 0; s < parts.Length; s++)
        {
            int count = 0;
            for (int r = 0; r < spans.Length; r++)
            {
                _factors[r] = spans[r] == s ? 1 : 0;
                if (spans[r] == s) _numbers[count++] = r;
            }
            parts[s].Rows.Upload(_numbers.AsSpan(0, count));
            parts[s].Factors.Upload(_factors.AsSpan(0, spans.Length));
            parts[s].Length = count;
        }
    }

    /// <summary>The rows of a span.</summary>
    /// <param name="rows">Their numbers.</param>
    /// <param name="factors">1 for them, 0 for the others.</param>
    internal sealed class Part(DeviceArray<int> rows, Tensor factors)
    {
        /// <summary>The numbers of the rows.</summary>
        public DeviceArray<int> Rows { get; } = rows;

        /// <summary>A factor per row of the batch: 1 for those of the span, 0 for the others.</summary>
        public Tensor Factors { get; } = factors;

        /// <summary>How many rows the span has in the batch.</summary>
        public int Length { get; set; }
    }
}
