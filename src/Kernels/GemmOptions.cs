namespace Gradpath.Kernels;

/// <summary>What a product does beyond C = A B.</summary>
/// <param name="Accumulate">Add to C in place of overwriting it.</param>
/// <param name="Bias">A row of C's width added to every row of C, or null.</param>
/// <param name="Batch">Number of products of the same shape; 0 and 1 both mean one.</param>
/// <param name="StepA">Distance between the first elements of two successive A in their storage.</param>
/// <param name="StepB">The same for B.</param>
/// <param name="StepC">The same for C. The C of a batch must not overlap.</param>
internal readonly record struct GemmOptions(
    bool Accumulate = false,
    Tensor? Bias = null,
    int Batch = 1,
    long StepA = 0,
    long StepB = 0,
    long StepC = 0);
