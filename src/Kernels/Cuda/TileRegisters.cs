namespace Gradpath.Kernels.Cuda;

/// <summary>
/// Registers of a thread of every tile kernel, by NVIDIA's assembler (ptxas 13.0) from the PTX of this project: for plans that do not wait
/// for a driver, and so that the plans, and with them the bits, do not depend on its version.
/// </summary>
internal static class TileRegisters
{
    private static readonly int[] s_capabilities = [80, 86, 89, 90, 100, 120];

    // The kernel's registers for each of these. Those of gemmFp16x3 are not assembled yet: they are the values that are live at once in the
    // PTX and 28 more, about the most that the assembler has added for the like kernels of TF32, up to what the launch bounds allow.
    private static readonly Dictionary<string, int[]> s_registers = new()
    {
        ["gemmBf16Nn32x128"] = [120, 120, 120, 126, 118, 113],
        ["gemmBf16Nn64x64"] = [120, 120, 120, 125, 117, 113],
        ["gemmBf16Nn128x128"] = [154, 154, 154, 154, 150, 144],
        ["gemmBf16Nt32x128"] = [106, 106, 106, 120, 102, 92],
        ["gemmBf16Nt64x64"] = [106, 106, 106, 122, 104, 94],
        ["gemmBf16Nt128x128"] = [139, 139, 139, 154, 139, 130],
        ["gemmFfma32x128"] = [96, 96, 96, 96, 96, 105],
        ["gemmFfma64x64"] = [93, 95, 95, 95, 95, 95],
        ["gemmFfma128x64"] = [147, 161, 161, 159, 159, 147],
        ["gemmFfma128x128"] = [128, 128, 128, 128, 128, 128],
        ["gemmFp16x3Nn32x128"] = [243, 243, 243, 243, 243, 243],
        ["gemmFp16x3Nn64x64"] = [219, 219, 219, 219, 219, 219],
        ["gemmFp16x3Nn128x128"] = [251, 251, 251, 251, 251, 251],
        ["gemmFp16x3Nt32x128"] = [244, 244, 244, 244, 244, 244],
        ["gemmFp16x3Nt64x64"] = [223, 223, 223, 223, 223, 223],
        ["gemmFp16x3Nt128x128"] = [255, 255, 255, 255, 255, 255],
        // Stated to the assembler: 384 threads share all registers, and give and take from there.
        ["gemmSm90a128x192"] = [168, 168, 168, 168, 168, 168],
        ["gemmTf32Nn32x128"] = [99, 99, 99, 98, 96, 92],
        ["gemmTf32Nn64x64"] = [98, 98, 98, 96, 94, 92],
        ["gemmTf32Nn128x128"] = [132, 132, 132, 130, 128, 120],
        ["gemmTf32Nt32x128"] = [110, 110, 110, 106, 98, 96],
        ["gemmTf32Nt64x64"] = [110, 110, 110, 106, 100, 96],
        ["gemmTf32Nt128x128"] = [140, 140, 140, 144, 132, 128],
        ["gemmTf32x3Nn32x128"] = [154, 154, 154, 152, 150, 144],
        ["gemmTf32x3Nn64x64"] = [152, 152, 152, 152, 150, 144],
        ["gemmTf32x3Nn128x64"] = [232, 232, 232, 232, 228, 224],
        ["gemmTf32x3Nn128x128"] = [232, 232, 232, 232, 228, 224],
        ["gemmTf32x3Nt32x128"] = [147, 147, 147, 148, 144, 140],
        ["gemmTf32x3Nt64x64"] = [147, 147, 147, 150, 146, 142],
        ["gemmTf32x3Nt128x64"] = [228, 228, 228, 230, 226, 222],
        ["gemmTf32x3Nt128x128"] = [228, 228, 228, 230, 226, 222],
    };

    /// <summary>The compute capabilities that the table knows, times ten.</summary>
    public static IReadOnlyList<int> Capabilities => s_capabilities;

    /// <summary>Registers of a thread.</summary>
    /// <param name="kernel">The entry point.</param>
    /// <param name="capability">Compute capability, times ten; of one that the table lacks the last one before it counts.</param>
    /// <returns>The number, or null where the table lacks the kernel.</returns>
    public static int? Of(string kernel, int capability)
    {
        if (!s_registers.TryGetValue(kernel, out int[]? registers)) return null;
        int column = Array.FindLastIndex(s_capabilities, c => c <= capability);
        return registers[Math.Max(column, 0)];
    }
}
