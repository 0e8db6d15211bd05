namespace Gradpath.Kernels.Circuits;

/// <summary>The constants of AdamW that no step changes.</summary>
/// <param name="WeightDecay">Share of the parameter that a step of size 1 takes off.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
internal readonly record struct AdamWOptions(double WeightDecay, double Beta1, double Beta2, double Epsilon);
