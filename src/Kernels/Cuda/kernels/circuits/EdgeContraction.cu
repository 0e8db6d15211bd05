// The edge contraction: scores [writers, readers] += delta [writers, length] G^T [length, readers], with a length (rows times D) of a
// hundred thousand and more. Both operands are read along their rows, and delta once: a block's tile is 64 writers times all readers of a
// layer (up to 80), for one slice of the length. Sums are float32 within a slice, by three TF32 products (GemmMma.cuh), which keeps tensor
// cores ahead of memory; the slices' sums are added in float64 in a fixed order.
//
// Bytes and operations for 157 writers, 37 readers and 245,760 elements: 154 MB of delta and 36 MB of G from memory (G again from the
// second-level cache for each of 3 tiles of writers); 2.9 GFLOP, 11.3 as TF32 with the tiles' edges. Four warps of 16 writers.
//
//   readers of a tile         8       24      40      64      80
//   blocks at once            4       4       4       3       3
//   live registers           62       73      81      95      101     of 128, 128, 128, 168, 168 (RegisterTests)
//   shared bytes, 4 stages    36,864  45,056  53,248  65,536  73,728
#include "GemmMma.cuh"

#define CONTRACTION(readers, blocks)                                                                                          \
  KERNEL __launch_bounds__(kContractionThreads, blocks) contractEdges##readers(GEMM_PARAMETERS) {                             \
    multiplyMma<Arithmetic::Tf32x3, true, kContractionRows, readers, 16, readers, kContractionStages, false>(GEMM_ARGUMENTS); \
  }

CONTRACTION(8, 4)
CONTRACTION(24, 4)
CONTRACTION(40, 4)
CONTRACTION(64, 3)
CONTRACTION(80, 3)

// scores[u, first + v] += the sum over slices of partials [slices, writers, pitch] in float64: eight threads take every eighth slice each,
// and their sums are added in order. x = 32 elements of the pitched rows.
KERNEL __launch_bounds__(kContractionCells * kContractionParts) contractAddSlices(
    const float* __restrict__ partials, int slices, int writers, int readers, double* scores, int stride, int first) {
  __shared__ double parts[kContractionParts][kContractionCells];
  const int pitch = partialPitch(readers);
  const int64 cells = (int64)writers * pitch, cell = (int64)blockX() * kContractionCells + threadX() % kContractionCells;
  const int part = threadX() / kContractionCells;
  double sum = 0;
  if (cell < cells) {
#pragma unroll 4
    for (int s = part; s < slices; s += kContractionParts) sum += partials[s * cells + cell];
  }
  parts[part][threadX() % kContractionCells] = sum;
  barrier();
  const int u = (int)(cell / pitch), v = (int)(cell % pitch);
  if (part != 0 || u >= writers || v >= readers) return;
  for (int p = 1; p < kContractionParts; p++) sum += parts[p][threadX()];
  scores[(int64)u * stride + first + v] += sum;
}
