// The matrix product on tensor cores with factors rounded to TF32, 11 significant bits (GemmMma.cuh).
//
//   tile      threads  warp tile  blocks at once  live registers *           shared bytes *
//   128 x 128   256     64 x 32        1         154 / 165 of 255           98,304 / 101,376
//   64 x 64     128     32 x 32        3          96 / 112 of 168           49,152 / 52,224
//   32 x 128    128     32 x 32        3          95 / 114 of 168           61,440 / 64,512
//
// * B with k contiguous / with n contiguous. The registers are those that the PTX keeps alive, of what the launch bounds leave
//   (RegisterTests),
// not a compiler's report. For 16 k a 64 x 32 warp tile takes 32 mma and 6 KiB read from shared memory.
#include "GemmMma.cuh"

MMA_KERNEL(gemmTf32Nt128x128, Tf32, true, 128, 128, 64, 32, kMmaStages, 256, 1)
MMA_KERNEL(gemmTf32Nt64x64, Tf32, true, 64, 64, 32, 32, kMmaStages, 128, 3)
MMA_KERNEL(gemmTf32Nt32x128, Tf32, true, 32, 128, 32, 32, kMmaStages, 128, 3)
MMA_KERNEL(gemmTf32Nn128x128, Tf32, false, 128, 128, 64, 32, kMmaStages, 256, 1)
MMA_KERNEL(gemmTf32Nn64x64, Tf32, false, 64, 64, 32, 32, kMmaStages, 128, 3)
MMA_KERNEL(gemmTf32Nn32x128, Tf32, false, 32, 128, 32, 32, kMmaStages, 128, 3)
