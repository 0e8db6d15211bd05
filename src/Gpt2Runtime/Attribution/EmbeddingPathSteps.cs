using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// The steps of an embedding path: where each leads, and how far.
///
/// By distance, with D the distance of the output from the target's, D0 what it is at the start, and u the direction: step j = 0 .. k - 1
/// is (D - D0 (k - j - 1/2) / k) / (-grad D . u) long, so that D falls, to first order, in equal parts. It is kept between a tenth of and
/// twice ||e - e'|| / k: the shortest where D is below what is due already, the longest where it is not and does not fall along u at all.
/// Only positions from the pair's first difference on move: before it both prompts are the same.
/// </summary>
internal sealed class EmbeddingPathSteps : ResourceOwner
{
    private const double Shortest = 0.1, Longest = 2, Tiny = 1e-12;

    private readonly Device _device;
    private readonly int _width;
    private readonly int _steps;
    private readonly EmbeddingPathSettings _path;
    private readonly PromptEmbeddings _prompts;
    private readonly EmbeddingPathEnds _ends;
    private readonly EmbeddingPathObjectiveGradient _objective;
    private readonly Tensor _positions;
    private readonly DeviceArray<double> _squares;
    private readonly DeviceArray<double> _along;
    private readonly DeviceArray<double> _lengths;
    private readonly Tensor? _line;
    private readonly Tensor? _mixed;
    private readonly Tensor? _rowFactors;
    private readonly double[] _matched, _first, _distances, _hostSquares, _hostAlong, _hostLengths;
    private readonly float[] _hostFactors;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="settings">Number of steps, and the path.</param>
    /// <param name="prompts">The embeddings of both prompts.</param>
    /// <param name="ends">Where paths start.</param>
    /// <param name="objective">The distance that falls.</param>
    /// <param name="rows">Rows of the largest batch.</param>
    public EmbeddingPathSteps(
        RunContext context,
        ScoringSettings settings,
        PromptEmbeddings prompts,
        EmbeddingPathEnds ends,
        EmbeddingPathObjectiveGradient objective,
        int rows)
    {
        (_device, _width, _steps, _path) = (context.Device, context.Config.Width, settings.Steps, settings.Path);
        (_prompts, _ends, _objective, _positions) = (prompts, ends, objective, context.Weights.PositionEmbedding);
        int items = context.Largest.Length;
        _squares = Own(_device.AllocateArray<double>(items));
        _along = Own(_device.AllocateArray<double>(items));
        _lengths = Own(_device.AllocateArray<double>(items));
        if (_path.Direction != EmbeddingPathDirection.Gradient) _line = Own(_device.Allocate(rows, _width));
        if (_path.Direction is EmbeddingPathDirection.Mixed or EmbeddingPathDirection.Auto)
        {
            _mixed = Own(_device.Allocate(rows, _width));
            _rowFactors = Own(_device.Allocate(rows));
        }
        _matched = new double[items];
        (_first, _distances, _hostLengths) = (new double[items], new double[items], new double[items]);
        (_hostSquares, _hostAlong, _hostFactors) = (new double[items], new double[items], new float[rows]);
        if (_path.Step != EmbeddingPathStep.Unit) return;
        Array.Fill(_hostLengths, 1);
        _lengths.Upload(_hostLengths);
    }

    private bool ByDistance => _path.Step == EmbeddingPathStep.Distance;

    /// <summary>Begins the paths of a batch.</summary>
    /// <param name="one">A pass of one copy.</param>
    public void Begin(PassShape one)
    {
        Tensor line = _line ?? _prompts.Point;
        if (_line is not null || _path.Step != EmbeddingPathStep.Unit)
            _device.Combine(1, _ends.Start, -1, _ends.Target, (long)one.Rows * _width, line);
        if (_path.Step == EmbeddingPathStep.Unit) return;
        Dots(line, line, one, _squares, _hostSquares);
        for (int i = 0; i < one.Items; i++) _hostLengths[i] = _matched[i] = Math.Sqrt(_hostSquares[i]) / _steps;
        _lengths.Upload(_hostLengths.AsSpan(0, one.Items));
    }

    /// <summary>Takes a step, and makes the new point the residual stream at boundary 0.</summary>
    /// <param name="one">A pass of one copy.</param>
    /// <param name="a">Its activations at the point where the step begins; the first boundary is changed.</param>
    /// <param name="gamma">[rows, D]: the point, changed in place.</param>
    /// <param name="gradient">[rows, D]: the gradient of the squared distance there; changed.</param>
    /// <param name="step">The step, from 0.</param>
    public void Take(PassShape one, Activations a, Tensor gamma, Tensor gradient, int step)
    {
        if (ByDistance) _ends.KeepMoving(one, gradient);
        Tensor against = Direction(one, gradient);
        bool ofBatch = _path.Norm == EmbeddingPathNorm.Batch;
        if (ByDistance || ofBatch) _device.SequenceDots(against, against, one.All, _width, _squares);
        if (ByDistance) SetLengths(one, a, gradient, against, step);
        _device.PathStep(
            gamma, against, ByDistance || ofBatch ? _squares : null, _lengths, ofBatch, one.All, _width, _positions, one.Positions,
            a.Boundaries[0].Residual);
    }

    // What a step goes against.
    private Tensor Direction(PassShape one, Tensor gradient)
    {
        if (_path.Direction == EmbeddingPathDirection.Gradient) return gradient;
        if (_path.Direction == EmbeddingPathDirection.Line) return _line!;
        Unit(one, gradient, _mixed!, onlyFromClean: _path.Direction == EmbeddingPathDirection.Auto);
        Unit(one, _line!, _prompts.Point, onlyFromClean: false);
        _device.Combine(1, _mixed!, 1, _prompts.Point, (long)one.Rows * _width, _mixed!);
        return _mixed!;
    }

    // Items at length one; zero where they have no length, or start at the corrupted embedding and are not wanted there.
    private void Unit(PassShape one, Tensor x, Tensor unit, bool onlyFromClean)
    {
        Dots(x, x, one, _squares, _hostSquares);
        for (int i = 0, row = 0; i < one.Items; i++)
        {
            double norm = Math.Sqrt(_hostSquares[i]);
            bool none = norm < Tiny || (onlyFromClean && !_ends.FromClean(i));
            _hostFactors.AsSpan(row, one.Spans[i].Length).Fill(none ? 0 : (float)(1 / norm));
            row += one.Spans[i].Length;
        }
        _rowFactors!.Upload(_hostFactors.AsSpan(0, one.Rows));
        _device.ScaleRows(x, _rowFactors, one.Rows, one.Rows, _width, unit);
    }

    private void SetLengths(PassShape one, Activations a, Tensor gradient, Tensor against, int step)
    {
        _objective.Distances(one, a, _prompts.Point, _along, _distances.AsSpan(0, one.Items));
        if (step == 0) _distances.AsSpan(0, one.Items).CopyTo(_first);
        _squares.Download(_hostSquares.AsSpan(0, one.Items));
        Dots(against, gradient, one, _along, _hostAlong);
        for (int i = 0; i < one.Items; i++)
        {
            double due = _first[i] * (_steps - step - 0.5) / _steps;

            // The gradient is that of the squared distance. At the target it is nothing but rounding.
            double fall = _hostAlong[i] / Math.Sqrt(_hostSquares[i]) / (2 * _distances[i]), left = _distances[i] - due;
            double length = left <= 0 ? 0 : fall > Tiny ? left / fall : double.PositiveInfinity;
            _hostLengths[i] = Math.Clamp(length, Shortest * _matched[i], Longest * _matched[i]);
        }
        _lengths.Upload(_hostLengths.AsSpan(0, one.Items));
    }

    private void Dots(Tensor x, Tensor y, PassShape one, DeviceArray<double> values, double[] host)
    {
        _device.SequenceDots(x, y, one.All, _width, values);
        values.Download(host.AsSpan(0, one.Items));
    }
}
