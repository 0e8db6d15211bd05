// The matrix product with float32's accuracy on tensor cores (GemmMma.cuh, Tf32x3).
//
//   tile      threads  warp tile  blocks at once  registers wanted: sums + factors of A + of B + a step's sums + rest   shared bytes
//   128 x 128   256     64 x 32    1 (of 255)     64 + 64 + 20 + 16 + about 35                                          98,304 / 101,376 *
//   128 x 64    128     64 x 32    2 (of 255)     the same                                                              73,728 / 76,800
//   64 x 64     128     32 x 32    3 (of 168)     32 + 32 + 20 + 8 + about 35                                           49,152 / 52,224
//   32 x 128    128     32 x 32    3 (of 168)     the same                                                              61,440 / 64,512
//
// * B with k contiguous / with n contiguous. A k16 step of a 64 x 32 warp tile is 96 mma against 6 KiB read from shared memory, of a 32 x 32 tile
// 48 against 4 KiB: three to four cycles of tensor cores for each of shared memory's. The registers are a count of live values, not a compiler's
// report.
#include "GemmMma.cuh"

MMA_KERNEL(gemmTf32x3Nt128x128, Tf32x3, true, 128, 128, 64, 32, 3, 256, 1)
MMA_KERNEL(gemmTf32x3Nt128x64, Tf32x3, true, 128, 64, 64, 32, 3, 128, 2)
MMA_KERNEL(gemmTf32x3Nt64x64, Tf32x3, true, 64, 64, 32, 32, 3, 128, 3)
MMA_KERNEL(gemmTf32x3Nt32x128, Tf32x3, true, 32, 128, 32, 32, 3, 128, 3)
MMA_KERNEL(gemmTf32x3Nn128x128, Tf32x3, false, 128, 128, 64, 32, 3, 256, 1)
MMA_KERNEL(gemmTf32x3Nn128x64, Tf32x3, false, 128, 64, 64, 32, 3, 128, 2)
MMA_KERNEL(gemmTf32x3Nn64x64, Tf32x3, false, 64, 64, 32, 32, 3, 128, 3)
MMA_KERNEL(gemmTf32x3Nn32x128, Tf32x3, false, 32, 128, 32, 32, 3, 128, 3)
