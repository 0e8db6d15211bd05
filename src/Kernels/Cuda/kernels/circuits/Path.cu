// Path: sums per sequence in float64 and the step along the embedding path of EAP-GP.
#include "rows.cuh"

// sums[s, split] = the dot product of x and y over a split of the rows of sequence s, times all columns. Reads x and y once; a thread
// adds up to four float32 products before it goes on in float64, a block adds its threads in a fixed order. Grid (sequences, splits).
KERNEL __launch_bounds__(kPathThreads) sequenceDots(
    const float* __restrict__ x,    // [key rows, width]
    const float* __restrict__ y,    // [key rows, width]
    const int* __restrict__ start,  // [sequences]
    const int* __restrict__ length, // [sequences]
    int width, int splitRows, int quads,
    double* __restrict__ sums) {    // [sequences, splits]
  __shared__ double parts[kPathThreads / kWarp];
  const int sequence = blockX();
  const int first = blockY() * splitRows;
  int rows = length[sequence] - first;
  rows = rows < splitRows ? rows : splitRows;
  const int64 at = (int64)(start[sequence] + first) * width;
  double sum = 0;
  byWidth(quads, [=, &sum](auto v) { sum = dotPart<decltype(v)>(x + at, y + at, (int64)rows * width, threadX(), kPathThreads); });
  sum = blockSum<kPathThreads>(sum, parts);
  if (threadX() == 0) sums[(int64)sequence * blocksY() + blockY()] = sum;
}

// values[s] = sum over splits of sums[s, split], in their order. One thread per sequence.
KERNEL sumSplits(const double* __restrict__ sums, int sequences, int splits, double* __restrict__ values) {
  const int sequence = blockX() * threads() + threadX();
  if (sequence >= sequences) return;
  double sum = 0;
  for (int split = 0; split < splits; split++) sum += sums[(int64)sequence * splits + split];
  values[sequence] = sum;
}

// gamma[s] -= stepLength[s] gradient[s] / W, W = sqrt(squaredNorms[s]) or the root of the sum of all; where W < 1e-12 gamma stays.
// Reads gamma and gradient and writes gamma once. Grid (sequences, parts of the longest sequence's rows), one element per thread.
KERNEL __launch_bounds__(kPathThreads) pathStep(
    float* __restrict__ gamma,                // [key rows, width]
    const float* __restrict__ gradient,       // [key rows, width]
    const double* __restrict__ squaredNorms,  // [sequences]
    const double* __restrict__ stepLengths,   // [sequences]
    int wholeBatchNorm,
    const int* __restrict__ start,            // [sequences]
    const int* __restrict__ length,           // [sequences]
    int sequences, int width, int quads) {
  __shared__ double parts[kPathThreads / kWarp];
  const int sequence = blockX();
  double square;
  if (wholeBatchNorm) {
    double sum = 0;
    for (int s = threadX(); s < sequences; s += kPathThreads) sum += squaredNorms[s];
    square = blockSum<kPathThreads>(sum, parts);
  } else {
    square = squaredNorms[sequence];
  }
  const double norm = squareRoot(square);
  if (norm < kNoDirection) return;
  const float factor = (float)(-stepLengths[sequence] / norm);
  const int64 from = (int64)start[sequence] * width, floats = (int64)length[sequence] * width;
  byWidth(quads, [=](auto v) {
    using V = decltype(v);
    const int64 i = (int64)blockY() * kPathThreads + threadX();
    if (i < floats / kFloats<V>) store(gamma + from, i, load<V>(gamma + from, i) + load<V>(gradient + from, i) * factor);
  });
}
