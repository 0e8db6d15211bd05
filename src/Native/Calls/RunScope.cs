using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Native.Handles;
using Gradpath.Native.Objects;

namespace Gradpath.Native.Calls;

/// <summary>A long call: who is told how far it is, what stops it, and the metric of the caller's.</summary>
internal sealed unsafe class RunScope : IProgress<RunProgress>, IDisposable
{
    private const uint IsLoss = 1, IsDistance = 2;

    // A callback that began a run on the device of the run around it would change what that one computes with.
    [ThreadStatic]
    private static bool t_isRunning;

    private readonly RunArguments _arguments;
    private readonly CancellationTokenSource _source;
    private readonly HandleUse<StopObject>? _stop;

    /// <summary>Takes the caller's arguments over.</summary>
    /// <param name="arguments">The arguments; null for none.</param>
    /// <param name="prompts">The prompts of the call, whose places a metric is told; null where a metric is of no use.</param>
    public RunScope(RunArguments* arguments, PromptsObject? prompts)
    {
        if (t_isRunning) throw new CallException(Status.Busy, "a callback cannot begin a long call; begin it when the one at hand is done");
        _arguments = Copy(arguments);
        if (_arguments.Stop != 0) _stop = HandleTable.Use<StopObject>(_arguments.Stop, HandleKind.Stop, "run.stop");
        try
        {
            _source = CancellationTokenSource.CreateLinkedTokenSource(_stop?.Value.Token ?? CancellationToken.None);
            if (_arguments.Metric is not null)
            {
                Metric = MakeMetric(prompts ?? throw CallException.Argument("run.metric is given, and this call has no use for a metric"));
            }
            t_isRunning = true;
        }
        catch
        {
            _stop?.Dispose();
            throw;
        }
    }

    /// <summary>The metric of the caller's; null for none.</summary>
    public Metric? Metric { get; }

    /// <summary>Stops the call.</summary>
    public CancellationToken Cancellation => _source.Token;

    /// <summary>Who is told how far the call is; null for nobody.</summary>
    public IProgress<RunProgress>? Progress => _arguments.Progress is null ? null : this;

    /// <inheritdoc />
    public void Report(RunProgress value)
    {
        int length = Encoding.UTF8.GetByteCount(value.Stage);
        Span<byte> stage = length < 256 ? stackalloc byte[length + 1] : new byte[length + 1];
        Encoding.UTF8.GetBytes(value.Stage, stage);
        stage[length] = 0;
        fixed (byte* text = stage)
        {
            if (_arguments.Progress(_arguments.User, (ulong)value.Done, (ulong)value.Total, text) != 0) _source.Cancel();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        t_isRunning = false;
        _source.Dispose();
        _stop?.Dispose();
    }

    // A caller that was built with an older header knows fewer fields; a newer one may know more, which must be 0.
    private static RunArguments Copy(RunArguments* arguments)
    {
        RunArguments copy = default;
        if (arguments is null) return copy;
        nuint known = (nuint)sizeof(RunArguments), size = arguments->Size;
        if (size < (nuint)sizeof(nuint) || size > 4096) throw CallException.Argument($"run.size is {size}; sizeof(gradpath_run) is needed");
        for (nuint i = known; i < size; i++)
        {
            if (((byte*)arguments)[i] != 0)
            {
                throw CallException.Argument(
                    $"run.size is {size}, and this library knows {known} bytes of gradpath_run; the others must be 0");
            }
        }
        Buffer.MemoryCopy(arguments, &copy, known, Math.Min(size, known));
        return copy;
    }

    private Metric MakeMetric(PromptsObject prompts)
    {
        RunArguments a = _arguments;
        string name = a.MetricName is null ? "custom" : Utf8Text.Required(a.MetricName, a.MetricNameLength, "run.metric_name");
        if ((a.MetricTraits & ~(IsLoss | IsDistance)) != 0)
        {
            throw CallException.Argument(
                $"run.metric_traits is {a.MetricTraits}; GRADPATH_METRIC_LOSS and GRADPATH_METRIC_DISTANCE are known");
        }
        MetricTraits traits = new()
        {
            IsLoss = (a.MetricTraits & IsLoss) != 0,
            MeasuresDistance = (a.MetricTraits & IsDistance) != 0,
        };
        return Gpt2Runtime.Metrics.Metric.Of(
            name, traits, (logits, clean, pair, gradient) => Judge(a, prompts.PlaceOf(pair), logits, clean, gradient));
    }

    private static double Judge(
        RunArguments a, int pair, ReadOnlySpan<float> logits, ReadOnlySpan<float> clean, Span<float> gradient)
    {
        double value = double.NaN;
        int failed;
        fixed (float* l = logits, c = clean, g = gradient)
            failed = a.Metric(a.User, (nuint)pair, l, c, (nuint)logits.Length, gradient.IsEmpty ? null : g, &value);
        if (failed != 0) throw new CallException(Status.Callback, $"the metric's function has failed with {failed} at pair {pair}");
        return double.IsFinite(value)
            ? value
            : throw new CallException(Status.Callback, $"the metric's function gave {value} at pair {pair}; a finite number is needed");
    }
}
