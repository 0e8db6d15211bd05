using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private Kernel? _logSoftmax, _weightedRowSums, _probabilityDifference, _klDivergence, _probabilityDistanceGradient, _rowDots, _argMax;

    private protected override void LogSoftmaxCore(Tensor logits, int rows, int vocabulary) =>
        Launch(Load(ref _logSoftmax, "Logits", "logSoftmax"), rows, WideRowThreads, 0, logits, vocabulary);

    private protected override void WeightedRowSumsCore(Tensor table, in AnswerTokens answers, int items, int width, Tensor output)
    {
        RowSplit split = RowSplit.Of(width, table.Address, output.Address);
        Launch(
            Load(ref _weightedRowSums, "Logits", "weightedRowSums"),
            split.Blocks(items),
            split.Threads,
            0,
            table,
            answers.Start,
            answers.Token,
            answers.Weight,
            split.Parts,
            width,
            split.Quads,
            output);
    }

    private protected override void ProbabilityDifferenceCore(
        Tensor logProbabilities, in AnswerTokens answers, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient)
    {
        Kernel kernel = Load(ref _probabilityDifference, "Logits", "probabilityDifference");
        int marks = gradient is null ? 0 : Blocks(vocabulary, BitsPerWord) * sizeof(uint);
        Launch(
            kernel,
            rows,
            WideRowThreads,
            marks,
            logProbabilities,
            answers.Start,
            answers.Token,
            answers.Weight,
            items,
            vocabulary,
            values,
            gradient);
    }

    private protected override void KlDivergenceCore(
        Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient) =>
        Launch(
            Load(ref _klDivergence, "Logits", "klDivergence"),
            rows,
            WideRowThreads,
            0,
            logProbabilities,
            target,
            items,
            vocabulary,
            values,
            gradient);

    private protected override void ProbabilityDistanceGradientCore(
        Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, Tensor gradient) => Launch(
        Load(ref _probabilityDistanceGradient, "Logits", "probabilityDistanceGradient"), rows, WideRowThreads, 0, logProbabilities, target,
        items, vocabulary, gradient);

    private protected override void RowDotsCore(Tensor x, Tensor y, int period, int rows, int width, DeviceArray<double> values)
    {
        bool quads = RowSplit.Of(width, x.Address, y.Address).Quads;
        Launch(
            Load(ref _rowDots, "Logits", "rowDots"),
            Blocks(rows, RowDotsThreads / Warp),
            RowDotsThreads,
            0,
            x,
            y,
            period,
            rows,
            width,
            quads,
            values);
    }

    private protected override void ArgMaxCore(Tensor x, int rows, int width, DeviceArray<int> indices) =>
        Launch(Load(ref _argMax, "Logits", "argMax"), rows, WideRowThreads, 0, x, width, indices);
}
