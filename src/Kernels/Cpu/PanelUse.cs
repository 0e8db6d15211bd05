namespace Gradpath.Kernels.Cpu;

/// <summary>Where a tile finds its panel of B.</summary>
internal enum PanelUse
{
    /// <summary>Packed before: [depth, columns], contiguous and aligned.</summary>
    Packed,

    /// <summary>Packed before; the tile also asks the cache for the panel of B that comes next.</summary>
    PackedPrefetchNext,

    /// <summary>In B itself, row by row; the tile also writes the packed copy that the tiles below it read.</summary>
    PackOnTheWay,

    /// <summary>In B itself, row by row; there are no other tiles to pack it for.</summary>
    InPlace,
}
