namespace Gradpath.Kernels.Circuits;

/// <summary>
/// Where the members of a group of products lie: four numbers for each, its index of A, of B and of C, and the stride of C. A member's
/// operand starts at its index times the operand's step.
/// </summary>
/// <param name="Entries">The numbers.</param>
/// <param name="First">The first member that is taken.</param>
/// <param name="Count">Number of members.</param>
/// <param name="MostA">The largest index of A.</param>
/// <param name="MostB">The largest index of B.</param>
/// <param name="MostC">The largest index of C.</param>
internal readonly record struct ProductTable(DeviceArray<int> Entries, int First, int Count, int MostA, int MostB, int MostC)
{
    /// <summary>Numbers of a member.</summary>
    public const int Numbers = 4;
}
