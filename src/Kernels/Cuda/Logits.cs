namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <inheritdoc />
    public override void LogSoftmax(Tensor logits, int rows, int vocabulary) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void WeightedRowSums(Tensor table, AnswerTokens answers, int items, int width, Tensor output) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void ProbabilityDifference(Tensor logProbabilities, AnswerTokens answers, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void KlDivergence(Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void ProbabilityDistanceGradient(Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, Tensor gradient) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void RowDots(Tensor x, Tensor y, int period, int rows, int width, DeviceArray<double> values) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void ArgMax(Tensor x, int rows, int width, DeviceArray<int> indices) => throw new NotImplementedException();
}
