// Attention: p = softmax(scale q k^T, causal) and z = p v per sequence and head, and the gradients of q, k and v. A sequence's queries are
// its last positions; its keys are those of a shared prefix, if it has one, and then its own.
//
// Two kernels have the same course for a tile of queries: per tile of 32 keys the products with the keys (a lane per key), what each row
// needs of all its products (largest and sum; or sum of p dp), then the products again, now turned into weights, times another row per key.
// So nothing of the size queries x keys is stored but the probabilities, and sequences may be of any length; where all keys fit into one
// tile the products are made once. Rows lie in shared memory with an odd number of four-float units between them: no bank conflicts.
// Least traffic: q, z, and k and v once per tile of queries, the probabilities once (backward: read by both kernels, twice where there
// are several tiles of keys). All sums have a fixed order; no atomics.
#include "attention.cuh"
#include "math.cuh"
#include "rows.cuh"

constexpr int kWarps = kAttentionThreads / kWarp;
constexpr int kWeightStride = kAttentionKeys + kAttentionPadding;
constexpr float kLowest = -3e38f;

// Copies head-wide rows to shared memory; zeros beyond the head's width and beyond the rows that there are.
template <class F>
DEVICE void loadTile(float* tile, const Layout& layout, int rows, int filled, int quads, F rowAt) {
  const int units = layout.units(), stride = layout.stride();
#pragma unroll 2
  for (int i = threadX(); i < rows * units; i += kAttentionThreads) {
    const int r = i / units, c = i % units * 4;
    float4 v = splat<float4>(0);
    if (r < filled) {
      const float* from = rowAt(r) + c;
      if (quads) {
        v = load<float4>(from, 0);
      } else {
        v.x = from[0];
        if (c + 1 < layout.headWidth) v.y = from[1];
        if (c + 2 < layout.headWidth) v.z = from[2];
        if (c + 3 < layout.headWidth) v.w = from[3];
      }
    }
    store(tile + r * stride + c, 0, v);
  }
}

DEVICE void storeUnit(float* row, int c, int headWidth, int quads, float4 v) {
  if (quads) {
    store(row + c, 0, v);
  } else {
    row[c] = v.x;
    if (c + 1 < headWidth) row[c + 1] = v.y;
    if (c + 2 < headWidth) row[c + 2] = v.z;
    if (c + 3 < headWidth) row[c + 3] = v.w;
  }
}

DEVICE float dot(float4 a, float4 b, float sum) {
  sum = __builtin_fmaf(a.x, b.x, sum);
  sum = __builtin_fmaf(a.y, b.y, sum);
  sum = __builtin_fmaf(a.z, b.z, sum);
  return __builtin_fmaf(a.w, b.w, sum);
}

DEVICE float4 multiplyAdd(float4 a, float s, float4 sum) {
  return {__builtin_fmaf(a.x, s, sum.x), __builtin_fmaf(a.y, s, sum.y), __builtin_fmaf(a.z, s, sum.z), __builtin_fmaf(a.w, s, sum.w)};
}

// products[i] = row (warp, i) of a times row (lane) of b.
template <int kRows>
DEVICE void multiplyTile(const float* a, const float* b, const Layout& layout, float (&products)[kRows]) {
  const int units = layout.units(), stride = layout.stride();
#pragma unroll
  for (int i = 0; i < kRows; i++) products[i] = 0;
#pragma unroll 2
  for (int u = 0; u < units; u++) {
    const float4 right = load<float4>(b + lane() * stride, u);
#pragma unroll
    for (int i = 0; i < kRows; i++) products[i] = dot(load<float4>(a + (warp() * kRows + i) * stride, u), right, products[i]);
  }
}

// sums[s] += the sum over n of weights[row s, n] times column unit of row n of the tile, four n at a time.
DEVICE void accumulateTile(
    const float* weights, int weightStride, int count, const float* tile, int stride, int unit, const int (&rows)[kAttentionSlots],
    int slots, float4 (&sums)[kAttentionSlots]) {
#pragma unroll 1
  for (int n = 0; n < count; n += 4) {
    float4 right[4];
#pragma unroll
    for (int k = 0; k < 4; k++) right[k] = load<float4>(tile + (n + k) * stride, unit);
#pragma unroll
    for (int s = 0; s < kAttentionSlots; s++) {
      if (s >= slots) break;
      const float4 w = load<float4>(weights + rows[s] * weightStride + n, 0);
      sums[s] = multiplyAdd(right[0], w.x, sums[s]);
      sums[s] = multiplyAdd(right[1], w.y, sums[s]);
      sums[s] = multiplyAdd(right[2], w.z, sums[s]);
      sums[s] = multiplyAdd(right[3], w.w, sums[s]);
    }
  }
}

// The course of both kernels over queries: left rows (q or dz) times rows of the keys' tile (k or v) are what note() sees of every visible
// pair and what weigh() turns into the weights of the other rows (v or k), which add up to output (z or dq).
template <int kRows, class Row>
DEVICE void attend(
    const Layout& layout, const Head& head, int firstQuery, const float* left, int leftStride, const float* kv, const float* prefix,
    bool keysFirst, int quads, float* output, int outputStride, Row row) {
  constexpr int kQueries = kRows * kWarps;
  const int stride = layout.stride();
  float* a = dynamicShared<float>();
  float* b = a + kQueries * stride;
  float* c = b + kAttentionKeys * stride;
  float* weights = c + kAttentionKeys * stride;
  const int queries = head.queries - firstQuery < kQueries ? head.queries - firstQuery : kQueries;
  const int visible = head.keys - head.queries + firstQuery + 1;  // keys that the tile's first query sees, each one more
  const int seen = visible + queries - 1;
  const bool once = seen <= kAttentionKeys;
  const int first = keysFirst ? 0 : head.d, second = keysFirst ? head.d : 0;
  const auto loadKeys = [&](float* tile, int j, int column) {
    loadTile(tile, layout, kAttentionKeys, seen - j < kAttentionKeys ? seen - j : kAttentionKeys, quads, [&](int r) {
      return keyAt(kv, prefix, head, j + r) + column;
    });
  };
  const int unit = threadX() % layout.units(), group = threadX() / layout.units(), groups = layout.groups();
  const int slots = group < groups ? (kQueries - group + groups - 1) / groups : 0;
  int rows[kAttentionSlots];
  float4 sums[kAttentionSlots];
#pragma unroll
  for (int s = 0; s < kAttentionSlots; s++) {
    rows[s] = s * groups + group;
    sums[s] = splat<float4>(0);
  }
  float products[kRows];
  loadTile(a, layout, kQueries, queries, quads, [&](int r) { return left + (int64)r * leftStride; });
  for (int j = 0; j < seen; j += kAttentionKeys) {
    if (j > 0) barrier();
    loadKeys(b, j, first);
    if (once) loadKeys(c, j, second);
    barrier();
    multiplyTile<kRows>(a, b, layout, products);
#pragma unroll
    for (int i = 0; i < kRows; i++) {
      const int query = warp() * kRows + i;
      if (query < queries && j + lane() < visible + query) row.note(i, query, j + lane(), products[i]);
    }
  }
  row.finish(queries);
  for (int j = 0; j < seen; j += kAttentionKeys) {
    if (!once) {
      barrier();
      loadKeys(b, j, first);
      loadKeys(c, j, second);
      barrier();
      multiplyTile<kRows>(a, b, layout, products);
    }
#pragma unroll
    for (int i = 0; i < kRows; i++) {
      const int query = warp() * kRows + i;
      const bool sees = query < queries && j + lane() < visible + query;
      weights[query * kWeightStride + lane()] = sees ? row.weight(i, query, j + lane(), products[i]) : 0;
    }
    barrier();
    row.keep(weights, queries, seen, j);
    accumulateTile(weights, kWeightStride, kAttentionKeys, c, stride, unit, rows, slots, sums);
  }
#pragma unroll
  for (int s = 0; s < kAttentionSlots; s++) {
    if (s < slots && rows[s] < queries) storeUnit(output + (int64)rows[s] * outputStride, 4 * unit, layout.headWidth, quads, sums[s]);
  }
}

// Softmax with the largest score and the sum of exponentials kept side by side, so that one pass over the scores finds both. Scores are
// rounded, so that both passes see the same: of scores in the thousands the rounding alone would be seen in the exponential.
template <int kRows>
struct SoftmaxRows {
  float scale;
  float* probabilities;  // of the tile's first query
  int keys;
  float largest[kRows], sum[kRows];

  DEVICE_MEMBER void start() {
#pragma unroll
    for (int i = 0; i < kRows; i++) largest[i] = kLowest, sum[i] = 0;
  }

  DEVICE_MEMBER void note(int i, int, int, float product) {
    const float score = roundedProduct(scale, product);
    const float ratio = exponential(-__builtin_fabsf(score - largest[i]));
    sum[i] = score > largest[i] ? sum[i] * ratio + 1 : sum[i] + ratio;
    largest[i] = score > largest[i] ? score : largest[i];
  }

  DEVICE_MEMBER void finish(int) {
#pragma unroll
    for (int i = 0; i < kRows; i++) {
      float most = largest[i];
#pragma unroll
      for (int mask = kWarp / 2; mask > 0; mask /= 2) {
        const float other = shuffleXor(most, mask);
        most = other > most ? other : most;
      }
      sum[i] = 1 / warpSum(sum[i] * exponential(largest[i] - most));
      largest[i] = most;
    }
  }

  DEVICE_MEMBER float weight(int i, int, int, float product) { return exponential(roundedProduct(scale, product) - largest[i]) * sum[i]; }

  // The weights of a tile of keys are the probabilities; behind the last tile that any query sees, zeros go up to the last key.
  DEVICE_MEMBER void keep(const float* weights, int queries, int seen, int firstKey) const {
    const int end = firstKey + kAttentionKeys < seen ? firstKey + kAttentionKeys : keys;
    for (int query = warp(); query < queries; query += kWarps) {
      for (int key = firstKey + lane(); key < end; key += kWarp) {
        probabilities[(int64)query * keys + key] = key < firstKey + kAttentionKeys ? weights[query * kWeightStride + key - firstKey] : 0;
      }
    }
  }
};

template <int kRows>
DEVICE void attentionForward(
    const float* q, const float* kv, const float* prefix, const Layout& layout, float scale, int tiles, int quads, float* probabilities,
    float* z) {
  const Head head = layout.head(blockX() / tiles, blockY());
  const int firstQuery = blockX() % tiles * kRows * kWarps;
  if (firstQuery >= head.queries) return;
  const int64 row = head.queryRow + firstQuery;
  SoftmaxRows<kRows> rows;
  rows.scale = scale;
  rows.probabilities = probabilities + head.probabilities + (int64)firstQuery * head.keys;
  rows.keys = head.keys;
  rows.start();
  attend<kRows>(
      layout, head, firstQuery, q + row * head.queryStride + head.column, head.queryStride, kv, prefix, true, quads,
      z + row * head.d + head.column, head.d, rows);
}

// ds = scale p (dp - along) with along = sum of p dp, which is left behind for the gradients of keys and values.
template <int kRows>
struct ScoreGradientRows {
  float scale;
  const float* probabilities;  // of the tile's first query
  int keys;
  float* along;                // of the tile's first query
  float sum[kRows];

  DEVICE_MEMBER void start() {
#pragma unroll
    for (int i = 0; i < kRows; i++) sum[i] = 0;
  }

  DEVICE_MEMBER float probability(int query, int key) const { return probabilities[(int64)query * keys + key]; }

  DEVICE_MEMBER void note(int i, int query, int key, float product) { sum[i] += probability(query, key) * product; }

  DEVICE_MEMBER void finish(int queries) {
#pragma unroll
    for (int i = 0; i < kRows; i++) {
      sum[i] = warpSum(sum[i]);
      const int query = warp() * kRows + i;
      if (lane() == 0 && query < queries) along[query] = sum[i];
    }
  }

  DEVICE_MEMBER float weight(int i, int query, int key, float product) { return scale * probability(query, key) * (product - sum[i]); }

  DEVICE_MEMBER void keep(const float*, int, int, int) const {}
};

template <int kRows>
DEVICE void attentionQueryGradient(
    const float* dz, const float* kv, const float* prefix, const float* probabilities, const Layout& layout, float scale, int sequences,
    int queryRows, int allQueryRows, int tiles, int quads, float* along, float* dq) {
  const int part = blockX() / tiles, sequence = part % sequences, cotangent = part / sequences;
  const Head head = layout.head(sequence, blockY());
  const int firstQuery = blockX() % tiles * kRows * kWarps;
  if (firstQuery >= head.queries) return;
  const int64 row = (int64)cotangent * queryRows + head.queryRow + firstQuery;
  ScoreGradientRows<kRows> rows;
  rows.scale = scale;
  rows.probabilities = probabilities + head.probabilities + (int64)firstQuery * head.keys;
  rows.keys = head.keys;
  rows.along = along + (int64)blockY() * allQueryRows + row;
  rows.start();
  attend<kRows>(
      layout, head, firstQuery, dz + row * head.d + head.column, head.d, kv, prefix, false, quads,
      dq + row * head.queryStride + head.column, head.queryStride, rows);
}

constexpr int kTileRows = kAttentionQueries / kWarps;
constexpr int kTransposedStride = kAttentionQueries + kAttentionPadding;

// The kernels over queries take 4 kRows queries per block: few where sequences are short or heads are wide.
// Grid (tiles of queries of the longest sequence x sequences (x cotangents), heads).
#define ATTENTION(kRows)                                                                                              \
  KERNEL __launch_bounds__(kAttentionThreads) attention##kRows(                                                       \
      const float* __restrict__ q, const float* __restrict__ kv, const float* __restrict__ prefix, LAYOUT_PARAMETERS, \
      float scale, int tiles, int quads, float* __restrict__ probabilities, float* __restrict__ z) {                  \
    attentionForward<kRows>(q, kv, prefix, LAYOUT, scale, tiles, quads, probabilities, z);                            \
  }                                                                                                                   \
  KERNEL __launch_bounds__(kAttentionThreads) attentionQueryGradient##kRows(                                          \
      const float* __restrict__ dz, const float* __restrict__ kv, const float* __restrict__ prefix,                   \
      const float* __restrict__ probabilities, LAYOUT_PARAMETERS, float scale, int sequences, int queryRows,          \
      int allQueryRows, int tiles, int quads, float* __restrict__ along, float* __restrict__ dq) {                    \
    attentionQueryGradient<kRows>(                                                                                    \
        dz, kv, prefix, probabilities, LAYOUT, scale, sequences, queryRows, allQueryRows, tiles, quads, along, dq);   \
  }

ATTENTION(2)
ATTENTION(4)
ATTENTION(8)

// dk = ds^T q and dv = p^T dz of a tile of a sequence's own keys: dp is made anew from dz and v, ds from it, p and along, tile by tile of
// the queries that see a key. Grid (tiles of keys of the longest sequence x sequences x cotangents, heads).
KERNEL __launch_bounds__(kAttentionThreads) attentionKeyGradient(
    const float* __restrict__ dz, const float* __restrict__ q, const float* __restrict__ kv, const float* __restrict__ probabilities,
    const float* __restrict__ along,  // [heads, cotangents * query rows]
    LAYOUT_PARAMETERS, float scale, int sequences, int queryRows, int allQueryRows, int keyRows, int tiles, int tileKeys, int quads,
    float* __restrict__ dkv) {        // [cotangents * key rows, 2 heads * headWidth]
  const Layout layout = LAYOUT;
  const int part = blockX() / tiles, sequence = part % sequences, cotangent = part / sequences;
  const Head head = layout.head(sequence, blockY());
  const int firstKey = blockX() % tiles * tileKeys;
  if (firstKey >= head.own) return;
  const int count = head.own - firstKey < tileKeys ? head.own - firstKey : tileKeys;
  const int stride = layout.stride();
  float* values = dynamicShared<float>();
  float* lefts = values + kAttentionKeys * stride;
  float* gradients = lefts + kAttentionQueries * stride;
  float* ds = gradients + kAttentionQueries * stride;
  float* shares = ds + kAttentionKeys * kTransposedStride;
  const int unit = threadX() % layout.units(), group = threadX() / layout.units(), groups = layout.groups();
  const int slots = group < groups ? (tileKeys - group + groups - 1) / groups : 0;
  int rows[kAttentionSlots];
  float4 dk[kAttentionSlots], dv[kAttentionSlots];
#pragma unroll
  for (int s = 0; s < kAttentionSlots; s++) {
    rows[s] = s * groups + group;
    dk[s] = dv[s] = splat<float4>(0);
  }
  const int64 queryRow = (int64)cotangent * queryRows + head.queryRow;
  const float* leftRows = q + head.queryRow * head.queryStride + head.column;
  const float* gradientRows = dz + queryRow * head.d + head.column;
  const float* sums = along + (int64)blockY() * allQueryRows + queryRow;
  const float* p = probabilities + head.probabilities + head.prefix + firstKey;
  loadTile(values, layout, kAttentionKeys, count, quads, [&](int r) {
    return kv + (head.keyRow + firstKey + r) * head.keyStride + head.d + head.column;
  });
  const int before = head.prefix + firstKey - (head.keys - head.queries);  // the first query that sees the first key
  for (int i = before > 0 ? before : 0; i < head.queries; i += kAttentionQueries) {
    const int filled = head.queries - i < kAttentionQueries ? head.queries - i : kAttentionQueries;
    barrier();
    loadTile(lefts, layout, kAttentionQueries, filled, quads, [&](int r) { return leftRows + (int64)(i + r) * head.queryStride; });
    loadTile(gradients, layout, kAttentionQueries, filled, quads, [&](int r) { return gradientRows + (int64)(i + r) * head.d; });
    barrier();
    float share[kTileRows], products[kTileRows];
#pragma unroll
    for (int k = 0; k < kTileRows; k++) {
      const int query = warp() * kTileRows + k;
      share[k] = query < filled && lane() < count ? p[(int64)(i + query) * head.keys + lane()] : 0;
    }
    multiplyTile<kTileRows>(gradients, values, layout, products);
#pragma unroll
    for (int k = 0; k < kTileRows; k++) {
      const int query = warp() * kTileRows + k;
      products[k] = query < filled ? scale * share[k] * (products[k] - sums[i + query]) : 0;
    }
    const int at = lane() * kTransposedStride + warp() * kTileRows;
    store(ds + at, 0, float4{products[0], products[1], products[2], products[3]});
    store(shares + at, 0, float4{share[0], share[1], share[2], share[3]});
    barrier();
    accumulateTile(ds, kTransposedStride, kAttentionQueries, lefts, stride, unit, rows, slots, dk);
    accumulateTile(shares, kTransposedStride, kAttentionQueries, gradients, stride, unit, rows, slots, dv);
  }
#pragma unroll
  for (int s = 0; s < kAttentionSlots; s++) {
    if (s >= slots || rows[s] >= count) break;
    float* row = dkv + ((int64)cotangent * keyRows + head.keyRow + firstKey + rows[s]) * head.keyStride + head.column;
    storeUnit(row, 4 * unit, headWidth, quads, dk[s]);
    storeUnit(row + head.d, 4 * unit, headWidth, quads, dv[s]);
  }
}
