// Logits: what turns the answer position's output into a metric and its gradient. Rows are few and as wide as the vocabulary (50,257), so
// that a block of 1,024 threads takes a row; rows start anywhere (the vocabulary is odd), so threads take single floats side by side.
// A row is read again from the caches where more than one pass is needed; how often stands at each kernel. Exponentials are float32,
// sums are float64: a thread adds four float32 terms before it goes on in float64, a block adds its threads in a fixed order.
#include "math.cuh"
#include "rows.cuh"

constexpr int kUnroll = 4;

// The sum over a row of term(j, read(j)), known to all threads. Several reads are on their way before the first term is made, also where
// term writes to what read reads.
template <class R, class F>
DEVICE double rowSum(int width, double* parts, R read, F term) {
  double sum = 0;
  int j = threadX();
  for (; j + (kUnroll - 1) * kWideRowThreads < width; j += kUnroll * kWideRowThreads) {
    decltype(read(0)) in[kUnroll];
    float terms[kUnroll];
#pragma unroll
    for (int k = 0; k < kUnroll; k++) in[k] = read(j + k * kWideRowThreads);
#pragma unroll
    for (int k = 0; k < kUnroll; k++) terms[k] = term(j + k * kWideRowThreads, in[k]);
    sum += (double)((terms[0] + terms[1]) + (terms[2] + terms[3]));
  }
  for (; j < width; j += kWideRowThreads) sum += (double)term(j, read(j));
  return blockSum<kWideRowThreads>(sum, parts);
}

// Calls use(j, read(j)) for a row; several reads are on their way before the first use.
template <class R, class F>
DEVICE void eachOfWideRow(int width, R read, F use) {
  int j = threadX();
  for (; j + (kUnroll - 1) * kWideRowThreads < width; j += kUnroll * kWideRowThreads) {
    decltype(read(0)) in[kUnroll];
#pragma unroll
    for (int k = 0; k < kUnroll; k++) in[k] = read(j + k * kWideRowThreads);
#pragma unroll
    for (int k = 0; k < kUnroll; k++) use(j + k * kWideRowThreads, in[k]);
  }
  for (; j < width; j += kWideRowThreads) use(j, read(j));
}

// x[r] = x[r] - max - ln(sum of e^(x[r] - max)), in place. One block per row; three passes read, the last one writes.
KERNEL __launch_bounds__(kWideRowThreads) logSoftmax(float* logits, int vocabulary) {  // [rows, vocabulary]
  __shared__ float largestOf[kWideRowThreads / kWarp];
  __shared__ double parts[kWideRowThreads / kWarp];
  float* row = logits + (int64)blockX() * vocabulary;
  float largest = row[0];
  const auto read = [=](int j) { return row[j]; };
  eachOfWideRow(vocabulary, read, [&](int, float x) { largest = x > largest ? x : largest; });
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    const float other = shuffleXor(largest, mask);
    largest = other > largest ? other : largest;
  }
  if (lane() == 0) largestOf[warp()] = largest;
  barrier();
  for (int w = 0; w < kWideRowThreads / kWarp; w++) largest = largestOf[w] > largest ? largestOf[w] : largest;
  const float log = (float)logarithm(rowSum(vocabulary, parts, read, [=](int, float x) { return exponential(x - largest); }));
  eachOfWideRow(vocabulary, read, [=](int j, float x) { row[j] = x - largest - log; });
}

// output[i] = sum over the item's tokens of weight * table[token]. One element of a row per thread; reads the tokens' rows once.
KERNEL weightedRowSums(
    const float* __restrict__ table,   // [vocabulary, width]
    const int* __restrict__ start,     // [items + 1]
    const int* __restrict__ token,
    const float* __restrict__ weight,
    int parts, int width, int quads,
    float* __restrict__ output) {      // [items, width]
  eachOfRow(parts, width, quads, [=](auto v, int64 item, int at) {
    using V = decltype(v);
    V sum = splat<V>(0);
    const int end = start[item + 1];
#pragma unroll 4
    for (int a = start[item]; a < end; a++) sum = sum + load<V>(table + (int64)token[a] * width, at) * weight[a];
    store(output + item * width, at, sum);
  });
}

// values[r] = v = sum over the item's tokens of weight * p; gradient[r, j] = p_j (weight_j - v). One block per row; reads and writes it
// once. The gradient may lie over the log-probabilities: judged tokens are done first and marked in shared memory (a bit per token of
// the vocabulary), so that the pass over the row leaves them out.
KERNEL __launch_bounds__(kWideRowThreads) probabilityDifference(
    const float* logProbabilities,     // [rows, vocabulary]
    const int* __restrict__ start,     // [items + 1]
    const int* __restrict__ token,
    const float* __restrict__ weight,
    int items, int vocabulary,
    double* __restrict__ values,       // [rows]
    float* gradient) {                 // [rows, vocabulary] or null
  __shared__ double parts[kWideRowThreads / kWarp];
  uint32* judged = dynamicShared<uint32>();
  const int row = blockX(), item = row % items;
  const float* logP = logProbabilities + (int64)row * vocabulary;
  const int first = start[item], end = start[item + 1];
  double sum = 0;
  for (int a = first + threadX(); a < end; a += kWideRowThreads) sum += (double)weight[a] * (double)exponential(logP[token[a]]);
  const double value = blockSum<kWideRowThreads>(sum, parts);
  if (threadX() == 0) values[row] = value;
  if (!gradient) return;
  float* out = gradient + (int64)row * vocabulary;
  for (int a = first + threadX(); a < end; a += kWideRowThreads) {
    out[token[a]] = (float)((double)exponential(logP[token[a]]) * ((double)weight[a] - value));
  }
  for (int word = threadX(); word * kBitsPerWord < vocabulary; word += kWideRowThreads) {
    uint32 bits = 0;
    for (int a = first; a < end; a++) bits |= token[a] / kBitsPerWord == word ? 1u << token[a] % kBitsPerWord : 0;
    judged[word] = bits;
  }
  barrier();
  const float factor = -(float)value;
  eachOfWideRow(
      vocabulary, [=](int j) { return logP[j]; },
      [=](int j, float p) {
        if (!(judged[j / kBitsPerWord] >> j % kBitsPerWord & 1)) out[j] = exponential(p) * factor;
      });
}

// values[r] = sum_j t_j (log t_j - log p_j); gradient[r] = p - t. One block per row; reads and writes it once.
KERNEL __launch_bounds__(kWideRowThreads) klDivergence(
    const float* logProbabilities,  // [rows, vocabulary]
    const float* target,            // [items, vocabulary] log-probabilities
    int items, int vocabulary,
    double* __restrict__ values,    // [rows]
    float* gradient) {              // [rows, vocabulary] or null; may be the log-probabilities
  __shared__ double parts[kWideRowThreads / kWarp];
  const int row = blockX();
  const float* logP = logProbabilities + (int64)row * vocabulary;
  const float* logT = target + (int64)(row % items) * vocabulary;
  float* out = gradient + (int64)row * vocabulary;
  const double value = rowSum(
      vocabulary, parts, [=](int j) { return float2{logP[j], logT[j]}; },
      [=](int j, float2 log) {
        const float share = exponential(log.y);
        if (gradient) out[j] = exponential(log.x) - share;
        return share * (log.y - log.x);
      });
  if (threadX() == 0) values[row] = value;
}

// gradient[r] = p (u - sum of p u) with u = 2 (p - t): the derivative of sum_j (p_j - t_j)^2. One block per row; reads it twice.
KERNEL __launch_bounds__(kWideRowThreads) probabilityDistanceGradient(
    const float* logProbabilities,  // [rows, vocabulary]
    const float* target,            // [items, vocabulary] log-probabilities
    int items, int vocabulary,
    float* gradient) {              // [rows, vocabulary]; may be the log-probabilities
  __shared__ double parts[kWideRowThreads / kWarp];
  const int row = blockX();
  const float* logP = logProbabilities + (int64)row * vocabulary;
  const float* logT = target + (int64)(row % items) * vocabulary;
  float* out = gradient + (int64)row * vocabulary;
  const auto read = [=](int j) { return float2{logP[j], logT[j]}; };
  const float mean = (float)rowSum(vocabulary, parts, read, [=](int, float2 log) {
    const float p = exponential(log.x);
    return 2 * p * (p - exponential(log.y));
  });
  eachOfWideRow(vocabulary, read, [=](int j, float2 log) {
    const float p = exponential(log.x);
    out[j] = p * (2 * (p - exponential(log.y)) - mean);
  });
}

// values[r] = sum over d of x[r, d] y[r mod period, d] in float64. One warp per row; reads x once.
KERNEL __launch_bounds__(kRowDotsThreads) rowDots(
    const float* __restrict__ x,  // [rows, width]
    const float* __restrict__ y,  // [period, width]
    int period, int rows, int width, int quads,
    double* __restrict__ values) {  // [rows]
  const int row = blockX() * (kRowDotsThreads / kWarp) + warp();
  if (row >= rows) return;
  double sum = 0;
  byWidth(quads, [=, &sum](auto v) {
    sum = dotPart<decltype(v)>(x + (int64)row * width, y + (int64)(row % period) * width, width, lane(), kWarp);
  });
  sum = warpSum(sum);
  if (lane() == 0) values[row] = sum;
}

struct Best {
  float value;
  int index;
};

// The larger one, of equal ones the first; what is no number is larger than all numbers.
DEVICE Best better(Best a, Best b) {
  const bool noNumberA = a.value != a.value, noNumberB = b.value != b.value;
  const bool tie = noNumberA ? noNumberB : a.value == b.value;
  const bool second = tie ? b.index < a.index : noNumberB || (!noNumberA && b.value > a.value);
  return second ? b : a;
}

// indices[r] = position of the row's largest element, the first of equal ones. One block per row; reads it once.
KERNEL __launch_bounds__(kWideRowThreads) argMax(
    const float* __restrict__ x,  // [rows, width]
    int width,
    int* __restrict__ indices) {  // [rows]
  __shared__ Best bests[kWideRowThreads / kWarp];
  const float* row = x + (int64)blockX() * width;
  Best best = {row[0], 0};
  eachOfWideRow(width, [=](int j) { return row[j]; }, [&](int j, float x) { best = better(best, {x, j}); });
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) best = better(best, {shuffleXor(best.value, mask), shuffleXor(best.index, mask)});
  if (lane() == 0) bests[warp()] = best;
  barrier();
  if (threadX() > 0) return;
  for (int w = 1; w < kWideRowThreads / kWarp; w++) best = better(best, bests[w]);
  indices[blockX()] = best.index;
}
