using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>One way of launching a kernel.</summary>
/// <param name="Plan">The plan of the product; null where the op has none.</param>
/// <param name="Check">The op, whose name says what is special.</param>
internal sealed record PlanVariant(Func<GemmShape, GemmPlan>? Plan, OpCheck Check);
