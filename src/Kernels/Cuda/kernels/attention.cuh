// Where the rows of a sequence's head stand: what the kernels of attention share.
#pragma once
#include "cuda.cuh"

// One head of one sequence. Rows of keys and values are 2 d floats apart, all others d.
struct Head {
  int keys, own, prefix, queries;
  int64 keyRow, queryRow, prefixRow, probabilities;
  int d, column;
};

struct Layout {
  const int *keyStart, *keyLength, *queryStart, *queryLength;
  const int64* probabilityStart;
  const int *prefixStart, *prefixLength;
  int heads, headWidth;

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
    return head;
  }

  DEVICE_MEMBER int units() const { return (headWidth + 3) / 4; }
  DEVICE_MEMBER int stride() const { return 4 * (units() | 1); }
  // Threads of a block are dealt to a row's units; that many rows are in work at once.
  DEVICE_MEMBER int groups() const { return kAttentionThreads / units(); }
};

// Where key (or value, at column d further on) number j of a head stands.
DEVICE const float* keyAt(const float* kv, const float* prefix, const Head& head, int j) {
  const float* row = j < head.prefix ? prefix + (head.prefixRow + j) * 2 * head.d : kv + (head.keyRow + j - head.prefix) * 2 * head.d;
  return row + head.column;
}

#define LAYOUT_PARAMETERS                                                                                                   \
  const int *__restrict__ keyStart, const int *__restrict__ keyLength, const int *__restrict__ queryStart,                  \
      const int *__restrict__ queryLength, const int64 *__restrict__ probabilityStart, const int *__restrict__ prefixStart, \
      const int *__restrict__ prefixLength, int heads, int headWidth
#define LAYOUT Layout{keyStart, keyLength, queryStart, queryLength, probabilityStart, prefixStart, prefixLength, heads, headWidth}
