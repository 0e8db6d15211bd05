// LayerNorm: y = gain (x - mean) rstd + shift per row, rstd = 1 / sqrt(variance + epsilon), and its backward pass.
// 128 threads hold a row of up to 2048 floats (512 where addresses do not allow four at a time) in registers, so that it is read once;
// what is beyond is read again. Sums are made in an order that depends on the shape alone.
#include "rows.cuh"

constexpr int kHeld = 4;

// Calls f(held, element) for the elements of a row that this thread has; held is where it may keep one, or kHeld for the others.
template <class F>
DEVICE void eachHeld(int thread, int count, F f) {
#pragma unroll
  for (int k = 0; k < kHeld; k++) {
    if (thread + k * kLayerNormThreads < count) f(k, thread + k * kLayerNormThreads);
  }
  for (int i = thread + kHeld * kLayerNormThreads; i < count; i += kLayerNormThreads) f(kHeld, i);
}

// With an addend, x + addend takes the place of x and is kept in added; threads read again only what they have written themselves.
template <class V>
DEVICE void normalize(
    const float* x, const float* addend, float* added, const float* gain, const float* shift, float epsilon, int width, float* mean,
    float* rstd, float* y, float* parts) {
  const int count = width / kFloats<V>;
  V held[kHeld];
  V sum = splat<V>(0);
  eachHeld(threadX(), count, [&](int k, int i) {
    V v = load<V>(x, i);
    if (addend) {
      v = v + load<V>(addend, i);
      store(added, i, v);
    }
    if (k < kHeld) held[k] = v;
    sum = sum + v;
  });
  const float* again = addend ? added : x;
  const float m = blockSum<kLayerNormThreads>(total(sum), parts) / width;
  V squares = splat<V>(0);
  eachHeld(threadX(), count, [&](int k, int i) {
    const V v = (k < kHeld ? held[k] : load<V>(again, i)) - m;
    squares = squares + v * v;
  });
  const float r = 1 / squareRoot(blockSum<kLayerNormThreads>(total(squares), parts) / width + epsilon);
  eachHeld(threadX(), count, [&](int k, int i) {
    const V v = (k < kHeld ? held[k] : load<V>(again, i)) - m;
    store(y, i, v * r * load<V>(gain, i) + load<V>(shift, i));
  });
  if (threadX() == 0) {
    *mean = m;
    *rstd = r;
  }
}

// One block per row.
KERNEL __launch_bounds__(kLayerNormThreads) layerNorm(
    const float* __restrict__ x,       // [rows, width]
    const float* __restrict__ addend,  // [rows, width], added to x, or null
    float* __restrict__ added,         // [rows, width]: the sum where there is an addend
    const float* __restrict__ gain,    // [width]
    const float* __restrict__ shift,   // [width]
    float epsilon,
    int width, int quads,
    float* __restrict__ mean,  // [rows]
    float* __restrict__ rstd,  // [rows]
    float* __restrict__ y) {   // [rows, width]
  __shared__ float parts[kLayerNormThreads / kWarp];
  const int64 row = blockX();
  byWidth(quads, [=](auto v) {
    normalize<decltype(v)>(
        x + row * width, addend ? addend + row * width : nullptr, added + row * width, gain, shift, epsilon, width, mean + row, rstd + row,
        y + row * width, parts);
  });
}

template <class V>
DEVICE void normalizeBackward(
    const float* dy, const float* x, const float* gain, const float* mean, const float* rstd,
    int rows, int activationRows, int width, float* residualGradient, float* reader, int baseRows, int contributingRows,
    float2 (*parts)[kLayerNormThreads / kWarp], float* shared) {
  const int count = width / kFloats<V>;
  const int groups = threads() / kLayerNormThreads, group = threadX() / kLayerNormThreads, thread = threadX() % kLayerNormThreads;
  for (int first = blockX(); first < rows; first += baseRows * groups) {
    const int row = first + group * baseRows;
    const bool live = row < rows;
    const int mine = live ? count : 0;
    const int activation = live ? row % activationRows : 0;
    const float m = mean[activation], r = rstd[activation];
    const float* in = x + (int64)activation * width;
    const float* out = dy + (int64)row * width;
    V t[kHeld], standard[kHeld];
    V sumT = splat<V>(0), sumTx = splat<V>(0);
    eachHeld(thread, mine, [&](int k, int i) {
      const V scaled = load<V>(out, i) * load<V>(gain, i), normed = (load<V>(in, i) - m) * r;
      if (k < kHeld) t[k] = scaled, standard[k] = normed;
      sumT = sumT + scaled;
      sumTx = sumTx + scaled * normed;
    });
    const float2 sums = {warpSum(total(sumT)), warpSum(total(sumTx))};
    barrier();
    if (lane() == 0) parts[group][warp() % (kLayerNormThreads / kWarp)] = sums;
    barrier();
    float meanT = 0, meanTx = 0;
#pragma unroll
    for (int w = 0; w < kLayerNormThreads / kWarp; w++) {
      meanT += parts[group][w].x;
      meanTx += parts[group][w].y;
    }
    meanT /= width;
    meanTx /= width;
    const bool contributes = reader && row < contributingRows;
    float* residual = residualGradient + (int64)row * width;
    float* sum = reader + (int64)blockX() * width;
    eachHeld(thread, mine, [&](int k, int i) {
      const V scaled = k < kHeld ? t[k] : load<V>(out, i) * load<V>(gain, i);
      const V normed = k < kHeld ? standard[k] : (load<V>(in, i) - m) * r;
      const V dx = (scaled - meanT - normed * meanTx) * r;
      store(residual, i, load<V>(residual, i) + dx);
      if (groups > 1) store(shared, group * count + i, contributes ? dx : splat<V>(0));
      else if (contributes) store(sum, i, load<V>(sum, i) + dx);
    });
    if (groups > 1) {
      barrier();
      const int filled = (rows - first + baseRows - 1) / baseRows;
      for (int i = threadX(); i < count; i += threads()) {
        V dx = load<V>(shared, i);
        for (int g = 1; g < groups && g < filled; g++) dx = dx + load<V>(shared, g * count + i);
        store(sum, i, load<V>(sum, i) + dx);
      }
    }
  }
}

// With t = gain dy: dx = rstd (t - mean(t) - xhat mean(t xhat)); residualGradient += dx, and reader[row mod baseRows] += dx of the rows
// that contribute. A block has the gradient rows blockX(), + baseRows, ...: groups of 128 threads take one each, and their dx meet in
// shared memory (groups x width), where they are added in order. Reads dy, x and the residual gradient once and writes that once.
KERNEL __launch_bounds__(kLayerNormThreads * kLayerNormMostGroups) layerNormBackward(
    const float* __restrict__ dy,    // [rows, width]
    const float* __restrict__ x,     // [activationRows, width]
    const float* __restrict__ gain,  // [width]
    const float* __restrict__ mean,  // [activationRows]
    const float* __restrict__ rstd,  // [activationRows]
    int rows, int activationRows, int width, int quads,
    float* residualGradient,         // [rows, width]
    float* reader,                   // [baseRows, width] or null; where it is not null and there is one group, no shared memory is used
    int baseRows, int contributingRows) {
  __shared__ float2 parts[kLayerNormMostGroups][kLayerNormThreads / kWarp];
  byWidth(quads, [&](auto v) {
    normalizeBackward<decltype(v)>(
        dy, x, gain, mean, rstd, rows, activationRows, width, residualGradient, reader, baseRows, contributingRows, parts,
        dynamicShared<float>());
  });
}

// output[b outputRows + i] = (x[r] - mean[r]) rstd[r] with r = b blockRows + indices[i], or i, for count rows of each block b. One thread
// per element; x is read and output written once.
KERNEL standardize(
    const float* __restrict__ x,      // [*, width]
    const float* __restrict__ mean,   // [*]
    const float* __restrict__ rstd,   // [*]
    const int* __restrict__ indices,  // [count] or null
    int count, int blockRows, int outputRows, int parts, int width, int quads,
    float* __restrict__ output) {     // [*, width]
  eachOfRow(parts, width, quads, [=](auto v, int64 row, int at) {
    using V = decltype(v);
    const int block = (int)row / count, i = (int)row % count;
    const int64 from = (int64)block * blockRows + (indices ? indices[i] : i), to = (int64)block * outputRows + i;
    store(output + to * width, at, (load<V>(x + from * width, at) - mean[from]) * rstd[from]);
  });
}
