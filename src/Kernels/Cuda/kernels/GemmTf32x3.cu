// The matrix product with float32's accuracy on tensor cores (GemmMma.cuh, Tf32x3).
//
//   tile      threads  warp tile  blocks at once  live registers *           shared bytes *
//   128 x 128   256     64 x 32        1         201 / 213 of 255           98,304 / 101,376
//   128 x 64    128     64 x 32        2         194 / 210 of 255           73,728 / 76,800
//   64 x 64     128     32 x 32        3         119 / 136 of 168           49,152 / 52,224
//   32 x 128    128     32 x 32        3         118 / 138 of 168           61,440 / 64,512
//
// * B with k contiguous / with n contiguous. The registers are those that the PTX keeps alive, of what the launch bounds leave
//   (RegisterTests),
// not a compiler's report. For 16 k a 64 x 32 warp tile takes 96 mma and 6 KiB read from shared memory, a 32 x 32 tile 48 and 4 KiB: three
// to four clocks of tensor cores (at 512 TF32 multiply-adds a clock) for each of shared memory's.
#include "GemmMma.cuh"

MMA_KERNEL(gemmTf32x3Nt128x128, Tf32x3, true, 128, 128, 64, 32, kMmaStages, 256, 1)
MMA_KERNEL(gemmTf32x3Nt128x64, Tf32x3, true, 128, 64, 64, 32, kMmaStages, 128, 2)
MMA_KERNEL(gemmTf32x3Nt64x64, Tf32x3, true, 64, 64, 32, 32, kMmaStages, 128, 3)
MMA_KERNEL(gemmTf32x3Nt32x128, Tf32x3, true, 32, 128, 32, 32, kMmaStages, 128, 3)
MMA_KERNEL(gemmTf32x3Nn128x128, Tf32x3, false, 128, 128, 64, 32, kMmaStages, 256, 1)
MMA_KERNEL(gemmTf32x3Nn128x64, Tf32x3, false, 128, 64, 64, 32, kMmaStages, 128, 2)
MMA_KERNEL(gemmTf32x3Nn64x64, Tf32x3, false, 64, 64, 32, 32, kMmaStages, 128, 3)
MMA_KERNEL(gemmTf32x3Nn32x128, Tf32x3, false, 32, 128, 32, 32, kMmaStages, 128, 3)
