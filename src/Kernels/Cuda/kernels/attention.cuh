// Where the rows of a sequence's head stand: what the kernels of attention share.
#pragma once
#include "cuda.cuh"

// One head of one sequence. Rows of queries and of keys and values have strides of their own, in their gradients too; those of a prefix
// are 2 d floats apart, all others d. A value stands d behind its key.
struct Head {
  int keys, own, prefix, queries;
  int64 keyRow, queryRow, prefixRow, probabilities;
  int d, column, queryStride, keyStride;
};

struct Layout {
  const int *keyStart, *keyLength, *queryStart, *queryLength;
  const int64* probabilityStart;
  const int *prefixStart, *prefixLength;
  int heads, headWidth, queryStride, keyStride;

  DEVICE_MEMBER Head head(int sequence, int h) const {
    Head head;
    head.prefix = prefixLength[sequence];
    head.own = keyLength[sequence];
    head.keys = head.prefix + head.own;
    head.queries = queryLength[sequence];
    head.keyRow = keyStart[sequence];
    head.queryRow = queryStart[sequence];
    head.prefixRow = prefixStart[sequence];
    head.probabilities = probabilityStart[sequence] * heads + (int64)h * head.queries * head.keys;
    head.d = heads * headWidth;
    head.column = h * headWidth;
    head.queryStride = queryStride;
    head.keyStride = keyStride;
    return head;
  }

  DEVICE_MEMBER int units() const { return (headWidth + 3) / 4; }
  DEVICE_MEMBER int stride() const { return 4 * (units() | 1); }
  // Threads of a block are dealt to a row's units; that many rows are in work at once.
  DEVICE_MEMBER int groups() const { return kAttentionThreads / units(); }
};

// Where key (or value, at column d further on) number j of a head stands.
DEVICE const float* keyAt(const float* kv, const float* prefix, const Head& head, int j) {
  const float* row =
      j < head.prefix ? prefix + (head.prefixRow + j) * 2 * head.d : kv + (head.keyRow + j - head.prefix) * head.keyStride;
  return row + head.column;
}

#define LAYOUT_PARAMETERS                                                                                                   \
  const int *__restrict__ keyStart, const int *__restrict__ keyLength, const int *__restrict__ queryStart,                  \
      const int *__restrict__ queryLength, const int64 *__restrict__ probabilityStart, const int *__restrict__ prefixStart, \
      const int *__restrict__ prefixLength, int heads, int headWidth, int queryStride, int keyStride
#define LAYOUT                                                                                                              \
  Layout{keyStart,     keyLength, queryStart, queryLength, probabilityStart, prefixStart,                                   \
         prefixLength, heads,     headWidth,  queryStride, keyStride}
