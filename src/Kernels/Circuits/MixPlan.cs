namespace Gradpath.Kernels.Circuits;

/// <summary>
/// Which rows of differences make up the inputs of readers in a patched pass, as compressed lists: input i takes the entries
/// Start[i] .. Start[i + 1] of Slot, each with the sign of its input. An operation may take a part of a plan: the inputs from First on.
/// </summary>
/// <param name="Copy">[inputs]: the copy whose total an input may start from.</param>
/// <param name="TakesTotal">
/// [inputs]: 1 where the input starts from the total and subtracts its slots, 0 where it adds them to the baseline.
/// </param>
/// <param name="Start">[inputs + 1].</param>
/// <param name="Slot">[listed]: slot numbers.</param>
/// <param name="Listed">How many slots all inputs list together.</param>
/// <param name="Copies">Copies are below it.</param>
/// <param name="Slots">Slot numbers are below it.</param>
/// <param name="First">The first input that is taken.</param>
internal readonly record struct MixPlan(
    DeviceArray<int> Copy, DeviceArray<int> TakesTotal, DeviceArray<int> Start, DeviceArray<int> Slot, int Listed, int Copies, int Slots,
    int First = 0);
