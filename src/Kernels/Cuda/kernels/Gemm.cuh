// What the kernels of the matrix product share: the arguments, the asynchronous copies from global to shared memory, the pipeline's steps
// and the stores of results.
//
// A block computes a tile of C = A B, [kRows, kColumns], walking along the inner dimension k in steps. Operands lie in memory with either k
// or the outer dimension (m of A, n of B) contiguous. A copy moves a step's part of an operand with cp.async in one of three ways:
//
//   kCopyWide        16 bytes a thread, along the memory's rows; needs addresses that are multiples of 16
//   kCopySingle      4 bytes a thread, along the memory's rows; for any stride and offset
//   kCopyTransposed  4 bytes a thread into shared memory that is laid out the other way round; a warp takes 8 contiguous elements (a full
//                    32-byte sector) of 4 rows, and its 32 writes fall in 32 different banks
//
// What lies beyond the matrix is not read and counts as zero: cp.async fills it in. Steps that lie wholly within both operands, where both
// are copied by 16 bytes, have nothing to compare and little to compute. The ways differ in speed only, never in a bit of C.
#pragma once
#include "gelu.cuh"

// An operand of one member of the batch: element (i, j) as stored at data[i * stride + j].
struct Operand {
  const float* data;
  int stride;
  int outer;   // extent of m or n
  int copyKind;
};

DEVICE uint32 sharedAddress(const void* p) { return (uint32)(uint64)(const __attribute__((address_space(3))) void*)p; }

// 16 bytes of which the first `bytes` are read and the rest become zero.
DEVICE void copyAsync16(uint32 to, const float* from, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"((uint64)from), "r"(bytes));
}
// The same of 16 bytes that are all there, kOffset bytes further on in shared memory.
template <int kOffset>
DEVICE void copyAsyncWhole(uint32 to, const float* from) {
  asm volatile("cp.async.cg.shared.global [%0+%2], [%1], 16;" ::"r"(to), "l"((uint64)from), "n"(kOffset));
}
DEVICE void copyAsync4(uint32 to, const float* from, int bytes) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"((uint64)from), "r"(bytes));
}
DEVICE void copyCommit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most kPending of this thread's latest groups are under way.
template <int kPending>
DEVICE void copyWait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

DEVICE int minimum(int a, int b) { return a < b ? a : b; }
DEVICE int maximum(int a, int b) { return a > b ? a : b; }

// Where element (row, k) of a tile with k contiguous lies: rows of 32 floats, their eight 16-byte pieces permuted by the row's number.
// Eight rows at one piece, and one row's eight pieces, fall in all 32 banks each: copies and ldmatrix meet no conflict, and nothing is
// padded.
DEVICE int depthMajorIndex(int row, int k) { return row * 32 + (((k >> 2) ^ (row & 7)) << 2) + (k & 3); }

// The value as the optimizer must take it: unknown. What a copy computes from it is computed anew in each step, in place of living in
// registers all through the loop, where the sums need them.
template <class T>
DEVICE T anew(T v) {
  asm volatile("" : "+r"(v));
  return v;
}

// Where a thread's 16-byte copies of whole steps begin: in memory for the first step, and in bytes from the start of the tile.
struct WholeCopies {
  const float* from;
  uint32 to;
};

// A step of 32 k of kRows rows into shared memory with k contiguous (depthMajorIndex). `row` is the tile's first row, `k` the step's first
// k; k goes up to `end`. kTransposes: whether operands come with the rows contiguous.
template <int kRows, int kThreads, bool kTransposes>
struct DepthMajorTile {
  static constexpr int kFloats = kRows * 32;

  DEVICE void copy(uint32 to, const Operand& x, int row, int k, int end) {
    if (x.copyKind == kCopyWide) copy16(to, x, row, k, end);
    else if (!kTransposes || x.copyKind == kCopySingle) copy4(to, x, row, k, end);
    else if constexpr (kTransposes) copyTransposed(to, x, row, k, end);
  }

  DEVICE WholeCopies whole(const Operand& x, int row, int k) {
    const int piece = threadX() % 8 * 4, first = threadX() / 8;
    return {x.data + (int64)(row + first) * x.stride + k + piece, (uint32)depthMajorIndex(first, piece) * 4};
  }

  // The copies of step number `step` into the tile at `to`.
  DEVICE void copyWhole(const WholeCopies& copies, uint32 to, int step, int stride) {
    copyPasses<0>(to + copies.to, rowAt(copies.from, step, 32), anew(stride));
  }

 private:
  static constexpr int kWarps = kThreads / 32;
  static constexpr int kRowsAPass = kThreads / 8;

  template <int kRow>
  DEVICE void copyPasses(uint32 to, const float* from, int stride) {
    if (kRow + kRowsAPass <= kRows || kRow + threadX() / 8 < kRows) copyAsyncWhole<kRow * 128>(to, from);
    if constexpr (kRow + kRowsAPass < kRows) copyPasses<kRow + kRowsAPass>(to, from + (int64)kRowsAPass * stride, stride);
  }

  DEVICE void copy16(uint32 to, const Operand& x, int row, int k, int end) {
    const int thread = anew(threadX()), stride = anew(x.stride);
    const int piece = thread % 8 * 4, first = thread / 8, rest = x.outer - row - first;
    const int bytes = minimum(maximum(end - k - piece, 0), 4) * 4;
    const float* from = x.data + (int64)(row + first) * stride + k + piece;
    to = anew(to + depthMajorIndex(first, piece) * 4);
#pragma unroll
    for (int r = 0; r < kRows; r += kRowsAPass) {
      if (kRows % kRowsAPass != 0 && r + first >= kRows) break;
      copyAsync16(to + r * 128, from, r < rest ? bytes : 0);
      from += (int64)kRowsAPass * stride;
    }
  }

  DEVICE void copy4(uint32 to, const Operand& x, int row, int k, int end) {
    static_assert(kRows % kWarps == 0, "the copies of a step are whole passes");
    const int thread = anew(threadX()), stride = anew(x.stride);
    const int first = thread / 32, rest = k + thread % 32 < end ? x.outer - row - first : 0;
    const float* from = x.data + (int64)(row + first) * stride + k + thread % 32;
#pragma unroll 4
    for (int pass = 0; pass < kRows / kWarps; pass++) {
      copyAsync4(to + depthMajorIndex(pass * kWarps + first, thread % 32) * 4, from, pass * kWarps < rest ? 4 : 0);
      from += (int64)kWarps * stride;
    }
  }

  // A warp takes 8 rows times 4 k.
  DEVICE void copyTransposed(uint32 to, const Operand& x, int row, int k, int end) {
    constexpr int kGroups = kRows / 8;
    static_assert(kGroups % kWarps == 0 || kWarps % kGroups == 0, "the copies of a step are whole passes");
    constexpr int kAcross = kGroups < kWarps ? kGroups : kWarps, kDown = kWarps / kAcross;
    const int thread = anew(threadX()), stride = anew(x.stride);
    const int first = thread / 32 % kAcross * 8 + thread % 8, d = thread / 32 / kAcross * 4 + thread % 32 / 8;
#pragma unroll
    for (int r = 0; r < kRows; r += kAcross * 8) {
      const int rest = row + first + r < x.outer ? end - k - d : 0;
      const float* from = x.data + (int64)(k + d) * stride + row + first + r;
#pragma unroll 4
      for (int pass = 0; pass < 8 / kDown; pass++) {
        copyAsync4(to + depthMajorIndex(first + r, d + pass * kDown * 4) * 4, from, pass * kDown * 4 < rest ? 4 : 0);
        from += (int64)(kDown * 4) * stride;
      }
    }
  }
};

// A step of kDepth k of kColumns columns into shared memory with the outer dimension contiguous: element (k, column) at k * kPitch +
// column. kPitch is kColumns + 4 where operands may come transposed (8 k times 4 columns in 32 banks), kColumns + 8 for the tensor cores'
// reads.
template <int kDepth, int kColumns, int kPitch, int kThreads, bool kTransposes>
struct OuterMajorTile {
  static constexpr int kFloats = kDepth * kPitch;

  DEVICE void copy(uint32 to, const Operand& x, int column, int k, int end) {
    if (x.copyKind == kCopyWide) copy16(to, x, column, k, end);
    else if (!kTransposes || x.copyKind == kCopySingle) copy4(to, x, column, k, end);
    else if constexpr (kTransposes) copyTransposed(to, x, column, k, end);
  }

  DEVICE WholeCopies whole(const Operand& x, int column, int k) {
    const int piece = threadX() % kPieces * 4, first = threadX() / kPieces;
    return {x.data + (int64)(k + first) * x.stride + column + piece, (uint32)(first * kPitch + piece) * 4};
  }

  DEVICE void copyWhole(const WholeCopies& copies, uint32 to, int step, int stride) {
    stride = anew(stride);
    copyPasses<0>(to + copies.to, rowAt(copies.from, step, kDepth * stride), stride);
  }

 private:
  static constexpr int kWarps = kThreads / 32;
  static constexpr int kPieces = kColumns / 4, kDepthAPass = kThreads / kPieces;

  template <int kRow>
  DEVICE void copyPasses(uint32 to, const float* from, int stride) {
    copyAsyncWhole<kRow * kPitch * 4>(to, from);
    if constexpr (kRow + kDepthAPass < kDepth) copyPasses<kRow + kDepthAPass>(to, from + (int64)kDepthAPass * stride, stride);
  }

  DEVICE void copy16(uint32 to, const Operand& x, int column, int k, int end) {
    static_assert(kDepth % kDepthAPass == 0, "the copies of a step are whole passes");
    const int thread = anew(threadX()), stride = anew(x.stride);
    const int piece = thread % kPieces * 4, first = thread / kPieces, rest = end - k - first;
    const int bytes = minimum(maximum(x.outer - column - piece, 0), 4) * 4;
    const float* from = x.data + (int64)(k + first) * stride + column + piece;
    to = anew(to + (first * kPitch + piece) * 4);
#pragma unroll
    for (int d = 0; d < kDepth; d += kDepthAPass) {
      copyAsync16(to + d * kPitch * 4, from, d < rest ? bytes : 0);
      from += (int64)kDepthAPass * stride;
    }
  }

  // A warp takes 32 columns of one k.
  DEVICE void copy4(uint32 to, const Operand& x, int column, int k, int end) {
    constexpr int kSegments = kColumns / 32, kDepthAPass = kWarps / kSegments;
    static_assert(kWarps % kSegments == 0 && kDepth % kDepthAPass == 0, "the copies of a step are whole passes");
    const int thread = anew(threadX()), stride = anew(x.stride);
    const int c = thread % (kSegments * 32), first = thread / (kSegments * 32), rest = column + c < x.outer ? end - k - first : 0;
    const float* from = x.data + (int64)(k + first) * stride + column + c;
    to = anew(to + (first * kPitch + c) * 4);
#pragma unroll 4
    for (int d = 0; d < kDepth; d += kDepthAPass) {
      copyAsync4(to + d * kPitch * 4, from, d < rest ? 4 : 0);
      from += (int64)kDepthAPass * stride;
    }
  }

  // A warp takes 8 k of 4 columns.
  DEVICE void copyTransposed(uint32 to, const Operand& x, int column, int k, int end) {
    constexpr int kGroups = kDepth / 8, kColumnsAPass = kWarps / kGroups * 4;
    static_assert(kWarps % kGroups == 0 && kColumns % kColumnsAPass == 0, "the copies of a step are whole passes");
    const int thread = anew(threadX()), stride = anew(x.stride);
    const int d = thread / 32 % kGroups * 8 + thread % 8, first = thread / 32 / kGroups * 4 + thread % 32 / 8;
    const int rest = k + d < end ? x.outer - column - first : 0;
    const float* from = x.data + (int64)(column + first) * stride + k + d;
    to = anew(to + (d * kPitch + first) * 4);
#pragma unroll 4
    for (int c = 0; c < kColumns; c += kColumnsAPass) {
      copyAsync4(to + c * 4, from, c < rest ? 4 : 0);
      from += (int64)kColumnsAPass * stride;
    }
  }
};

// What follows a product in the same kernel, element by element, on sums that are complete; [rows, columns] without gaps.
//   kMultiply: C = C other[row mod otherRows], such as a gradient times the activation function's slope
//   kGelu:     other = f(C), C = f'(C), GPT-2's GELU
struct Epilogue {
  int kind;
  float* other;
  int otherRows;

  DEVICE_MEMBER float* at(int row, int column, int columns) const {
    return other + (int64)(kind == kEpilogueMultiply ? row % otherRows : row) * columns + column;
  }

  DEVICE_MEMBER float apply(float v, float* place) const {
    if (kind == kEpilogueMultiply) return v * *place;
    const Activated a = GeluTanh::at(v);
    *place = a.value;
    return a.slope;
  }

  DEVICE_MEMBER float4 apply(float4 v, float* place) const {
    if (kind == kEpilogueMultiply) {
      const float4 factor = *(const float4*)place;
      return {v.x * factor.x, v.y * factor.y, v.z * factor.z, v.w * factor.w};
    }
    const Activated x = GeluTanh::at(v.x), y = GeluTanh::at(v.y), z = GeluTanh::at(v.z), w = GeluTanh::at(v.w);
    *(float4*)place = {x.value, y.value, z.value, w.value};
    return {x.slope, y.slope, z.slope, w.slope};
  }
};

// C, or a split's share of it: where a block's results go.
template <bool kEpilogues>
struct Result {
  float* data;
  const float* bias;  // null for none
  int64 stride;
  int rows, columns;
  bool accumulate;
  bool wide;  // addresses of whole fours are multiples of 16
  Epilogue epilogue;

  // Four neighbours of a row.
  DEVICE_MEMBER void store(int row, int column, float4 v) const {
    if (row >= rows || column >= columns) return;
    float* to = data + row * stride + column;
    if (wide && column + 3 < columns) {
      if (bias) v = {v.x + bias[column], v.y + bias[column + 1], v.z + bias[column + 2], v.w + bias[column + 3]};
      if (accumulate) {
        const float4 c = *(const float4*)to;
        v = {v.x + c.x, v.y + c.y, v.z + c.z, v.w + c.w};
      }
      if constexpr (kEpilogues) {
        if (epilogue.kind) v = epilogue.apply(v, epilogue.at(row, column, columns));
      }
      *(float4*)to = v;
      return;
    }
#pragma unroll 1
    for (int e = 0; e < 4 && column + e < columns; e++) {
      float value = e == 0 ? v.x : e == 1 ? v.y : e == 2 ? v.z : v.w;
      if (bias) value += bias[column + e];
      if (accumulate) value += to[e];
      if constexpr (kEpilogues) {
        if (epilogue.kind) value = epilogue.apply(value, epilogue.at(row, column + e, columns));
      }
      to[e] = value;
    }
  }

  // A block's tile from shared memory, [kRows][kPitch] of which kColumns count, to C's (row, column) and on: whole rows, 16 bytes a thread.
  template <int kRows, int kColumns, int kPitch, class Team>
  DEVICE_MEMBER void storeTile(const float* tile, int row, int column) const {
    constexpr int kPieces = kColumns / 4, kThreads = Team::kThreads;
    static_assert(kRows * kPieces % kThreads == 0, "the stores of a tile are whole passes");
#pragma unroll 2
    for (int pass = 0; pass < kRows * kPieces / kThreads; pass++) {
      const int i = pass * kThreads + Team::thread(), down = i / kPieces, across = i % kPieces * 4;
      store(row + down, column + across, *(const float4*)(tile + down * kPitch + across));
    }
  }
};

// The parameters of every tile kernel, in this order; CudaDevice.MultiplyTiles passes them. Blocks: x = tile of C, rows first, so that the
// blocks that run together share a part of B; y = split of k; z = member of the batch. Where `partials` is given, split s of member z
// writes its sums to partials[((z * splits + s) * m + row) * n + column]; the last block of a tile adds them up in the order of splits
// where `arrived` counts a tile's blocks (zeros before and after), and elsewhere a second kernel does.
#define GEMM_PARAMETERS                                                                                                             \
  const float *__restrict__ a, const float *__restrict__ b, float *c, const float *__restrict__ bias, float *partials, int64 stepA, \
      int64 stepB, int64 stepC, int m, int n, int k, int strideA, int strideB, int strideC, int copyA, int copyB, int wideC,        \
      int accumulate, int depth, uint32 *arrived, int epilogue, float *other, int otherRows
#define GEMM_ARGUMENTS                                                                                                                 \
  a, b, c, bias, partials, stepA, stepB, stepC, m, n, k, strideA, strideB, strideC, copyA, copyB, wideC, accumulate, depth, arrived, \
      epilogue, other, otherRows

// Distance between rows of partial sums: n rounded up to whole fours; what lies between is zero.
DEVICE int partialPitch(int n) { return (n + kPartialUnit - 1) / kPartialUnit * kPartialUnit; }

// Where a block works.
template <int kRows, int kColumns>
struct BlockPlace {
  int row, column, first, end;

  DEVICE_MEMBER BlockPlace(int m, int k, int depth) {
    const int tilesDown = (m + kRows - 1) / kRows;
    row = blockX() % tilesDown * kRows;
    column = blockX() / tilesDown * kColumns;
    first = blockY() * depth;
    end = minimum(k, first + depth);
  }
};

// The threads that end a tile: all of a block.
template <int kCount>
struct WholeBlock {
  static constexpr int kThreads = kCount;
  DEVICE int thread() { return threadX(); }
  DEVICE void meet() { barrier(); }
};

// A block's tile from shared memory to C, or to the partial sums, which the last block of the tile adds up.
template <int kRows, int kColumns, int kPitch, class Team, bool kEpilogues>
DEVICE void finishTile(
    float* tile, const BlockPlace<kRows, kColumns>& place, float* c, const float* bias, float* partials, int64 stepC, int m, int n,
    int strideC, int wideC, int accumulate, uint32* arrived, const Epilogue& epilogue) {
  const Result<kEpilogues> result = {c + blockZ() * stepC, bias, strideC, m, n, accumulate != 0, wideC != 0, epilogue};
  if (!partials) {
    result.template storeTile<kRows, kColumns, kPitch, Team>(tile, place.row, place.column);
    return;
  }
  const int pitch = partialPitch(n);
  const int64 share = (int64)m * pitch;
  float* first = partials + (int64)blockZ() * blocksY() * share;
  const Result<false> part = {first + blockY() * share, nullptr, pitch, m, pitch, false, true, {}};
  part.template storeTile<kRows, kColumns, kPitch, Team>(tile, place.row, place.column);
  if (!arrived) return;
  Team::meet();
  uint32* before = (uint32*)tile;
  if (Team::thread() == 0) *before = arrive(arrived + blockZ() * blocksX() + blockX(), blocksY() - 1);
  Team::meet();
  if ((int)*before != blocksY() - 1) return;
  constexpr int kPieces = kColumns / 4, kThreads = Team::kThreads;
#pragma unroll 1
  for (int pass = 0; pass < kRows * kPieces / kThreads; pass++) {
    const int i = pass * kThreads + Team::thread(), row = place.row + i / kPieces, column = place.column + i % kPieces * 4;
    if (row >= m || column >= pitch) continue;
    const float* from = first + (int64)row * pitch + column;
    float4 sum = *(const float4*)from;
#pragma unroll 4
    for (int s = 1; s < blocksY(); s++) {
      const float4 v = *(const float4*)(from + s * share);
      sum = {sum.x + v.x, sum.y + v.y, sum.z + v.z, sum.w + v.w};
    }
    result.store(row, column, sum);
  }
}
