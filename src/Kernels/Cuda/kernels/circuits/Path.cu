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

// gamma[s] -= stepLength[s] gradient[s] / W, W = sqrt(squaredNorms[s]) or the root of the sum of all; where W < 1e-12 gamma stays. Without
// squared norms each block makes its sequence's, as sequenceDots does in one split. embedded[row] = positions[indices[row]] + gamma[row].
// Reads gamma and gradient and writes gamma once. Grid (sequences, parts of the longest sequence's rows), one element per thread.
KERNEL __launch_bounds__(kPathThreads) pathStep(
    float* __restrict__ gamma,                // [key rows, width]
    const float* __restrict__ gradient,       // [key rows, width]
    const double* __restrict__ squaredNorms,  // [sequences] or null
    const double* __restrict__ stepLengths,   // [sequences]
    int wholeBatchNorm,
    const int* __restrict__ start,            // [sequences]
    const int* __restrict__ length,           // [sequences]
    int sequences, int width, int quads,
    const float* __restrict__ positions,      // [*, width], where there is room for what is embedded
    const int* __restrict__ indices,          // [key rows]
    float* __restrict__ embedded) {           // [key rows, width] or null
  __shared__ double parts[kPathThreads / kWarp];
  const int sequence = blockX();
  const int64 from = (int64)start[sequence] * width, floats = (int64)length[sequence] * width;
  double square;
  if (wholeBatchNorm) {
    double sum = 0;
    for (int s = threadX(); s < sequences; s += kPathThreads) sum += squaredNorms[s];
    square = blockSum<kPathThreads>(sum, parts);
  } else if (squaredNorms) {
    square = squaredNorms[sequence];
  } else {
    double sum = 0;
    byWidth(quads, [=, &sum](auto v) {
      sum = dotPart<decltype(v)>(gradient + from, gradient + from, floats, threadX(), kPathThreads);
    });
    square = blockSum<kPathThreads>(sum, parts);
  }
  const double norm = squareRoot(square);
  const bool still = norm < kNoDirection;
  if (still && !embedded) return;
  const float factor = still ? 0 : (float)(-stepLengths[sequence] / norm);
  byWidth(quads, [=](auto v) {
    using V = decltype(v);
    const int64 i = (int64)blockY() * kPathThreads + threadX();
    if (i >= floats / kFloats<V>) return;
    V point = load<V>(gamma + from, i);
    if (!still) {
      point = point + load<V>(gradient + from, i) * factor;
      store(gamma + from, i, point);
    }
    if (!embedded) return;
    const int count = width / kFloats<V>;
    const int row = start[sequence] + (int)i / count;
    store(embedded + from, i, load<V>(positions + (int64)indices[row] * width, (int)i % count) + point);
  });
}
