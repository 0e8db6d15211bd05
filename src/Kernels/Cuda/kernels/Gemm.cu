// The matrix product's plain kernel, and the second stage of products whose inner dimension was split.
#include "Gemm.cuh"

// One thread per element of C, one fused multiply-add per k in the order of k: the definition, and what tiny products use. Blocks of 16 x
// 16 elements: x = block of C, rows first; z = member of the batch.
KERNEL __launch_bounds__(kPlainSide * kPlainSide) gemmPlain(
    const float* __restrict__ a, const float* __restrict__ b, float* c, const float* __restrict__ bias, int64 stepA, int64 stepB,
    int64 stepC, int m, int n, int k, int64 rowA, int64 depthA, int64 depthB, int64 columnB, int strideC, int accumulate) {
  const int tilesDown = (m + kPlainSide - 1) / kPlainSide;
  const int row = blockX() % tilesDown * kPlainSide + threadX() / kPlainSide;
  const int column = blockX() / tilesDown * kPlainSide + threadX() % kPlainSide;
  if (row >= m || column >= n) return;
  const float* x = a + blockZ() * stepA + row * rowA;
  const float* y = b + blockZ() * stepB + column * columnB;
  float sum = 0;
#pragma unroll 4
  for (int d = 0; d < k; d++) sum = __builtin_fmaf(x[d * depthA], y[d * depthB], sum);
  float* to = c + blockZ() * stepC + (int64)row * strideC + column;
  if (bias) sum += bias[column];
  if (accumulate) sum += *to;
  *to = sum;
}

// C = sum over splits of partials [batch, splits, m, pitch], in their order, plus bias, plus C. One thread per element; x = 256 elements of
// the pitched rows, z = member of the batch.
KERNEL __launch_bounds__(kAddSplitsThreads) gemmAddSplits(
    const float* __restrict__ partials, float* c, const float* __restrict__ bias, int64 stepC, int m, int n, int splits, int strideC,
    int accumulate) {
  const int pitch = partialPitch(n);
  const int64 cells = (int64)m * pitch, cell = (int64)blockX() * kAddSplitsThreads + threadX();
  const int row = (int)(cell / pitch), column = (int)(cell % pitch);
  if (row >= m || column >= n) return;
  const float* from = partials + blockZ() * splits * cells + cell;
  float sum = from[0];
#pragma unroll 4
  for (int s = 1; s < splits; s++) sum += from[s * cells];
  float* to = c + blockZ() * stepC + (int64)row * strideC + column;
  if (bias) sum += bias[column];
  if (accumulate) sum += *to;
  *to = sum;
}
