// LayerNorm: y = gain (x - mean) rstd + shift per row, rstd = 1 / sqrt(variance + epsilon), and its backward pass.
// 128 threads hold a row of up to 2048 floats (512 where addresses do not allow four at a time) in registers, so that it is read once;
// what is beyond is read again. Sums are made in an order that depends on the shape alone.
#include "layernorm.cuh"

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

// With t = gain dy: dx = rstd (t - mean(t) - xhat mean(t xhat)); residualGradient += dx (or = dx where it is fresh), and
// reader[row mod baseRows] += dx of the rows that contribute. With chosen rows, x and the residual gradient have those, and the rows in
// between that are below clearedRows are cleared. A block has the gradient rows blockX(), + baseRows, ...: groups of 128 threads take one
// each, and their dx meet in shared memory (groups x width), where they are added in order. Reads dy, x and the residual gradient once and
// writes that once.
KERNEL __launch_bounds__(kLayerNormThreads * kLayerNormMostGroups) layerNormBackward(
    const float* __restrict__ dy,    // [rows, width]
    const float* __restrict__ x,     // [activationRows, width]
    const float* __restrict__ gain,  // [width]
    const float* __restrict__ mean,  // [activationRows]
    const float* __restrict__ rstd,  // [activationRows]
    int rows, int activationRows, int width, int quads,
    float* residualGradient,         // [rows, width]
    const int* __restrict__ chosen,  // [rows], ascending, or null; then x, mean, rstd and the residual gradient are [*]
    int fresh, int clearedRows,
    float* reader,                   // [baseRows, width] or null; where it is not null and there is one group, no shared memory is used
    int baseRows, int contributingRows) {
  __shared__ float2 parts[kLayerNormMostGroups][kLayerNormThreads / kWarp];
  byWidth(quads, [&](auto v) {
    normalizeBackward<decltype(v), false>(
        dy, x, gain, mean, rstd, rows, activationRows, width, residualGradient, chosen, fresh, clearedRows, reader, baseRows,
        contributingRows, nullptr, 0, parts, dynamicShared<float>());
  });
}

// output[i] = (x[r] - mean[r]) rstd[r] with r = indices[i], or i. One thread per element; x is read and output written once.
KERNEL standardize(
    const float* __restrict__ x,      // [*, width]
    const float* __restrict__ mean,   // [*]
    const float* __restrict__ rstd,   // [*]
    const int* __restrict__ indices,  // [rows] or null
    int parts, int width, int quads,
    float* __restrict__ output) {     // [*, width]
  eachOfRow(parts, width, quads, [=](auto v, int64 row, int at) {
    using V = decltype(v);
    const int64 from = indices ? indices[row] : row;
    store(output + row * width, at, (load<V>(x + from * width, at) - mean[from]) * rstd[from]);
  });
}
