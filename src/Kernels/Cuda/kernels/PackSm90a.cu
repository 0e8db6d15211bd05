// A factor B of matrix products, packed once for GemmSm90a.cu: halves, high and low, of B times a power of two per column.
//
// Columns come in blocks of 192, k in steps of 32; beyond the matrix there are zeros. A block of columns has its steps one after the other,
// each with the high halves and then the low ones: 192 rows (columns of B) of 32 k, 64 bytes, their four 16-byte pieces permuted as the
// product's shared memory has them (swizzledPiece).
#include "halves.cuh"
#include "hopper.cuh"

// A block packs 32 columns; thread t has column t % 32 and, of each 64 k, the 8 from t / 32 * 8 on. Element (k, column) lies at
// data[k * stepK + column * stepColumn].
KERNEL __launch_bounds__(kPackThreads)
packFactor(const float* __restrict__ data, uint32* __restrict__ packed, float* __restrict__ back, int columns, int k, int64 stepK,
           int64 stepColumn, int chunks) {
  __shared__ float most[kPackThreads / kWarp][kWarp];
  const int column = blockX() * kWarp + lane();
  const float* from = data + column * stepColumn;
  const int end = column < columns ? k : 0;
  float mine = 0;
#pragma unroll 1
  for (int first = warp() * 8; first < end; first += 64) {
#pragma unroll
    for (int i = 0; i < 8; i++) {
      if (first + i < end) mine = largest(mine, magnitude(from[(first + i) * stepK]));
    }
  }
  most[warp()][lane()] = mine;
  barrier();
#pragma unroll
  for (int w = 0; w < kPackThreads / kWarp; w++) mine = largest(mine, most[w][lane()]);
  const uint32 top = topAfter(kLeastTop, mine);
  if (warp() == 0) back[column] = backFrom(top);

  const int row = column % kPackedColumns;
  uint32* to = packed + (int64)(column / kPackedColumns) * chunks * (kPackedColumns * 32);
#pragma unroll 1
  for (int first = warp() * 8; first < chunks * kPackedDepth; first += 64) {
    float x[8];
#pragma unroll
    for (int i = 0; i < 8; i++) x[i] = first + i < end ? from[(first + i) * stepK] : 0.0f;
    HalfParts parts[4];
#pragma unroll
    for (int i = 0; i < 4; i++) parts[i] = splitToHalves(x[2 * i], x[2 * i + 1], toHalvesOf(top));
    uint32* at = to + first / kPackedDepth * (kPackedColumns * 32) + swizzledPiece(row, first / 8 % 4) / 4;
    *(uint4*)at = {parts[0].high, parts[1].high, parts[2].high, parts[3].high};
    *(uint4*)(at + kPackedColumns * 16) = {parts[0].low, parts[1].low, parts[2].low, parts[3].low};
  }
}
