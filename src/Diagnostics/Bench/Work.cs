using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Diagnostics.Bench;

/// <summary>A whole piece of work, ready to run.</summary>
/// <param name="Name">The name in tables of results: W1 to W7, see <see cref="Works"/>.</param>
/// <param name="Shape">What it is.</param>
/// <param name="Flops">Flops of the products that it cannot do without.</param>
/// <param name="Bytes">Bytes of weights that it has to read at least once.</param>
/// <param name="WholeFlops">Flops of the whole where this is a sample of it, else null.</param>
/// <param name="Run">Runs it once.</param>
/// <param name="Passes">
/// Runs so many of its passes (batches of pairs, steps of W7) and reports before each and in it, for <see cref="PassMeter"/>; of W4 always
/// the sample.
/// </param>
internal sealed record Work(
    string Name,
    string Shape,
    double Flops,
    double Bytes,
    double? WholeFlops,
    Action Run,
    Action<int, IProgress<RunProgress>?> Passes);
