// The backward pass of LayerNorm, which two kernels have (LayerNorm.cu, circuits/Edges.cu).
#pragma once
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

// Gradient rows blockX(), + baseRows, ...: see layerNormBackward. The first rows of the forward pass, normalised, are kept where wanted.
template <class V, bool kOneGroup>
DEVICE void normalizeBackward(
    const float* dy, const float* x, const float* gain, const float* mean, const float* rstd,
    int rows, int activationRows, int width, float* residualGradient, const int* chosen, bool fresh, int clearedRows, float* reader,
    int baseRows, int contributingRows, float* standardized, int standardizedRows, float2 (*parts)[kLayerNormThreads / kWarp],
    float* shared) {
  const int count = width / kFloats<V>;
  const int groups = kOneGroup ? 1 : threads() / kLayerNormThreads, group = kOneGroup ? 0 : threadX() / kLayerNormThreads;
  const int thread = kOneGroup ? threadX() : threadX() % kLayerNormThreads;
  for (int first = blockX(); first < rows; first += baseRows * groups) {
    const int row = first + group * baseRows;
    const bool live = row < rows;
    const int mine = live ? count : 0;
    const int place = chosen && live ? chosen[row] : row;
    const int activation = !live ? 0 : chosen ? place : row % activationRows;
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
    float* residual = residualGradient + (int64)place * width;
    float* sum = reader + (int64)blockX() * width;
    eachHeld(thread, mine, [&](int k, int i) {
      const V scaled = k < kHeld ? t[k] : load<V>(out, i) * load<V>(gain, i);
      const V normed = k < kHeld ? standard[k] : (load<V>(in, i) - m) * r;
      const V dx = (scaled - meanT - normed * meanTx) * r;
      store(residual, i, (fresh ? splat<V>(0) : load<V>(residual, i)) + dx);
      if (standardized && row < standardizedRows) store(standardized + (int64)row * width, i, normed);
      if (groups > 1) store(shared, group * count + i, contributes ? dx : splat<V>(0));
      else if (contributes) store(sum, i, load<V>(sum, i) + dx);
    });
    if (chosen && live) {
      // The rows in front of this one that nobody has chosen, and those behind the last.
      const int64 from = row == 0 ? 0 : chosen[row - 1] + 1;
      const int64 to = place < clearedRows ? place : clearedRows;
      for (int64 i = from * count + thread; i < to * count; i += kLayerNormThreads) store(residualGradient, i, splat<V>(0));
      const int64 end = row == rows - 1 ? clearedRows : 0;
      for (int64 i = (place + 1) * (int64)count + thread; i < end * count; i += kLayerNormThreads) store(residualGradient, i, splat<V>(0));
    }
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
