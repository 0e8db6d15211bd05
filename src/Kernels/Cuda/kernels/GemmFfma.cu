// The matrix product in float32 on the ordinary multiply-add units. Each sum is one fused multiply-add per k, in the order of k.
//
// Block tile kRows x kColumns, kFfmaDepth = 16 k a step, three steps in shared memory (two on their way while one is multiplied). Both
// operands lie there with m or n contiguous, [k][m + 4], so that a thread reads its 8 x 8 (or 8 x 4) factors as 16-byte words: a warp's 8 x
// 4 threads read 8 different words of B (all 32 banks, once) and one word of A for each quarter (a broadcast).
//
//   tile      threads  thread tile  blocks at once  live registers  shared bytes  flops per byte copied
//   128 x 128   256      8 x 8          2           119 of 128        67,584           32
//   128 x 64    128      8 x 8          3           122 of 168        38,400           21.3
//   64 x 64     128      8 x 4          4            83 of 128        26,112           16
//   32 x 128    128      8 x 4          4            85 of 128        32,256           12.8
//
// A step of 8 x 8 costs a thread 1,024 multiply-adds, 64 reads of shared memory and 4 copies of 16 bytes or 16 of 4 for the larger operand.
// The registers are those that the PTX keeps alive, of what the launch bounds leave (RegisterTests), not a compiler's report.
#include "Gemm.cuh"

template <int kRows, int kColumns, int kThreadColumns>
DEVICE void multiplyFfma(GEMM_PARAMETERS) {
  constexpr int kThreadRows = 8;
  constexpr int kWarpRows = 4 * kThreadRows, kWarpColumns = 8 * kThreadColumns;
  constexpr int kWarpsDown = kRows / kWarpRows;
  constexpr int kThreads = kWarpsDown * (kColumns / kWarpColumns) * kWarp;
  constexpr int kPitchA = kRows + kFfmaPadding, kPitchB = kColumns + kFfmaPadding;
  using TileA = OuterMajorTile<kFfmaDepth, kRows, kPitchA, kThreads, true>;
  using TileB = OuterMajorTile<kFfmaDepth, kColumns, kPitchB, kThreads, true>;
  constexpr int kStageFloats = TileA::kFloats + TileB::kFloats;
  extern __shared__ float4 sharedWords[];
  float* shared = (float*)sharedWords;
  const uint32 sharedStart = sharedAddress(shared);

  const BlockPlace<kRows, kColumns> place(m, k, depth);
  const Operand left = {a + blockZ() * stepA, strideA, m, copyA}, right = {b + blockZ() * stepB, strideB, n, copyB};
  const int steps = (place.end - place.first + kFfmaDepth - 1) / kFfmaDepth;
  auto fetch = [&](int step) __attribute__((always_inline)) {
    if (step < steps) {
      const uint32 to = sharedStart + step % kFfmaStages * kStageFloats * 4;
      const int from = place.first + step * kFfmaDepth;
      TileA::copy(to, left, place.row, from, place.end);
      TileB::copy(to + TileA::kFloats * 4, right, place.column, from, place.end);
    }
    copyCommit();
  };

  const int warpRow = warp() % kWarpsDown * kWarpRows, warpColumn = warp() / kWarpsDown * kWarpColumns;
  const int down = lane() / 8 * 4, across = lane() % 8 * 4;
  float sums[kThreadRows][kThreadColumns] = {};
#pragma unroll 1
  for (int step = 1 - kFfmaStages; step < steps; step++) {
    copyWait<kFfmaStages - 2>();
    barrier();
    fetch(step + kFfmaStages - 1);
    if (step < 0) continue;
    const float* stage = shared + anew(step % kFfmaStages * kStageFloats);
    const float* factorsA = stage + warpRow + down;
    const float* factorsB = stage + TileA::kFloats + warpColumn + across;
#pragma unroll 8
    for (int d = 0; d < kFfmaDepth; d++) {
      float x[kThreadRows], y[kThreadColumns];
#pragma unroll
      for (int i = 0; i < kThreadRows; i += 4) *(float4*)(x + i) = *(const float4*)(factorsA + d * kPitchA + i * 4);
#pragma unroll
      for (int j = 0; j < kThreadColumns; j += 4) *(float4*)(y + j) = *(const float4*)(factorsB + d * kPitchB + j * 8);
#pragma unroll
      for (int i = 0; i < kThreadRows; i++) {
#pragma unroll
        for (int j = 0; j < kThreadColumns; j++) sums[i][j] = __builtin_fmaf(x[i], y[j], sums[i][j]);
      }
    }
  }
  copyWait<0>();

  barrier();
  float* tile = shared + (warpRow + down) * kPitchB + warpColumn + across;
#pragma unroll
  for (int i = 0; i < kThreadRows; i++) {
#pragma unroll
    for (int j = 0; j < kThreadColumns; j += 4) {
      *(float4*)(tile + (i / 4 * 16 + i % 4) * kPitchB + j * 8) = {sums[i][j], sums[i][j + 1], sums[i][j + 2], sums[i][j + 3]};
    }
  }
  barrier();
  finishTile<kRows, kColumns, kPitchB, WholeBlock<kThreads>, true>(
      shared, place, c, bias, partials, stepC, m, n, strideC, wideC, accumulate, arrived, {epilogue, other, otherRows});
}

#define FFMA_KERNEL(name, rows, columns, threadColumns, threads, blocks) \
  KERNEL __launch_bounds__(threads, blocks) name(GEMM_PARAMETERS) { multiplyFfma<rows, columns, threadColumns>(GEMM_ARGUMENTS); }

FFMA_KERNEL(gemmFfma128x128, 128, 128, 8, 256, 2)
FFMA_KERNEL(gemmFfma128x64, 128, 64, 8, 128, 3)
FFMA_KERNEL(gemmFfma64x64, 64, 64, 4, 128, 4)
FFMA_KERNEL(gemmFfma32x128, 32, 128, 4, 128, 4)
