namespace Gradpath.Kernels.Circuits;

/// <summary>Where differences go: two numbers for each, the copy onto whose total it is added and its slot; -1 where it has none.</summary>
/// <param name="Numbers">The numbers.</param>
/// <param name="First">The first difference that is taken.</param>
/// <param name="Count">Number of differences.</param>
/// <param name="Copies">Copies are below it.</param>
/// <param name="Slots">Slots are below it.</param>
internal readonly record struct DifferencePlan(DeviceArray<int> Numbers, int First, int Count, int Copies, int Slots);
