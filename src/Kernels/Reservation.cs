namespace Gradpath.Kernels;

/// <summary>What an allocation gave out: memory, or a planned array's address.</summary>
/// <param name="Address">The address.</param>
/// <param name="Plan">The plan that counts it; null where there is memory at the address.</param>
internal readonly record struct Reservation(nint Address, MemoryPlan? Plan);
