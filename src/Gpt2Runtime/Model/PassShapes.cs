using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The layouts of a run's passes by what they lay out. Batches of a data set are often of the same shape: such a batch needs no upload,
/// and a device that replays passes finds those it has recorded.
/// </summary>
/// <param name="device">The device.</param>
internal sealed class PassShapes(Device device) : IDisposable
{
    /// <summary>Layouts that are kept: more than any method uses at once, so that nothing in use is dropped.</summary>
    public const int Most = 64;

    private readonly List<PassShape> _recent = [];

    /// <summary>A layout, made at its first use. It belongs to this object and is good until many others have been asked for.</summary>
    /// <param name="spans">The positions of each prompt that are run.</param>
    /// <param name="copies">How often the prompts are repeated.</param>
    /// <param name="answerOnly">Whether the last layer is only needed at the answer positions.</param>
    /// <returns>The layout.</returns>
    public PassShape Get(PromptSpan[] spans, int copies, bool answerOnly)
    {
        int index = _recent.Count - 1;
        while (index >= 0 && !IsFor(_recent[index], spans, copies, answerOnly)) index--;
        PassShape shape;
        if (index >= 0)
        {
            shape = _recent[index];
            _recent.RemoveAt(index);
        }
        else
        {
            shape = new PassShape(device, spans, copies, answerOnly);
            if (_recent.Count == Most)
            {
                _recent[^1].Dispose();
                _recent.RemoveAt(Most - 1);
            }
        }
        _recent.Insert(0, shape);
        return shape;
    }

    /// <summary>Bytes that the layouts take that are kept now.</summary>
    /// <returns>The bytes.</returns>
    public long PlannedBytes() => device.PlannedBytes(() =>
    {
        foreach (PassShape shape in _recent) _ = new PassShape(device, shape.Spans, shape.Copies, shape.AnswerOnly);
    });

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (PassShape shape in _recent) shape.Dispose();
        _recent.Clear();
    }

    private static bool IsFor(PassShape shape, PromptSpan[] spans, int copies, bool answerOnly) =>
        shape.Copies == copies && shape.AnswerOnly == answerOnly && shape.Spans.AsSpan().SequenceEqual(spans);
}
