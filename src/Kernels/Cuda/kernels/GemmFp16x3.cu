// The matrix product with float32's accuracy on tensor cores by products of halves (GemmFp16x3.cuh).
#include "GemmFp16x3.cuh"

FP16X3_KERNEL(gemmFp16x3Nt128x128, true, 128, 128, 64, 32, 256, 1)
FP16X3_KERNEL(gemmFp16x3Nt64x64, true, 64, 64, 32, 32, 128, 2)
FP16X3_KERNEL(gemmFp16x3Nt32x128, true, 32, 128, 32, 32, 128, 2)
FP16X3_KERNEL(gemmFp16x3Nn128x128, false, 128, 128, 64, 32, 256, 1)
FP16X3_KERNEL(gemmFp16x3Nn64x64, false, 64, 64, 32, 32, 128, 2)
FP16X3_KERNEL(gemmFp16x3Nn32x128, false, 32, 128, 32, 32, 128, 2)
