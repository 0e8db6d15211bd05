using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>A Lagrange multiplier: one number that AdamW makes grow with its gradient.</summary>
internal sealed class Multiplier
{
    /// <summary>Its value.</summary>
    public double Value { get; private set; }

    /// <summary>Value and moments, for saving.</summary>
    public double[] State
    {
        get => [Value, First, Second];
        set => (Value, First, Second) = (value[0], value[1], value[2]);
    }

    private double First { get; set; }

    private double Second { get; set; }

    /// <summary>One step upwards.</summary>
    /// <param name="gradient">The derivative of the loss by this.</param>
    /// <param name="o">Constants.</param>
    public void Ascend(double gradient, in AdamWStepOptions o)
    {
        double g = -o.GradientScale * gradient;
        First = (o.Beta1 * First) + ((1 - o.Beta1) * g);
        Second = (o.Beta2 * Second) + ((1 - o.Beta2) * g * g);
        Value -= o.LearningRate * o.WeightDecay * Value;
        Value -= o.LearningRate * (First / o.Correction1) / (Math.Sqrt(Second / o.Correction2) + o.Epsilon);
    }
}
