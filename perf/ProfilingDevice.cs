using System.Diagnostics;
using Gradpath.Kernels;

namespace Gradpath.Perf;

/// <summary>What an op has cost so far.</summary>
internal sealed class OpCost
{
    public long Calls { get; set; }

    public double Seconds { get; set; }

    public double Flops { get; set; }
}

/// <summary>
/// A device that hands every op on to another one and keeps its time; it waits for each op, so that a GPU's time falls to the op that took it.
/// Matrix products are told apart by shape. Passes are not recorded, or their ops could not be seen.
/// </summary>
internal sealed class ProfilingDevice(Device inner) : Device
{
    private readonly Dictionary<nint, DeviceArray<byte>> _blocks = [];
    private readonly Dictionary<string, OpCost> _costs = [];

    /// <summary>Costs by op.</summary>
    public IReadOnlyDictionary<string, OpCost> Costs => _costs;

    public override string Name => inner.Name;

    public override string Description => inner.Description;

    public override MatrixPrecision Precision => inner.Precision;

    public override MatrixProvider Multiplier => inner.Multiplier;

    public override long FreeMemory => inner.FreeMemory;

    /// <summary>Forgets the costs.</summary>
    public void Clear() => _costs.Clear();

    public override Tensor Adopt(nint hostAddress, int[] shape, object keepAlive) => inner.Adopt(hostAddress, shape, keepAlive);

    public override void Upload<T>(ReadOnlySpan<T> source, DeviceArray<T> target)
    {
        using (Time(nameof(Upload))) inner.Upload(source, target);
    }

    public override void Download<T>(DeviceArray<T> source, Span<T> target)
    {
        using (Time(nameof(Download))) inner.Download(source, target);
    }

    public override void Synchronize() => inner.Synchronize();

    public override void Activate(ActivationFunction function, Tensor x, long length, Tensor output)
    {
        using (Time(nameof(Activate))) inner.Activate(function, x, length, output);
    }

    public override void MultiplyRows(Tensor gradient, Tensor derivative, int rows, int activationRows, int width)
    {
        using (Time(nameof(MultiplyRows))) inner.MultiplyRows(gradient, derivative, rows, activationRows, width);
    }

    public override void Attention(Tensor q, Tensor kv, SequenceLayout layout, int heads, int headWidth, float scale, Tensor probabilities, Tensor z, Tensor? prefix = null)
    {
        using (Time(nameof(Attention))) inner.Attention(q, kv, layout, heads, headWidth, scale, probabilities, z, prefix);
    }

    public override void AttentionBackward(Tensor dz, Tensor q, Tensor kv, Tensor probabilities, SequenceLayout layout, int heads, int headWidth, float scale, int cotangents, Tensor dq, Tensor dkv, Tensor? prefix = null)
    {
        using (Time(nameof(AttentionBackward))) inner.AttentionBackward(dz, q, kv, probabilities, layout, heads, headWidth, scale, cotangents, dq, dkv, prefix);
    }

    public override void AccumulateReaders(Tensor dy, Tensor y, Tensor constant, Tensor gainSums, Tensor rstd, int readers, int headWidth, int width, int rows, int activationRows, int baseRows, Tensor sums, Tensor offsets, Tensor coefficients, int firstPoint)
    {
        using (Time(nameof(AccumulateReaders))) inner.AccumulateReaders(dy, y, constant, gainSums, rstd, readers, headWidth, width, rows, activationRows, baseRows, sums, offsets, coefficients, firstPoint);
    }

    public override void FinishReaders(Tensor gradients, long firstElement, Tensor gain, Tensor offsets, Tensor coefficients, Tensor standardized, int readers, int rows, int width, int points)
    {
        using (Time(nameof(FinishReaders))) inner.FinishReaders(gradients, firstElement, gain, offsets, coefficients, standardized, readers, rows, width, points);
    }

    public override void ContractEdges(Tensor delta, int writers, Tensor gradients, int readers, long length, DeviceArray<double> scores, int stride, int firstColumn)
    {
        using (Time(nameof(ContractEdges))) inner.ContractEdges(delta, writers, gradients, readers, length, scores, stride, firstColumn);
    }

    public override void Proximity(Tensor input, Tensor writerOutputs, int writers, int rows, int width, Tensor rowWeights, DeviceArray<double> scores, int stride, int column)
    {
        using (Time(nameof(Proximity))) inner.Proximity(input, writerOutputs, writers, rows, width, rowWeights, scores, stride, column);
    }

    public override void LayerNorm(Tensor x, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd, Tensor y)
    {
        using (Time(nameof(LayerNorm))) inner.LayerNorm(x, gain, shift, epsilon, rows, width, mean, rstd, y);
    }

    public override void LayerNormBackward(Tensor dy, Tensor x, Tensor gain, Tensor mean, Tensor rstd, int rows, int activationRows, int width, Tensor residualGradient, Tensor? reader, int baseRows, int contributingRows)
    {
        using (Time(nameof(LayerNormBackward))) inner.LayerNormBackward(dy, x, gain, mean, rstd, rows, activationRows, width, residualGradient, reader, baseRows, contributingRows);
    }

    public override void Standardize(Tensor x, Tensor mean, Tensor rstd, DeviceArray<int>? indices, int rows, int width, Tensor output, int outputRow)
    {
        using (Time(nameof(Standardize))) inner.Standardize(x, mean, rstd, indices, rows, width, output, outputRow);
    }

    public override void LogSoftmax(Tensor logits, int rows, int vocabulary)
    {
        using (Time(nameof(LogSoftmax))) inner.LogSoftmax(logits, rows, vocabulary);
    }

    public override void WeightedRowSums(Tensor table, AnswerTokens answers, int items, int width, Tensor output)
    {
        using (Time(nameof(WeightedRowSums))) inner.WeightedRowSums(table, answers, items, width, output);
    }

    public override void ProbabilityDifference(Tensor logProbabilities, AnswerTokens answers, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient)
    {
        using (Time(nameof(ProbabilityDifference))) inner.ProbabilityDifference(logProbabilities, answers, items, rows, vocabulary, values, gradient);
    }

    public override void KlDivergence(Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient)
    {
        using (Time(nameof(KlDivergence))) inner.KlDivergence(logProbabilities, target, items, rows, vocabulary, values, gradient);
    }

    public override void ProbabilityDistanceGradient(Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, Tensor gradient)
    {
        using (Time(nameof(ProbabilityDistanceGradient))) inner.ProbabilityDistanceGradient(logProbabilities, target, items, rows, vocabulary, gradient);
    }

    public override void RowDots(Tensor x, Tensor y, int period, int rows, int width, DeviceArray<double> values)
    {
        using (Time(nameof(RowDots))) inner.RowDots(x, y, period, rows, width, values);
    }

    public override void ArgMax(Tensor x, int rows, int width, DeviceArray<int> indices)
    {
        using (Time(nameof(ArgMax))) inner.ArgMax(x, rows, width, indices);
    }

    public override void SampleHardConcrete(Tensor logAlpha, int count, ulong seed, uint step, Tensor z, Tensor slope)
    {
        using (Time(nameof(SampleHardConcrete))) inner.SampleHardConcrete(logAlpha, count, seed, step, z, slope);
    }

    public override void PlaceMasks(Tensor z, MaskLayout layout, Tensor mask)
    {
        using (Time(nameof(PlaceMasks))) inner.PlaceMasks(z, layout, mask);
    }

    public override void MaskGradients(DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, double edgePull, double gatePull, Tensor gradient)
    {
        using (Time(nameof(MaskGradients))) inner.MaskGradients(scores, layout, z, slope, scale, edgePull, gatePull, gradient);
    }

    public override void AdamWStep(Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWStepOptions options)
    {
        using (Time(nameof(AdamWStep))) inner.AdamWStep(parameters, gradient, firstMoment, secondMoment, count, options);
    }

    public override void MixInputs(Tensor baseline, Tensor total, Tensor differences, MixPlan plan, int inputs, int rows, int width, Tensor output)
    {
        using (Time(nameof(MixInputs))) inner.MixInputs(baseline, total, differences, plan, inputs, rows, width, output);
    }

    public override void SequenceDots(Tensor x, Tensor y, SequenceLayout layout, int width, DeviceArray<double> values)
    {
        using (Time(nameof(SequenceDots))) inner.SequenceDots(x, y, layout, width, values);
    }

    public override void PathStep(Tensor gamma, Tensor gradient, DeviceArray<double> squaredNorms, DeviceArray<double> stepLengths, bool wholeBatchNorm, SequenceLayout layout, int width)
    {
        using (Time(nameof(PathStep))) inner.PathStep(gamma, gradient, squaredNorms, stepLengths, wholeBatchNorm, layout, width);
    }

    public override void GatherRows(Tensor table, DeviceArray<int> indices, int count, int width, Tensor output, Tensor? addend = null)
    {
        using (Time(nameof(GatherRows))) inner.GatherRows(table, indices, count, width, output, addend);
    }

    public override void ScatterAddRows(Tensor source, DeviceArray<int> indices, int count, int width, Tensor target)
    {
        using (Time(nameof(ScatterAddRows))) inner.ScatterAddRows(source, indices, count, width, target);
    }

    public override void Combine(float alpha, Tensor a, float beta, Tensor b, long length, Tensor output)
    {
        using (Time(nameof(Combine))) inner.Combine(alpha, a, beta, b, length, output);
    }

    public override void Fill(Tensor target, float value, long length)
    {
        using (Time(nameof(Fill))) inner.Fill(target, value, length);
    }

    public override void ScaleRows(Tensor x, Tensor factors, int period, int rows, int width, Tensor output)
    {
        using (Time(nameof(ScaleRows))) inner.ScaleRows(x, factors, period, rows, width, output);
    }

    public override void CopyBlock(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length)
    {
        using (Time(nameof(CopyBlock))) inner.CopyBlock(source, sourceOffset, target, targetOffset, length);
    }

    public override void AddBlock(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length)
    {
        using (Time(nameof(AddBlock))) inner.AddBlock(source, sourceOffset, target, targetOffset, length);
    }

    public override void CopyMatrix(in Matrix source, in Matrix target)
    {
        using (Time(nameof(CopyMatrix))) inner.CopyMatrix(source, target);
    }

    public override void SubtractRows(Tensor x, Tensor y, int period, int rows, int width)
    {
        using (Time(nameof(SubtractRows))) inner.SubtractRows(x, y, period, rows, width);
    }

    public override void MirrorUpperTriangle(Tensor matrix, int size)
    {
        using (Time(nameof(MirrorUpperTriangle))) inner.MirrorUpperTriangle(matrix, size);
    }

    protected override void GemmCore(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options)
    {
        string batch = options.Batch > 1 ? $", {options.Batch} at once" : "";
        double flops = 2.0 * options.Batch * c.Rows * c.Columns * a.OperandColumns;
        using (Time($"Gemm {c.Rows} x {c.Columns} x {a.OperandColumns}{batch}", flops)) inner.Gemm(a, b, c, options);
    }

    protected override nint AllocateCore(long bytes)
    {
        using Timing timing = Time("allocation");
        DeviceArray<byte> block = inner.AllocateArray<byte>(bytes);
        lock (_blocks) _blocks.Add(block.Address, block);
        return block.Address;
    }

    protected override void FreeCore(nint address, long bytes)
    {
        DeviceArray<byte>? block;
        lock (_blocks) _blocks.Remove(address, out block);
        block?.Dispose();
    }

    private Timing Time(string op, double flops = 0) => new(this, op, flops);

    private readonly struct Timing : IDisposable
    {
        private readonly ProfilingDevice _device;
        private readonly string _op;
        private readonly double _flops;
        private readonly long _start;

        public Timing(ProfilingDevice device, string op, double flops)
        {
            (_device, _op, _flops) = (device, op, flops);
            device.Synchronize();
            _start = Stopwatch.GetTimestamp();
        }

        public void Dispose()
        {
            _device.Synchronize();
            double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
            if (!_device._costs.TryGetValue(_op, out OpCost? cost)) _device._costs.Add(_op, cost = new OpCost());
            cost.Calls++;
            cost.Seconds += seconds;
            cost.Flops += _flops;
        }
    }
}
