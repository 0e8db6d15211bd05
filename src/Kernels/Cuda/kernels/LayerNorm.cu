// LayerNorm: y = gain (x - mean) rstd + shift per row, rstd = 1 / sqrt(variance + epsilon), and its backward pass. One block per row.
#include "cuda.cuh"

constexpr int kThreads = 128;

KERNEL __launch_bounds__(kThreads) layerNorm(
    const float* __restrict__ x,      // [rows, width]
    const float* __restrict__ gain,   // [width]
    const float* __restrict__ shift,  // [width]
    float epsilon,
    int width,
    float* __restrict__ mean,  // [rows]
    float* __restrict__ rstd,  // [rows]
    float* __restrict__ y) {   // [rows, width]
  __shared__ float parts[kThreads / kWarp];
  const int64 row = blockX();
  const float* in = x + row * width;
  float* out = y + row * width;
  float sum = 0;
  for (int d = threadX(); d < width; d += kThreads) sum += in[d];
  const float m = blockSum<kThreads>(sum, parts) / width;
  float squares = 0;
  for (int d = threadX(); d < width; d += kThreads) squares += (in[d] - m) * (in[d] - m);
  const float r = 1 / squareRoot(blockSum<kThreads>(squares, parts) / width + epsilon);
  for (int d = threadX(); d < width; d += kThreads) out[d] = (in[d] - m) * r * gain[d] + shift[d];
  if (threadX() == 0) {
    mean[row] = m;
    rstd[row] = r;
  }
}
