// Groups of products of one shape at places that a table names: the heads' queries, keys and values from an input each, and their outputs
// to slots. A block makes a tile of 64 x 64 as the product's kernels do (GemmMma.cuh) and walks along all of k, so that sums need no second
// launch; there are enough members to fill the GPU. Registers and shared memory are those of the tile.
#include "../GemmFp16x3.cuh"

#define GROUPED_PARAMETERS                                                                                                  \
  const float *__restrict__ a, const float *__restrict__ b, float *c, const float *__restrict__ bias,                       \
      const int *__restrict__ table, int64 stepA, int64 stepB, int64 stepC, int m, int n, int k, int strideA, int strideB

// The rest of a kernel: the product of a member by a template that takes GEMM_PARAMETERS.
#define GROUPED_KERNEL(name, blocks, ...)                                                                                   \
  KERNEL __launch_bounds__(128, blocks) name(GROUPED_PARAMETERS, int copyA, int copyB, int wideC, int accumulate) {         \
    const int* member = table + 4 * blockZ();                                                                               \
    __VA_ARGS__(                                                                                                            \
        a + member[0] * stepA, b + member[1] * stepB, c + member[2] * stepC, bias ? bias + (int64)member[1] * n : nullptr,  \
        nullptr, 0, 0, 0, m, n, k, strideA, strideB, member[3], copyA, copyB, wideC && member[3] % 4 == 0, accumulate, k,   \
        nullptr, 0, nullptr, 0);                                                                                            \
  }

GROUPED_KERNEL(gemmGroupsTf32x3, 3, multiplyMma<Arithmetic::Tf32x3, false, 64, 64, 32, 32, kMmaStages, false>)
GROUPED_KERNEL(gemmGroupsFp16x3, 2, multiplyFp16x3<false, 64, 64, 32, 32, false>)
GROUPED_KERNEL(gemmGroupsTf32, 3, multiplyMma<Arithmetic::Tf32, false, 64, 64, 32, 32, kMmaStages, false>)
GROUPED_KERNEL(gemmGroupsBf16, 3, multiplyMma<Arithmetic::Bf16, false, 64, 64, 32, 32, kMmaStages, false>)

// One thread per element, in the order of k.
KERNEL __launch_bounds__(kPlainSide * kPlainSide) gemmGroupsPlain(GROUPED_PARAMETERS, int accumulate) {
  const int* member = table + 4 * blockZ();
  const int tilesDown = (m + kPlainSide - 1) / kPlainSide;
  const int row = blockX() % tilesDown * kPlainSide + threadX() / kPlainSide;
  const int column = blockX() / tilesDown * kPlainSide + threadX() % kPlainSide;
  if (row >= m || column >= n) return;
  const float* x = a + member[0] * stepA + (int64)row * strideA;
  const float* y = b + member[1] * stepB + column;
  float sum = 0;
  for (int i = 0; i < k; i++) sum = __builtin_fmaf(x[i], y[(int64)i * strideB], sum);
  if (bias) sum += bias[(int64)member[1] * n + column];
  float* to = c + member[2] * stepC + (int64)row * member[3] + column;
  *to = accumulate ? sum + *to : sum;
}
