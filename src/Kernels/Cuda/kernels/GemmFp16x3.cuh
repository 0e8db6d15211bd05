// The matrix product with float32's accuracy by three products of halves: one template for every tile and layout of B.
//
// Operands are plain floats in memory. A line, a row of A or a column of B, is multiplied by a power of two that puts its largest magnitude
// between 2^12 and 2^15, and each factor x is cut into X, x rounded to a half, and x', the rest rounded to a half: x y = X Y + X y' + x' Y.
// The power is that of the largest number that the line has had: where a step brings a larger one, the line's power falls and its sums are
// multiplied by what it fell by, all by powers of two. So sums stand in one unit all along, and whatever the magnitudes are they neither
// overflow nor underflow; C's number is the sum times two powers of two, in the end. No line's bits depend on what other lines hold.
//
// The most that a sum errs beyond adding exact products in float32: a half has 11 significant bits, so x' is at most 2^-11 of x and has 13
// significant bits, of which rounding misses at most 2^-23 of x, as Tf32x3 does (GemmMma.cuh). Left out are x' y' (2^-22) and what is
// missed of x' and y' (2^-23 each): 2^-21 sum |x y| at the very worst, and either sign is as likely. Besides, halves end at 2^-24: beside a
// largest number X a factor is missed by up to 2^-37 X where it is below 2^-14 X or so. A sum of k products of a row with the largest |x| X
// and a column with the largest |y| Y errs by 2^-37 (X sum |y| + Y sum |x|) more at most. Products of a step of 32 k start from zero and
// join the running sum by an ordinary addition, because tensor cores cut off where float32 rounds.
//
// Numbers at the ends of the range: numbers up to the largest float are multiplied as others are, and so are subnormal ones. Infinity has
// the rest infinity - infinity and so makes NaN, and NaN makes NaN, of the whole row or column.
//
// Block tile kRows x kColumns, 32 k a step. Copies bring a step's floats to shared memory as they do for the other kernels. Then a thread
// cuts a line of 32 k up for all warps, one step ahead of the multiplication and in the same stretch of code, between the mma of a row of
// tiles and the next: tensor cores work meanwhile. Lines of halves are 128 bytes: eight pieces of 16 bytes, permuted by the line's number;
// piece 2 q has the halves of k 8 q to 8 q + 7, piece 2 q + 1 the rests. They take the room of the floats that they are made of: a line's
// own where k is contiguous, and of B with n contiguous the 32 x 32 floats of the 32 columns that a warp cuts up, line i in the row of k i.
// Writes, and reads by ldmatrix, meet no conflict of banks. One barrier a step.
#pragma once
#include "GemmMma.cuh"
#include "halves.cuh"

typedef _Float16 HalfPair __attribute__((ext_vector_type(2)));

// Exponents as a float's bits have them. A line whose numbers have exponents of at most `top` is multiplied by 2^(kUnitOfTop - top), so
// that one of `top` lies between 2^14 and 2^15; `top` is at least kLeastExponent, where that power is 2^126, and a rise leaves room for
// kRoom more.
constexpr int kUnitOfTop = 127 + 14, kLeastExponent = kLeastTop >> 23, kRoom = 2, kExponentBias = 127;
constexpr int kLineBytes = 128;

DEVICE float powerOfTwo(int biasedExponent) { return __builtin_bit_cast(float, (uint32)biasedExponent << 23); }

// A sum of a row and a column with these tops in its own unit, by two powers: their product may lie beyond the range.
DEVICE float inUnitOfResult(float sum, int topOfRow, int topOfColumn) {
  const int exponent = topOfRow + topOfColumn - 2 * kUnitOfTop, half = exponent >> 1;
  return sum * powerOfTwo(kExponentBias + half) * powerOfTwo(kExponentBias + exponent - half);
}

// Sums that are in the unit of a top that has risen by so much, in the new unit.
DEVICE float risen(int by) { return powerOfTwo(maximum(kExponentBias - by, 0)); }

DEVICE void mmaFp16(float (&d)[4], const uint32 (&a)[4], const uint32 (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The same from zero.
DEVICE void mmaFp16Start(float (&d)[4], const uint32 (&a)[4], const uint32 (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%10,%10,%10};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(0.0f));
}

DEVICE void loadFloats(float* to, uint32 from) {
  asm volatile("ld.shared.v4.f32 {%0,%1,%2,%3}, [%4];" : "=f"(to[0]), "=f"(to[1]), "=f"(to[2]), "=f"(to[3]) : "r"(from) : "memory");
}
template <int kOffset>
DEVICE void loadFloat(float& to, uint32 from) {
  asm volatile("ld.shared.f32 %0, [%1+%2];" : "=f"(to) : "r"(from), "n"(kOffset) : "memory");
}
DEVICE void storeWords(uint32 to, const uint32 (&v)[4]) {
  asm volatile("st.shared.v4.b32 [%0], {%1,%2,%3,%4};" ::"r"(to), "r"(v[0]), "r"(v[1]), "r"(v[2]), "r"(v[3]) : "memory");
}

// Where a line lies among lines of 128 bytes: its first piece. Piece p is at this ^ (p * 16).
DEVICE uint32 lineOffset(int line) { return (uint32)(line * kLineBytes + (line % 8 << 4)); }
// The same of a column of B that came with n contiguous.
template <int kColumns>
DEVICE uint32 lineOffsetAcross(int column) {
  return (uint32)(column % kWarp * kColumns * 4 + column / kWarp * kLineBytes + (column % 8 << 4));
}

// A line of 32 k on its way into halves.
struct SplitLine {
  float values[kMmaDepth];

  DEVICE_MEMBER void loadAlong(uint32 line) {
#pragma unroll
    for (int p = 0; p < 8; p++) loadFloats(values + 4 * p, line ^ (p * 16));
  }

  // Down a column of rows that are kPitch floats apart.
  template <int kPitch, int kFirst = 0>
  DEVICE_MEMBER void loadDown(uint32 column) {
    loadFloat<kFirst * kPitch * 4>(values[kFirst], column);
    if constexpr (kFirst + 1 < kMmaDepth) loadDown<kPitch, kFirst + 1>(column);
  }

  // The line's top with these numbers, from the one before.
  DEVICE_MEMBER int topAfter(int top) const {
    float most[4] = {};
#pragma unroll
    for (int i = 0; i < kMmaDepth; i++) most[i % 4] = __builtin_fmaxf(most[i % 4], __builtin_fabsf(values[i]));
    const float largest = __builtin_fmaxf(__builtin_fmaxf(most[0], most[1]), __builtin_fmaxf(most[2], most[3]));
    const int exponent = (int)(__builtin_bit_cast(uint32, largest) >> 23);
    return exponent > top ? exponent + kRoom : top;
  }

  // Eight k: their halves and rests to the line.
  DEVICE_MEMBER void store(int octet, float power, uint32 line) const {
    uint32 high[4], low[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const float x = roundedProduct(values[octet * 8 + 2 * i], power), y = roundedProduct(values[octet * 8 + 2 * i + 1], power);
      high[i] = toHalves(x, y);
      const HalfPair halves = __builtin_bit_cast(HalfPair, high[i]);
      low[i] = toHalves(x - (float)halves.x, y - (float)halves.y);
    }
    storeWords(line ^ (octet * 32), high);
    storeWords(line ^ (octet * 32 + 16), low);
  }
};

// The tops of a block's lines, and by how much they rose in a step, for two steps.
template <int kLines>
struct LineTops {
  typedef unsigned short Entry;
  static constexpr int kBytes = 2 * kLines * sizeof(Entry);
  Entry* entries;

  DEVICE_MEMBER void set(int step, int line, int v) const { entries[(step & 1) * kLines + line] = (Entry)v; }
  DEVICE_MEMBER int at(int step, int line) const { return entries[(step & 1) * kLines + line]; }
};

// A warp's sums of kDown x kAcross mma tiles.
template <int kDown, int kAcross>
struct WarpSums {
  float sums[kDown][kAcross][4] = {};

  // To every sum, the number that `change` makes of it and of two entries of a table, its row's and its column's.
  template <class Table, class Change>
  DEVICE_MEMBER void change(const Table& table, int step, int row, int column, Change change) {
    int ofColumn[kAcross][2];
#pragma unroll
    for (int j = 0; j < kAcross; j++) {
#pragma unroll
      for (int e = 0; e < 2; e++) ofColumn[j][e] = table.at(step, column + j * 8 + e);
    }
#pragma unroll
    for (int i = 0; i < kDown; i++) {
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int ofRow = table.at(step, row + i * 16 + h * 8);
#pragma unroll
        for (int j = 0; j < kAcross; j++) {
#pragma unroll
          for (int e = 0; e < 2; e++) sums[i][j][2 * h + e] = change(sums[i][j][2 * h + e], ofRow, ofColumn[j][e]);
        }
      }
    }
  }
};

// The factors of A of one row of mma tiles: halves and rests of two times 16 k.
struct RowFactors {
  uint32 parts[2][2][4];

  DEVICE_MEMBER void load(uint32 lines) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
#pragma unroll
      for (int part = 0; part < 2; part++) loadMatrix(parts[part][h], lines ^ (h * 64 + part * 16));
    }
  }
};

// The factors of B of a warp's columns, whose lines are kPitch bytes apart, alike.
template <int kAcross, int kPitch>
struct ColumnFactors {
  uint32 parts[2][2][kAcross][2];

  DEVICE_MEMBER void load(uint32 lines) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
#pragma unroll
      for (int part = 0; part < 2; part++) {
#pragma unroll
        for (int j = 0; j < kAcross; j += 2) loadMatrix(parts[part][h][j], (lines ^ (h * 64 + part * 16)) + j * 8 * kPitch);
      }
    }
  }
};

// The sums of 32 k alone, small products first.
template <int kAcross, class Columns>
DEVICE void multiplyFromZero(float (&step)[kAcross][4], const RowFactors& x, const Columns& y) {
#pragma unroll
  for (int t = 0; t < 6; t++) {
    const int ofX = t / 2 == 0, ofY = t / 2 == 1, h = t % 2;
#pragma unroll
    for (int j = 0; j < kAcross; j++) {
      if (t == 0) mmaFp16Start(step[j], x.parts[ofX][h], y.parts[ofY][h][j]);
      else mmaFp16(step[j], x.parts[ofX][h], y.parts[ofY][h][j]);
    }
  }
}

// kDepthMajorB: B is stored [n, k], k contiguous; otherwise [k, n].
template <
    bool kDepthMajorB, int kRows, int kColumns, int kWarpRows, int kWarpColumns, bool kTransposesA = true>
DEVICE void multiplyFp16x3(GEMM_PARAMETERS) {
  constexpr int kWarpsDown = kRows / kWarpRows, kWarpsAcross = kColumns / kWarpColumns;
  constexpr int kThreads = kWarpsDown * kWarpsAcross * kWarp;
  constexpr int kDown = kWarpRows / 16, kAcross = kWarpColumns / 8, kLines = kRows + kColumns;
  static_assert(kMmaStages == 3, "one step is multiplied, one is cut up, one is on its way");
  static_assert(kMmaDepth == kWarp && kLines <= 2 * kThreads && 4 % kDown == 0, "a thread cuts up a line or two, in as many parts");
  using TileA = DepthMajorTile<kRows, kThreads, kTransposesA>;
  using TileB = typename Chosen<
      kDepthMajorB, DepthMajorTile<kColumns, kThreads, false>,
      OuterMajorTile<kMmaDepth, kColumns, kColumns, kThreads, false>>::Type;
  // Three steps lie in shared memory, A's lines and then B's; the tops behind them.
  constexpr int kBytesA = kRows * kLineBytes, kStepBytes = kLines * kLineBytes, kTops = kMmaStages * kStepBytes;
  const uint32 shared = sharedAddress(dynamicSharedMemory);
  const LineTops<kLines> tops = {(typename LineTops<kLines>::Entry*)((char*)dynamicSharedMemory + kTops)};

  const BlockPlace<kRows, kColumns> place(m, k, depth);
  const Operand left = {a + blockZ() * stepA, strideA, m, copyA}, right = {b + blockZ() * stepB, strideB, n, copyB};
  const int steps = (place.end - place.first + kMmaDepth - 1) / kMmaDepth;
  const bool inside = copyA == kCopyWide && copyB == kCopyWide && place.row + kRows <= m && place.column + kColumns <= n;
  const int wholeSteps = inside ? (place.end - place.first) / kMmaDepth : 0;
  const WholeCopies wholeA = TileA::whole(left, place.row, place.first), wholeB = TileB::whole(right, place.column, place.first);
  // The places of the steps' lines: of the one that is multiplied, of the one that is cut up, of the one on its way.
  uint32 now = shared, next = shared + kStepBytes, later = shared + 2 * kStepBytes;
  auto fetch = [&](int step, uint32 to) __attribute__((always_inline)) {
    if (step < steps) {
      if (step < wholeSteps) {
        TileA::copyWhole(wholeA, to, step, strideA);
        TileB::copyWhole(wholeB, to + kBytesA, step, strideB);
      } else {
        const int from = place.first + step * kMmaDepth;
        TileA::copy(to, left, place.row, from, place.end);
        TileB::copy(to + kBytesA, right, place.column, from, place.end);
      }
    }
    copyCommit();
  };

  // A thread's lines: rows of A, then columns of B. A warp's are all of one kind.
  const auto loadLine = [&](SplitLine& line, int number, uint32 lines) __attribute__((always_inline)) {
    if (kDepthMajorB || number < kRows) line.loadAlong(lines + lineOffset(number));
    else line.template loadDown<kColumns>(lines + kBytesA + (number - kRows) * 4);
  };
  // Where it goes, once all lanes have loaded theirs.
  const auto splitTo = [&](int number, uint32 lines) __attribute__((always_inline)) {
    if constexpr (!kDepthMajorB) __nvvm_bar_warp_sync(0xffffffff);
    return kDepthMajorB || number < kRows ? lines + lineOffset(number)
                                          : lines + kBytesA + lineOffsetAcross<kColumns>(number - kRows);
  };
  const int first = threadX(), second = threadX() + kThreads;
  int top = kLeastExponent, topOfSecond = kLeastExponent;
  bool rose = false;
  // A new step's top of a line, from which its power follows.
  const auto raise = [&](int& before, int after, int number, int step) __attribute__((always_inline)) {
    tops.set(step, number, after - before);
    rose = rose || after != before;
    before = after;
    return powerOfTwo(kExponentBias + kUnitOfTop - after);
  };
  const auto splitWhole = [&](int& topOfLine, int number, int step, uint32 lines) __attribute__((always_inline)) {
    SplitLine line;
    loadLine(line, number, lines);
    const float power = raise(topOfLine, line.topAfter(topOfLine), number, step);
    const uint32 to = splitTo(number, lines);
#pragma unroll
    for (int octet = 0; octet < 4; octet++) line.store(octet, power, to);
  };

  const int warpRow = warp() % kWarpsDown * kWarpRows, warpColumn = warp() / kWarpsDown * kWarpColumns;
  const int row = warpRow + lane() / 4, column = warpColumn + lane() % 4 * 2;
  const int rowOfA = warpRow + lane() % 16, columnOfB = warpColumn + lane() / 16 * 8 + lane() % 8;
  const uint32 offsetA = lineOffset(rowOfA) ^ (lane() / 16 * 32), offsetB = kBytesA +
      ((kDepthMajorB ? lineOffset(columnOfB) : lineOffsetAcross<kColumns>(columnOfB)) ^ (lane() / 8 % 2 * 32));
  WarpSums<kDown, kAcross> all;

  // Multiplies a step, and cuts the one behind it up where there is one.
  const auto multiplyStep = [&]<bool kSplits>(int step) __attribute__((always_inline)) {
    SplitLine line;
    if constexpr (kSplits) loadLine(line, first, next);
    ColumnFactors<kAcross, kDepthMajorB ? kLineBytes : kColumns * 4> y;
    y.load(now + offsetB);
    float power = 0;
    uint32 to = 0;
#pragma unroll
    for (int i = 0; i < kDown; i++) {
      RowFactors x;
      x.load(now + offsetA + i * 16 * kLineBytes);
      float sum[kAcross][4];
      multiplyFromZero(sum, x, y);
      if constexpr (kSplits) {
        if (i == 0) {
          power = raise(top, line.topAfter(top), first, step + 1);
          to = splitTo(first, next);
        }
#pragma unroll
        for (int octet = i * 4 / kDown; octet < (i + 1) * 4 / kDown; octet++) line.store(octet, power, to);
      }
#pragma unroll
      for (int j = 0; j < kAcross; j++) {
#pragma unroll
        for (int e = 0; e < 4; e++) all.sums[i][j][e] += sum[j][e];
      }
    }
    if constexpr (kSplits && kLines > kThreads) {
      if (second < kLines) splitWhole(topOfSecond, second, step + 1, next);
    }
  };
  // The barrier of a step, behind which the sums are in the step's units.
  const auto begin = [&](int step) __attribute__((always_inline)) {
    copyWait<0>();
    if (__nvvm_bar0_or(rose)) {
      all.change(tops, step, row, kRows + column, [](float v, int ofRow, int ofColumn) { return v * risen(ofRow) * risen(ofColumn); });
    }
    rose = false;
  };

  if (steps > 0) {
    fetch(0, now);
    fetch(1, next);
    copyWait<0>();
    barrier();
    splitWhole(top, first, 0, now);
    if (kLines > kThreads && second < kLines) splitWhole(topOfSecond, second, 0, now);
    rose = false;
#pragma unroll 1
    for (int step = 0; step < steps - 1; step++) {
      begin(step);
      fetch(step + 2, later);
      multiplyStep.template operator()<true>(step);
      const uint32 before = now;
      now = next;
      next = later;
      later = before;
    }
    begin(steps - 1);
    multiplyStep.template operator()<false>(steps - 1);
  }
  tops.set(steps, first, top);
  if (kLines > kThreads && second < kLines) tops.set(steps, second, topOfSecond);
  barrier();
  all.change(tops, steps, row, kRows + column, [](float v, int ofRow, int ofColumn) { return inUnitOfResult(v, ofRow, ofColumn); });

  // A pitch of 8 more than a multiple of 32 spreads a half warp's pairs over all banks.
  constexpr int kPitch = kColumns + 8;
  static_assert(kColumns % 32 == 0 && kRows * kPitch * 4 <= kTops, "the tile of C fits where the steps were");
  float* tile = (float*)dynamicSharedMemory;
#pragma unroll
  for (int i = 0; i < kDown; i++) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      float* to = tile + (row + i * 16 + h * 8) * kPitch + column;
#pragma unroll
      for (int j = 0; j < kAcross; j++) *(float2*)(to + j * 8) = {all.sums[i][j][2 * h], all.sums[i][j][2 * h + 1]};
    }
  }
  barrier();
  finishTile<kRows, kColumns, kPitch, WholeBlock<kThreads>, kTransposesA>(
      tile, place, c, bias, partials, stepC, m, n, strideC, wideC, accumulate, arrived, {epilogue, other, otherRows});
}

#define FP16X3_KERNEL(name, depthMajorB, rows, columns, warpRows, warpColumns, threads, blocks) \
  KERNEL __launch_bounds__(threads, blocks) name(GEMM_PARAMETERS) {                              \
    multiplyFp16x3<depthMajorB, rows, columns, warpRows, warpColumns>(GEMM_ARGUMENTS);           \
  }
