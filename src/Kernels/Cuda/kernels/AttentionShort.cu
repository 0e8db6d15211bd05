// Attention of sequences of at most 32 keys, a prefix's included, whose heads are a multiple of 16 wide: a warp has 16 queries (or 16 keys,
// for their gradients) of a head and multiplies on tensor cores by three TF32 products, which err as float32 does (GemmMma.cuh).
// Attention.cu says what is computed. Nothing here goes through shared memory but a number per query, from its gradient to the keys'.
//
// A sum does not care in which order its terms are numbered, as long as both factors agree, nor a tile in which order its columns are. So
// operands are read into registers in the order in which mma has them already, 16 bytes a thread (g = lane / 4, t = lane % 4):
//
//   rows times rows     (q k^T, dz v^T, v dz^T) of 16 columns, mma's k's t, t + 4, t + 8, t + 12 are columns 4t to 4t + 3: a unit of row g
//   weights times rows  (p v, ds k, ds^T q, p^T dz) of 8 rows, mma's k's t and t + 4 are rows 2t and 2t + 1, which is where the products of
//                       the first kind left the weights; of 32 columns, mma's column g of tile m is column 4g + m: a unit of rows 2t, 2t +
//                       1, and results are units of a row again
//
// Rows beyond the last are read as the last one; what comes of them is not stored, or has the weight zero. Instructions that a warp runs at
// 16 tokens and a head width of 64 (AttentionShortTests): 942 forward, 1,664 for the gradients of queries, keys and values.
#include "GemmMma.cuh"
#include "attention.cuh"
#include "math.cuh"
#include "rows.cuh"

typedef FactorA<Arithmetic::Tf32x3> Factor;

// The head width of most models.
constexpr int kUsualWidth = 64;
// Tiles of 8 of the 32 keys.
constexpr int kTiles = kShortKeys / 8;

// How a head's rows are read: by 16 bytes or by 4, and with a width that the code knows (64) or any.
template <bool kQuadsOf, int kWidthOf>
struct Form {
  static constexpr bool kQuads = kQuadsOf;
  static constexpr int kWidth = kWidthOf;
};

// Calls f with the first of every kStep columns.
template <class Shape, int kStep, class F>
DEVICE void eachColumn(int width, F f) {
  if constexpr (Shape::kWidth > 0) {
#pragma unroll
    for (int c = 0; c < Shape::kWidth; c += kStep) f(c);
  } else {
#pragma unroll 1
    for (int c = 0; c < width; c += kStep) f(c);
  }
}

template <bool kQuads>
DEVICE Words loadUnit(const float* from) {
  if constexpr (kQuads) {
    return loadWords(from);
  } else {
    const uint32* words = (const uint32*)from;
    return Words{words[0], words[1], words[2], words[3]};
  }
}

template <bool kQuads>
DEVICE void storeUnit(float* to, float a, float b, float c, float d) {
  if constexpr (kQuads) {
    store(to, 0, float4{a, b, c, d});
  } else {
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
  }
}

// p[kAt], or 0 where kAt is not below the limit; and a store that happens below it only. Without branches, of which the compiler would make
// one for each.
template <int kAt>
DEVICE float loadBelow(const float* p, int limit) {
  float v;
  asm("{\n\t"
      ".reg .pred below;\n\t"
      "setp.gt.s32 below, %1, %3;\n\t"
      "mov.f32 %0, 0f00000000;\n\t"
      "@below ld.global.f32 %0, [%2+%4];\n\t"
      "}"
      : "=&f"(v)
      : "r"(limit), "l"(p), "n"(kAt), "n"(kAt * 4));
  return v;
}
template <int kAt>
DEVICE void storeBelow(float* p, int limit, float v) {
  asm volatile("{\n\t"
               ".reg .pred below;\n\t"
               "setp.gt.s32 below, %0, %3;\n\t"
               "@below st.global.f32 [%1+%4], %2;\n\t"
               "}" ::"r"(limit), "l"(p), "f"(v), "n"(kAt), "n"(kAt * 4)
               : "memory");
}

// Rows of a head, those of a prefix first. A row beyond the last is the last.
struct Rows {
  const float *prefix, *own;  // of row 0, also where it does not exist
  int prefixRows, last, prefixPitch, pitch;

  DEVICE_MEMBER const float* at(int row) const {
    row = minimum(row, last);
    const bool before = row < prefixRows;
    return rowAt(before ? prefix : own, row, before ? prefixPitch : pitch);
  }
};

// Keys (or values, at column d further on) of a head, of which `seen` are read.
DEVICE Rows keysOf(const float* kv, const float* prefix, const Head& head, int seen, int column) {
  const int prefixPitch = 2 * head.d;
  column += head.column;
  return {
      rowAt(prefix + column, (int)head.prefixRow, prefixPitch), rowAt(kv + column, (int)head.keyRow - head.prefix, head.keyStride),
      head.prefix, seen - 1, prefixPitch, head.keyStride};
}

// products[j] = rows (top, bottom) of the left times rows 8 j + g of the right: 16 of them, or 32, each half by a course of its own, so
// that nothing stands between the reads of a course.
template <class Shape>
DEVICE void multiplyRows(float (&products)[kTiles][4], const float* top, const float* bottom, const Rows& right, bool all, int width) {
  const int unit = lane() % 4 * 4;
  top += unit;
  bottom += unit;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    if (half == 1 && !all) break;
    const float* rows[2];
#pragma unroll
    for (int j = 0; j < 2; j++) rows[j] = right.at((2 * half + j) * 8 + lane() / 4) + unit;
    eachColumn<Shape, 16>(width, [&](int c) __attribute__((always_inline)) {
      const Words high = loadUnit<Shape::kQuads>(top + c), low = loadUnit<Shape::kQuads>(bottom + c);
      const uint32 left[8] = {high[0], low[0], high[1], low[1], high[2], low[2], high[3], low[3]};
      Factor x;
      x.set(left);
#pragma unroll
      for (int j = 0; j < 2; j++) {
        const Words word = loadUnit<Shape::kQuads>(rows[j] + c);
        const uint32 y[4] = {word[0], word[1], word[2], word[3]};
        float step[1][4];
        multiplyFromZero<1>(step, &x, y);
#pragma unroll
        for (int e = 0; e < 4; e++) products[2 * half + j][e] = c == 0 ? step[0][e] : products[2 * half + j][e] + step[0][e];
      }
    });
  }
}

// Weights of 16 rows as the left factors of the sums over the right's rows.
DEVICE Factor factorOf(const float (&first)[4], const float (&second)[4]) {
  const uint32 bits[8] = {
      __builtin_bit_cast(uint32, first[0]),  __builtin_bit_cast(uint32, first[2]),  __builtin_bit_cast(uint32, first[1]),
      __builtin_bit_cast(uint32, first[3]),  __builtin_bit_cast(uint32, second[0]), __builtin_bit_cast(uint32, second[2]),
      __builtin_bit_cast(uint32, second[1]), __builtin_bit_cast(uint32, second[3])};
  Factor x;
  x.set(bits);
  return x;
}

// Rows (top, bottom) of the result = weights times the right's rows; a row that is null is not stored.
template <class Shape>
DEVICE void mixRows(float* top, float* bottom, const float (&weights)[kTiles][4], const Rows& right, bool all, int width) {
  constexpr int kGroups = Shape::kWidth > 0 ? Shape::kWidth / 32 : 1;
  const int group = lane() / 4, within = lane() % 4;
  eachColumn<Shape, 32 * kGroups>(width, [&](int c) __attribute__((always_inline)) {
    float sums[kGroups][4][4];
#pragma unroll
    for (int half = 0; half < 2; half++) {
      if (half == 1 && !all) break;
      const Factor x = factorOf(weights[2 * half], weights[2 * half + 1]);
      const float* rows[4];
#pragma unroll
      for (int i = 0; i < 4; i++) rows[i] = right.at(half * 16 + i / 2 * 8 + 2 * within + i % 2);
#pragma unroll
      for (int n = 0; n < kGroups; n++) {
        int column = c + n * 32 + 4 * group;
        if constexpr (Shape::kWidth == 0) column = minimum(column, width - 4);
        Words units[4];
#pragma unroll
        for (int i = 0; i < 4; i++) units[i] = loadUnit<Shape::kQuads>(rows[i] + column);
#pragma unroll
        for (int m = 0; m < 4; m++) {
          const uint32 y[4] = {units[0][m], units[1][m], units[2][m], units[3][m]};
          float step[1][4];
          multiplyFromZero<1>(step, &x, y);
#pragma unroll
          for (int e = 0; e < 4; e++) sums[n][m][e] = half == 0 ? step[0][e] : sums[n][m][e] + step[0][e];
        }
      }
    }
    const int to = c + 8 * within;
    if (Shape::kWidth == 0 && to >= width) return;
#pragma unroll
    for (int h = 0; h < 2; h++) {
      float* row = h == 0 ? top : bottom;
      if (row == nullptr) continue;
#pragma unroll
      for (int n = 0; n < kGroups; n++) {
        const float(&s)[4][4] = sums[n];
#pragma unroll
        for (int e = 0; e < 2; e++) {
          const int i = 2 * h + e;
          storeUnit<Shape::kQuads>(row + to + n * 32 + 4 * e, s[0][i], s[1][i], s[2][i], s[3][i]);
        }
      }
    }
  });
}

// The 16 queries of a warp and what they see. Element e of tile j of their products is query g + e / 2 * 8 and key 8 j + 2 t + e % 2.
struct Queries {
  int first, count, seen;
  bool all;          // more than 16 keys
  int row[2];        // among the sequence's queries; the last one where there are fewer
  bool real[2];
  int toward[2];     // from the head's first probability to the row's first of this lane
  int sees[2];       // keys from this lane's first on that the row sees

  DEVICE_MEMBER Queries(const Head& head, int first) : first(first) {
    count = minimum(head.queries - first, kShortRows);
    const int visible = head.keys - head.queries + first + 1;  // of the first query, each further one sees one more
    seen = visible + count - 1;
    all = seen > kShortKeys / 2;
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const int place = lane() / 4 + 8 * h, query = minimum(place, count - 1);
      real[h] = place == query;
      row[h] = first + query;
      toward[h] = row[h] * head.keys + lane() % 4 * 2;
      sees[h] = visible + query - lane() % 4 * 2;
    }
  }
};

// Two probabilities of a row, those of keys kKey and kKey + 1 from this lane's first on.
template <int kKey>
DEVICE void storePair(float* row, int keys, const float* p) {
  storeBelow<kKey>(row, keys, p[0]);
  storeBelow<kKey + 1>(row, keys, p[1]);
}

template <int kKey>
DEVICE void loadPair(float* p, const float* row, int keys) {
  p[0] = loadBelow<kKey>(row, keys);
  p[1] = loadBelow<kKey + 1>(row, keys);
}

// Over the four lanes that share a row.
DEVICE float rowSum(float v) {
  v += shuffleXor(v, 1);
  return v + shuffleXor(v, 2);
}
DEVICE float rowMost(float v) {
  v = __builtin_fmaxf(v, shuffleXor(v, 1));
  return __builtin_fmaxf(v, shuffleXor(v, 2));
}

template <class Shape>
DEVICE void forward(
    const float* q, const float* kv, const float* prefix, const Head& head, int firstQuery, int width, float scale, float* probabilities,
    float* z) {
  const Queries queries(head, firstQuery);
  q += head.queryRow * head.queryStride + head.column;
  z += head.queryRow * head.d + head.column;
  float p[kTiles][4];
  multiplyRows<Shape>(
      p, rowAt(q, queries.row[0], head.queryStride), rowAt(q, queries.row[1], head.queryStride), keysOf(kv, prefix, head, queries.seen, 0),
      queries.all, width);
  const auto each = [&](auto f) __attribute__((always_inline)) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      if (half == 1 && !queries.all) break;
#pragma unroll
      for (int i = 0; i < 8; i++) f(p[2 * half + i / 4][i % 4], i % 4 / 2, half * 16 + i / 4 * 8 + i % 2);
    }
  };
  float most[2] = {-__builtin_inff(), -__builtin_inff()}, sum[2] = {0, 0};
  each([&](float& v, int h, int key) __attribute__((always_inline)) {
    v = key < queries.sees[h] ? roundedProduct(scale, v) : -__builtin_inff();
    most[h] = __builtin_fmaxf(most[h], v);
  });
  most[0] = rowMost(most[0]);
  most[1] = rowMost(most[1]);
  each([&](float& v, int h, int) __attribute__((always_inline)) {
    v = exponentialBelowZero(v - most[h]);
    sum[h] += v;
  });
  sum[0] = 1 / rowSum(sum[0]);
  sum[1] = 1 / rowSum(sum[1]);
  each([&](float& v, int h, int key) __attribute__((always_inline)) { v = key < queries.sees[h] ? v * sum[h] : 0; });
  // Behind the keys that are seen, zeros go up to the last key.
#pragma unroll
  for (int h = 0; h < 2; h++) {
    float* row = probabilities + head.probabilities + queries.toward[h];
    const int keys = queries.real[h] ? head.keys - lane() % 4 * 2 : 0;
    storePair<0>(row, keys, p[0] + 2 * h);
    storePair<8>(row, keys, p[1] + 2 * h);
    if (head.keys <= kShortKeys / 2) continue;
    const float none[2] = {0, 0};
    storePair<16>(row, keys, queries.all ? p[2] + 2 * h : none);
    storePair<24>(row, keys, queries.all ? p[3] + 2 * h : none);
  }
  mixRows<Shape>(
      queries.real[0] ? rowAt(z, queries.row[0], head.d) : nullptr, queries.real[1] ? rowAt(z, queries.row[1], head.d) : nullptr, p,
      keysOf(kv, prefix, head, queries.seen, head.d), queries.all, width);
}

// ds = scale p (dp - along) with along = sum of p dp, which is left behind for the gradients of keys and values: one of each of the
// warp's 16 places, 0 where there is no query.
template <class Shape>
DEVICE void queryGradient(
    const float* dz, const float* kv, const float* prefix, const float* probabilities, const Head& head, int firstQuery, int width,
    float scale, float* along, float* dq) {
  const Queries queries(head, firstQuery);
  float ds[kTiles][4], p[kTiles][4];
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const float* row = probabilities + head.probabilities + queries.toward[h];
    loadPair<0>(p[0] + 2 * h, row, queries.sees[h]);
    loadPair<8>(p[1] + 2 * h, row, queries.sees[h]);
    if (!queries.all) continue;
    loadPair<16>(p[2] + 2 * h, row, queries.sees[h]);
    loadPair<24>(p[3] + 2 * h, row, queries.sees[h]);
  }
  multiplyRows<Shape>(
      ds, rowAt(dz, queries.row[0], head.d), rowAt(dz, queries.row[1], head.d), keysOf(kv, prefix, head, queries.seen, head.d), queries.all,
      width);
  const auto each = [&](auto f) __attribute__((always_inline)) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      if (half == 1 && !queries.all) break;
#pragma unroll
      for (int i = 0; i < 8; i++) f(ds[2 * half + i / 4][i % 4], p[2 * half + i / 4][i % 4], i % 4 / 2);
    }
  };
  float sum[2] = {0, 0};
  each([&](float& v, float share, int h) __attribute__((always_inline)) { sum[h] += share * v; });
  sum[0] = rowSum(sum[0]);
  sum[1] = rowSum(sum[1]);
  each([&](float& v, float share, int h) __attribute__((always_inline)) { v = scale * share * (v - sum[h]); });
  if (lane() % 4 == 0) {
    along[firstQuery + lane() / 4] = queries.real[0] ? sum[0] : 0;
    along[firstQuery + lane() / 4 + 8] = queries.real[1] ? sum[1] : 0;
  }
  mixRows<Shape>(
      queries.real[0] ? rowAt(dq, queries.row[0], head.queryStride) : nullptr,
      queries.real[1] ? rowAt(dq, queries.row[1], head.queryStride) : nullptr, ds, keysOf(kv, prefix, head, queries.seen, 0), queries.all,
      width);
}

// The gradients of 16 of a sequence's own keys and values. The queries that see them, from the first on, are at most 32. Element e of tile
// j is key g + e / 2 * 8 and query 8 j + 2 t + e % 2.
template <class Shape>
DEVICE void keyGradient(
    const float* dz, const float* q, const float* kv, const float* probabilities, const float* along, const Head& head, int firstKey,
    int width, float scale, float* dkv) {
  const int count = minimum(head.own - firstKey, kShortRows), pitch = head.keyStride;
  const int firstQuery = maximum(head.prefix + firstKey - (head.keys - head.queries), 0), queries = head.queries - firstQuery;
  const bool all = queries > kShortKeys / 2;
  int row[2];
  bool real[2];
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const int key = lane() / 4 + 8 * h;
    real[h] = key < count;
    row[h] = firstKey + minimum(key, count - 1);
  }
  const Rows gradients = {nullptr, dz + firstQuery * head.d, 0, queries - 1, 0, head.d};
  const Rows lefts = {
      nullptr, q + (head.queryRow + firstQuery) * head.queryStride + head.column, 0, queries - 1, 0, head.queryStride};
  const float* values = kv + head.keyRow * pitch + head.d + head.column;
  float p[kTiles][4], ds[kTiles][4], sums[kTiles][2];
  const float* shares = probabilities + head.probabilities + firstQuery * head.keys + head.prefix;
#pragma unroll
  for (int j = 0; j < kTiles; j++) {
    if (j >= kTiles / 2 && !all) break;
#pragma unroll
    for (int e = 0; e < 2; e++) {
      const int query = 8 * j + lane() % 4 * 2 + e;
      const float* share = rowAt(shares, query, head.keys);
      sums[j][e] = along[firstQuery + query];
#pragma unroll
      for (int h = 0; h < 2; h++) p[j][2 * h + e] = loadBelow<0>(share + row[h], queries - query);
    }
  }
  multiplyRows<Shape>(ds, rowAt(values, row[0], pitch), rowAt(values, row[1], pitch), gradients, all, width);
#pragma unroll
  for (int half = 0; half < 2; half++) {
    if (half == 1 && !all) break;
#pragma unroll
    for (int i = 0; i < 8; i++) {
      const int j = 2 * half + i / 4, e = i % 4;
      ds[j][e] = scale * p[j][e] * (ds[j][e] - sums[j][e % 2]);
    }
  }
  dkv += head.keyRow * pitch + head.column;
  float* to = rowAt(dkv, row[0], pitch);
  float* below = rowAt(dkv, row[1], pitch);
  mixRows<Shape>(real[0] ? to : nullptr, real[1] ? below : nullptr, ds, lefts, all, width);
  mixRows<Shape>(real[0] ? to + head.d : nullptr, real[1] ? below + head.d : nullptr, p, gradients, all, width);
}

// Grid (tiles of 16 queries of the longest sequence x sequences (x cotangents), heads); a block is a warp.
KERNEL __launch_bounds__(kWarp) attentionShort(
    const float* __restrict__ q, const float* __restrict__ kv, const float* __restrict__ prefix, LAYOUT_PARAMETERS, float scale, int tiles,
    int quads, float* __restrict__ probabilities, float* __restrict__ z) {
  const Head head = LAYOUT.head(blockX() / tiles, blockY());
  const int first = blockX() % tiles * kShortRows;
  if (first >= head.queries) return;
  if (quads && headWidth == kUsualWidth) forward<Form<true, kUsualWidth>>(q, kv, prefix, head, first, kUsualWidth, scale, probabilities, z);
  else if (quads) forward<Form<true, 0>>(q, kv, prefix, head, first, headWidth, scale, probabilities, z);
  else forward<Form<false, 0>>(q, kv, prefix, head, first, headWidth, scale, probabilities, z);
}

// A warp's part of the gradients: those of 16 queries, and behind the barrier those of 16 keys.
template <class Shape>
DEVICE void gradients(
    const float* dz, const float* q, const float* kv, const float* prefix, const float* probabilities, const Head& head, int width,
    float scale, float* along, float* dq, float* dkv) {
  const int first = warp() * kShortRows;
  if (first < head.queries) queryGradient<Shape>(dz, kv, prefix, probabilities, head, first, width, scale, along, dq);
  else if (lane() < kShortRows) along[first + lane()] = 0;
  barrier();
  if (first < head.own) keyGradient<Shape>(dz, q, kv, probabilities, along, head, first, width, scale, dkv);
}

// Grid (sequences x cotangents, heads); a block has a warp for every 16 keys of the longest sequence. What its queries leave for its keys
// stays in the block.
KERNEL __launch_bounds__(kWarp* kShortKeys / kShortRows) attentionShortGradients(
    const float* __restrict__ dz, const float* __restrict__ q, const float* __restrict__ kv, const float* __restrict__ prefix,
    const float* __restrict__ probabilities, LAYOUT_PARAMETERS, float scale, int sequences, int queryRows, int keyRows, int quads,
    float* __restrict__ dq, float* __restrict__ dkv) {
  __shared__ float along[kShortKeys];
  const int cotangent = blockX() / sequences;
  const Head head = LAYOUT.head(blockX() % sequences, blockY());
  const int64 row = (int64)cotangent * queryRows + head.queryRow;
  dz += row * head.d + head.column;
  dq += row * head.queryStride + head.column;
  dkv += (int64)cotangent * keyRows * head.keyStride;
  if (quads && headWidth == kUsualWidth)
    gradients<Form<true, kUsualWidth>>(dz, q, kv, prefix, probabilities, head, kUsualWidth, scale, along, dq, dkv);
  else if (quads) gradients<Form<true, 0>>(dz, q, kv, prefix, probabilities, head, headWidth, scale, along, dq, dkv);
  else gradients<Form<false, 0>>(dz, q, kv, prefix, probabilities, head, headWidth, scale, along, dq, dkv);
}
