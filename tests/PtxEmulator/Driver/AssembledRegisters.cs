namespace Gradpath.PtxEmulator;

/// <summary>
/// Registers of a thread of the committed kernels, by NVIDIA's assembler (ptxas 13.0) for each target. Kernels newer than the table are
/// not in it; a kernel that has changed since keeps its line until it is assembled again.
/// </summary>
internal static class AssembledRegisters
{
    private static readonly int[] s_capabilities = [80, 86, 89, 90, 100, 120];

    // Entry point, then its registers for each of these.
    private const string Table = """
        multiplyRows 18 18 18 18 18 18
        relu 22 22 22 24 24 24
        geluErf 28 27 27 28 28 27
        geluTanh 24 26 26 24 24 25
        attentionKeyGradient 128 140 140 96 108 106
        attentionQueryGradient8 180 190 190 196 154 148
        attention8 168 143 143 145 150 142
        attentionQueryGradient4 128 108 108 128 90 108
        attention4 128 128 128 127 96 128
        attentionQueryGradient2 94 92 92 95 72 96
        attention2 93 93 93 112 94 96
        contractAddSlices 32 40 40 32 32 40
        contractEdges80 168 168 168 168 167 167
        contractEdges64 167 167 167 160 160 158
        contractEdges40 119 119 119 111 113 109
        contractEdges24 89 89 89 79 80 77
        contractEdges8 56 56 56 48 48 44
        sumShares 26 24 24 22 22 20
        proximityShares 56 48 48 47 47 48
        finishReaders 40 40 40 64 64 64
        accumulateReaders 72 64 64 64 64 64
        gemmAddSplits 21 38 38 20 20 32
        gemmPlain 32 40 40 32 32 40
        gemmBf16Nn32x128 120 120 120 126 118 113
        gemmBf16Nn64x64 120 120 120 125 117 113
        gemmBf16Nn128x128 154 154 154 154 150 144
        gemmBf16Nt32x128 106 106 106 120 102 92
        gemmBf16Nt64x64 106 106 106 122 104 94
        gemmBf16Nt128x128 139 139 139 154 139 130
        gemmFfma32x128 96 96 96 96 96 105
        gemmFfma64x64 93 95 95 95 95 95
        gemmFfma128x64 147 161 161 159 159 147
        gemmFfma128x128 128 128 128 128 128 128
        gemmTf32Nn32x128 99 99 99 98 96 92
        gemmTf32Nn64x64 98 98 98 96 94 92
        gemmTf32Nn128x128 132 132 132 130 128 120
        gemmTf32Nt32x128 110 110 110 106 98 96
        gemmTf32Nt64x64 110 110 110 106 100 96
        gemmTf32Nt128x128 140 140 140 144 132 128
        gemmTf32x3Nn32x128 154 154 154 152 150 144
        gemmTf32x3Nn64x64 152 152 152 152 150 144
        gemmTf32x3Nn128x64 232 232 232 232 228 224
        gemmTf32x3Nn128x128 232 232 232 232 228 224
        gemmTf32x3Nt32x128 147 147 147 148 144 140
        gemmTf32x3Nt64x64 147 147 147 150 146 142
        gemmTf32x3Nt128x64 228 228 228 230 226 222
        gemmTf32x3Nt128x128 228 228 228 230 226 222
        standardize 18 20 20 18 18 18
        layerNormBackward 138 136 136 168 168 131
        layerNorm 48 48 48 55 55 55
        argMax 16 14 14 16 16 18
        rowDots 40 40 40 40 40 40
        probabilityDistanceGradient 32 39 39 32 32 40
        klDivergence 39 43 43 39 39 44
        probabilityDifference 32 44 44 32 32 44
        weightedRowSums 32 40 40 32 32 38
        logSoftmax 30 34 34 30 30 29
        adamWStep 30 31 31 30 30 31
        gateMaskGradients 30 30 30 30 30 29
        edgeMaskGradients 18 18 18 18 18 16
        placeMasks 16 16 16 14 14 16
        sampleHardConcrete 30 31 31 30 30 30
        mixInputs 32 36 36 32 32 36
        pathStep 26 26 26 25 25 25
        sumSplits 30 30 30 30 28 28
        sequenceDots 32 40 40 32 32 40
        mirrorUpperTriangle 17 17 17 22 22 18
        fill 14 12 12 16 16 16
        combine 18 18 18 18 18 18
        copyMatrix 16 16 16 12 12 16
        subtractRows 18 18 18 18 18 18
        scaleRows 18 14 14 18 18 14
        scatterAddRows 18 18 18 18 18 20
        gatherRows 18 21 21 18 18 22
        """;

    private static readonly Dictionary<string, int[]> s_registers = Table.Split('\n').Select(l => l.Split(' ')).ToDictionary(
        l => l[0], l => Array.ConvertAll(l[1..], int.Parse));

    /// <summary>The entry points that the table has.</summary>
    public static IReadOnlyCollection<string> Kernels => s_registers.Keys;

    /// <summary>Registers of a thread.</summary>
    /// <param name="kernel">The entry point.</param>
    /// <param name="capability">Compute capability, times ten; of one that the table lacks the last one before it counts.</param>
    /// <returns>The number, or null where the table lacks the kernel.</returns>
    public static int? Of(string kernel, int capability) => s_registers.TryGetValue(kernel, out int[]? registers)
        ? registers[Math.Max(0, Array.FindLastIndex(s_capabilities, c => c <= capability))]
        : null;
}
