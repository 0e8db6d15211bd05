namespace Gradpath.Kernels.Circuits;

/// <summary>The constants of one AdamW step.</summary>
/// <param name="LearningRate">Step size.</param>
/// <param name="WeightDecay">Share of the parameter that a step of size 1 takes off.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="Step">Number of this step, from 1.</param>
/// <param name="GradientScale">Factor on the gradient (clipping).</param>
internal readonly record struct AdamWStepOptions(
    double LearningRate, double WeightDecay, double Beta1, double Beta2, double Epsilon, int Step, double GradientScale)
{
    /// <summary>1 - Beta1^Step.</summary>
    public double Correction1 => 1 - Math.Pow(Beta1, Step);

    /// <summary>1 - Beta2^Step.</summary>
    public double Correction2 => 1 - Math.Pow(Beta2, Step);
}
