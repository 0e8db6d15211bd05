using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// What tells two passes over the same rows apart: who runs which arrays, and the numbers that decide about the operations. Whatever
/// differs between two runs of a pass, other than the contents of arrays, has to be part of it.
/// </summary>
/// <param name="Pass">Who issues the operations.</param>
/// <param name="First">An object whose arrays take part.</param>
/// <param name="Second">Another one.</param>
/// <param name="From">Where the pass starts.</param>
/// <param name="To">Where it ends.</param>
/// <param name="Points">How many gradient points went before.</param>
/// <param name="Copies">How many copies count.</param>
/// <param name="Cotangents">Gradients per forward pass.</param>
internal readonly record struct PassKey(
    object Pass, object? First = null, object? Second = null, int From = 0, int To = 0, int Points = 0, int Copies = 0, int Cotangents = 0);

/// <summary>
/// The rows of one pass: prompts of different lengths (or what of them is run) one after the other without padding, repeated for every
/// copy (a point of an integration path, a candidate). Where only the answer matters, the last layer's queries and MLP run at the answer
/// positions alone.
/// </summary>
internal sealed class PassShape : IDisposable
{
    private readonly Device _device;
    private readonly SequenceLayout? _last;
    private readonly PackedArrays _arrays = new();
    private Dictionary<PassKey, RecordedPass>? _passes;

    /// <summary>Lays out a pass.</summary>
    /// <param name="device">The device.</param>
    /// <param name="spans">The positions of each prompt that are run.</param>
    /// <param name="copies">How often the prompts are repeated.</param>
    /// <param name="answerOnly">Whether the last layer is only needed at the answer positions.</param>
    public PassShape(Device device, PromptSpan[] spans, int copies, bool answerOnly)
    {
        _device = device;
        Spans = spans;
        Copies = copies;
        AnswerOnly = answerOnly;
        int[] lengths = [.. spans.Select(s => s.Length)];
        int[] prefixes = [.. spans.Select(s => s.Prefix)];
        All = new SequenceLayout(_arrays, lengths, copies, lastQueryOnly: false, prefixes);
        _last = answerOnly ? new SequenceLayout(_arrays, lengths, copies, lastQueryOnly: true, prefixes) : null;
        _arrays.Add<int>(PositionsOf(spans, copies), array => Positions = array);
        _arrays.Add<int>(AnswerRowsOf(lengths, 2 * copies), array => AnswerRows = array);
        _arrays.Store(device);
    }

    /// <summary>Lays out a pass over whole prompts.</summary>
    /// <param name="device">The device.</param>
    /// <param name="lengths">Tokens of each prompt.</param>
    /// <param name="copies">How often the prompts are repeated.</param>
    /// <param name="answerOnly">Whether the last layer is only needed at the answer positions.</param>
    public PassShape(Device device, int[] lengths, int copies, bool answerOnly)
        : this(device, PromptSpan.Whole(lengths), copies, answerOnly)
    {
    }

    /// <summary>The positions of each prompt of one copy that are run.</summary>
    public PromptSpan[] Spans { get; }

    /// <summary>How often the prompts are repeated.</summary>
    public int Copies { get; }

    /// <summary>Whether the last layer runs at the answer positions only.</summary>
    public bool AnswerOnly { get; }

    /// <summary>All rows, each with a query.</summary>
    public SequenceLayout All { get; }

    /// <summary>What the last layer's attention sees.</summary>
    public SequenceLayout Final => _last ?? All;

    /// <summary>Rows of all copies.</summary>
    public int Rows => All.KeyRows;

    /// <summary>Rows behind the last layer's attention.</summary>
    public int FinalRows => Final.QueryRows;

    /// <summary>Rows of one copy.</summary>
    public int BaseRows => Rows / Copies;

    /// <summary>Rows of one copy behind the last layer's attention.</summary>
    public int BaseFinalRows => FinalRows / Copies;

    /// <summary>Prompts of all copies: one answer row each.</summary>
    public int Sequences => All.Sequences;

    /// <summary>Prompts of one copy.</summary>
    public int Items => Spans.Length;

    /// <summary>Position in its prompt of every row.</summary>
    public DeviceArray<int> Positions { get; private set; } = null!;

    /// <summary>
    /// The row of each prompt's last token, for two cotangents' worth of rows: the second half lies <see cref="Rows"/> further on.
    /// </summary>
    public DeviceArray<int> AnswerRows { get; private set; } = null!;

    /// <summary>Rows that a sublayer's output has.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="layers">Number of layers.</param>
    /// <returns>All rows, or the answer rows in the last layer of an answer-only pass.</returns>
    public int QueryRows(int layer, int layers) => layer == layers - 1 ? FinalRows : Rows;

    /// <summary>The slot of a pass over these rows, for <see cref="Device.Replay{TState}"/>.</summary>
    /// <param name="key">The pass.</param>
    /// <returns>Null on a device that does not replay.</returns>
    public RecordedPass? Slot(in PassKey key)
    {
        if (!_device.Replays) return null;
        _passes ??= [];
        if (!_passes.TryGetValue(key, out RecordedPass? slot)) _passes.Add(key, slot = new RecordedPass());
        return slot;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_passes is not null)
        {
            foreach (RecordedPass pass in _passes.Values) pass.Dispose();
        }
        _arrays.Dispose();
    }

    private static int[] PositionsOf(PromptSpan[] spans, int copies)
    {
        var positions = new List<int>();
        for (int c = 0; c < copies; c++)
        {
            foreach (PromptSpan span in spans) positions.AddRange(Enumerable.Range(span.Prefix, span.Length));
        }
        return [.. positions];
    }

    private static int[] AnswerRowsOf(int[] lengths, int copies)
    {
        var rows = new List<int>();
        int end = 0;
        for (int c = 0; c < copies; c++)
        {
            foreach (int length in lengths)
            {
                end += length;
                rows.Add(end - 1);
            }
        }
        return [.. rows];
    }
}
