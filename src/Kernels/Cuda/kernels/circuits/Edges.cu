// Edges: what a backward pass leaves behind for readers, the readers' gradients, and the proximity of writers (information flow).
// The formulas stand in Device.Edges.cs.
#include "layernorm.cuh"

constexpr int kWarps = kAccumulateThreads / kWarp;
constexpr int kHeldColumns = 4;

// For reader c and base row n, over the rows r = p baseRows + n in order: sums[n, c] += rstd dy_c, offsets[c, n] += rstd m1 and
// coefficients[p, c, n] = rstd m2. One warp per (c, n), neighbours in n; a lane keeps its sums of up to 128 columns of the head in
// registers, those beyond are added in memory. Reads dy and y once, and writes three small results.
DEVICE void accumulate(
    int block, const float* dy, const float* y, const float* constant, const float* gainSums, const float* rstd, int readers, int headWidth,
    int width, int rows, int activationRows, int baseRows, float* sums, float* offsets, float* coefficients) {
  const int64 place = (int64)block * kWarps + warp();
  if (place >= (int64)readers * baseRows) return;
  const int reader = place / baseRows, n = place % baseRows;
  const int all = readers * headWidth, at = reader * headWidth;
  float* sum = sums + (int64)n * all + at;
  float held[kHeldColumns], gains[kHeldColumns], constants[kHeldColumns];
#pragma unroll
  for (int k = 0; k < kHeldColumns; k++) {
    const int i = lane() + k * kWarp;
    held[k] = i < headWidth ? sum[i] : 0;
    gains[k] = i < headWidth ? gainSums[at + i] : 0;
    constants[k] = i < headWidth ? constant[at + i] : 0;
  }
  float offset = lane() == 0 ? offsets[place] : 0;
  for (int r = n, p = 0; r < rows; r += baseRows, p++) {
    const int activation = r % activationRows;
    const float scale = rstd[activation];
    const float* gradient = dy + (int64)r * all + at;
    const float* output = y + (int64)activation * all + at;
    float m1 = 0, m2 = 0;
#pragma unroll
    for (int k = 0; k < kHeldColumns; k++) {
      const int i = lane() + k * kWarp;
      const float g = i < headWidth ? gradient[i] : 0, o = i < headWidth ? output[i] : 0;
      m1 += g * gains[k];
      m2 += g * (o - constants[k]);
      held[k] += scale * g;
    }
    for (int i = lane() + kHeldColumns * kWarp; i < headWidth; i += kWarp) {
      m1 += gradient[i] * gainSums[at + i];
      m2 += gradient[i] * (output[i] - constant[at + i]);
      sum[i] += scale * gradient[i];
    }
    m1 = warpSum(m1) / width;
    m2 = warpSum(m2) / width;
    offset += scale * m1;
    if (lane() == 0) coefficients[(int64)p * readers * baseRows + place] = scale * m2;
  }
  if (lane() == 0) offsets[place] = offset;
#pragma unroll
  for (int k = 0; k < kHeldColumns; k++) {
    const int i = lane() + k * kWarp;
    if (i < headWidth) sum[i] = held[k];
  }
}

KERNEL __launch_bounds__(kAccumulateThreads) accumulateReaders(
    const float* __restrict__ dy,        // [rows, readers * headWidth]
    const float* __restrict__ y,         // [activationRows, readers * headWidth]
    const float* __restrict__ constant,  // [readers * headWidth]
    const float* __restrict__ gainSums,  // [readers * headWidth]
    const float* __restrict__ rstd,      // [activationRows]
    int readers, int headWidth, int width, int rows, int activationRows, int baseRows,
    float* __restrict__ sums,            // [baseRows, readers * headWidth]
    float* __restrict__ offsets,         // [readers, baseRows]
    float* __restrict__ coefficients) {  // [points, readers, baseRows], from the first point of this call
  accumulate(
      blockX(), dy, y, constant, gainSums, rstd, readers, headWidth, width, rows, activationRows, baseRows, sums, offsets, coefficients);
}

// layerNormBackward without a reader, and accumulateReaders beside it: the first blocks have a row of the one each, the others are the
// blocks of the other. The normalised rows of the points are kept where there is room for them.
KERNEL __launch_bounds__(kLayerNormThreads) layerNormBackwardWithReaders(
    const float* __restrict__ normedGradient,  // [gradientRows, width]
    const float* __restrict__ x,               // [streamRows, width]
    const float* __restrict__ gain,            // [width]
    const float* __restrict__ mean,            // [streamRows]
    const float* __restrict__ streamRstd,      // [streamRows]
    int gradientRows, int streamRows, int quads,
    float* __restrict__ residualGradient,      // [gradientRows, width]
    float* __restrict__ standardized,          // [rows, width], from the first point of this call, or null
    const float* __restrict__ dy,        // [rows, readers * headWidth]
    const float* __restrict__ y,         // [activationRows, readers * headWidth]
    const float* __restrict__ constant,  // [readers * headWidth]
    const float* __restrict__ gainSums,  // [readers * headWidth]
    const float* __restrict__ rstd,      // [activationRows]
    int readers, int headWidth, int width, int rows, int activationRows, int baseRows,
    float* __restrict__ sums,            // [baseRows, readers * headWidth]
    float* __restrict__ offsets,         // [readers, baseRows]
    float* __restrict__ coefficients) {  // [points, readers, baseRows], from the first point of this call
  static_assert(kLayerNormThreads == kAccumulateThreads);
  __shared__ float2 parts[1][kLayerNormThreads / kWarp];
  if (blockX() >= gradientRows) {
    accumulate(
        blockX() - gradientRows, dy, y, constant, gainSums, rstd, readers, headWidth, width, rows, activationRows, baseRows, sums, offsets,
        coefficients);
    return;
  }
  byWidth(quads, [&](auto v) {
    normalizeBackward<decltype(v), true>(
        normedGradient, x, gain, mean, streamRstd, gradientRows, streamRows, width, residualGradient, nullptr, false, 0, nullptr,
        gradientRows, 0, standardized, rows, parts, nullptr);
  });
}

// g[c, n] = gain g[c, n] - offsets[c, n] - sum over p of coefficients[p, c, n] standardized[p, n]. A thread makes one element of four
// readers, so that the standardized rows are read once for the four. Grid (rows x parts, layers x (readers / 4, and one more where there is
// a last block, which is copied behind the readers')). Reads and writes g once.
KERNEL finishReaders(
    float* __restrict__ gradients,           // [layers, readers, rows, width], with a last block in each layer
    const float* __restrict__ gain,          // [layers, width]
    const float* __restrict__ offsets,       // [readers, rows], and a stride to the next layer's
    const float* __restrict__ coefficients,  // [points, readers, rows], the same
    const float* __restrict__ standardized,  // [points, rows, width], and a stride of its own
    const float* __restrict__ last,          // [rows, width] or null, and the stride of the sums
    int64 sumsStride, int64 standardizedStride, int readers, int rows, int points, int parts, int width, int quads) {
  eachOfRow(parts, width, quads, [=](auto v, int64 n, int at) {
    using V = decltype(v);
    const int perLayer = (readers + kReadersPerThread - 1) / kReadersPerThread + (last ? 1 : 0);
    const int layer = blockY() / perLayer, first = blockY() % perLayer * kReadersPerThread;
    float* g0 = gradients + (int64)layer * (readers + (last ? 1 : 0)) * rows * width;
    const float* offset = offsets + layer * sumsStride;
    const float* coefficient = coefficients + layer * sumsStride;
    const float* rowsOf = standardized + layer * standardizedStride;
    if (first >= readers) {
      store(g0 + ((int64)readers * rows + n) * width, at, load<V>(last + layer * sumsStride + n * width, at));
      return;
    }
    V g[kReadersPerThread];
    int64 place[kReadersPerThread];
#pragma unroll
    for (int k = 0; k < kReadersPerThread; k++) {
      // A reader beyond the last is the last one again: read along, not written.
      const int reader = first + k < readers ? first + k : readers - 1;
      place[k] = (int64)reader * rows + n;
      g[k] = load<V>(g0 + place[k] * width, at);
    }
    const V scale = load<V>(gain + (int64)layer * width, at);
#pragma unroll
    for (int k = 0; k < kReadersPerThread; k++) g[k] = g[k] * scale - offset[place[k]];
#pragma unroll 2
    for (int p = 0; p < points; p++) {
      const V standard = load<V>(rowsOf + ((int64)p * rows + n) * width, at);
#pragma unroll
      for (int k = 0; k < kReadersPerThread; k++) g[k] = g[k] - standard * coefficient[(int64)p * readers * rows + place[k]];
    }
#pragma unroll
    for (int k = 0; k < kReadersPerThread; k++) {
      if (first + k < readers) store(g0 + place[k] * width, at, g[k]);
    }
  });
}

// The sum of absolute values of x, or of x - w, over a warp.
template <class V>
DEVICE float magnitude(const float* __restrict__ x, const float* __restrict__ w, int width) {
  float sum = 0;
#pragma unroll 4
  for (int i = lane(); i < width / kFloats<V>; i += kWarp) {
    const V difference = w ? load<V>(x, i) - load<V>(w, i) : load<V>(x, i);
    sum += total(map(difference, [](float d) { return __builtin_fabsf(d); }));
  }
  return warpSum(sum);
}

// shares[u, n] = rowWeights[n] near[u, n] / sum over u of near[u, n] with near = max(0, |x_n|_1 - |x_n - w_un|_1); 0/0 counts 0.
// One block per row n, one warp per writer in turn; the sum over writers is made in their order. Reads the writers' outputs once.
KERNEL __launch_bounds__(kProximityThreads) proximityShares(
    const float* __restrict__ input,       // [rows, width]
    const float* __restrict__ outputs,     // [writers, rows, width]
    const float* __restrict__ rowWeights,  // [rows]
    int writers, int rows, int width, int quads,
    double* shares) {                      // [writers, rows]
  __shared__ double parts[kProximityThreads / kWarp];
  const int n = blockX();
  const float* x = input + (int64)n * width;
  double sum = 0;
  byWidth(quads, [=, &sum](auto v) {
    using V = decltype(v);
    const float norm = magnitude<V>(x, nullptr, width);
    for (int u = warp(); u < writers; u += kProximityThreads / kWarp) {
      const float gap = norm - magnitude<V>(x, outputs + ((int64)u * rows + n) * width, width);
      const double near = gap > 0 ? gap : 0;
      if (lane() == 0) shares[(int64)u * rows + n] = near;
      sum += near;
    }
  });
  if (lane() == 0) parts[warp()] = sum;
  barrier();
  sum = 0;
  for (int w = 0; w < kProximityThreads / kWarp; w++) sum += parts[w];
  for (int u = threadX(); u < writers; u += kProximityThreads) {
    double* share = shares + (int64)u * rows + n;
    *share = sum > 0 ? rowWeights[n] * *share / sum : 0;
  }
}

// scores[u, column] += sum over n of shares[u, n]. One block per writer.
KERNEL __launch_bounds__(kProximityThreads) sumShares(
    const double* __restrict__ shares, int rows, int stride, int column, double* __restrict__ scores) {
  __shared__ double parts[kProximityThreads / kWarp];
  const int u = blockX();
  double sum = 0;
  for (int n = threadX(); n < rows; n += kProximityThreads) sum += shares[(int64)u * rows + n];
  sum = blockSum<kProximityThreads>(sum, parts);
  if (threadX() == 0) scores[(int64)u * stride + column] += sum;
}
