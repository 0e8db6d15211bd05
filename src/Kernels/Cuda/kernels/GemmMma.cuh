// The matrix product on tensor cores: one template for every arithmetic, tile and layout of B.
//
// Block tile kRows x kColumns, 32 k a step, kStages steps in shared memory. A lies there with k contiguous and is read by ldmatrix (an 8 x
// 4 block of floats is an 8 x 8 block of halves to it: thread t gets row t / 4, float t % 4, which is what mma wants of TF32). B lies as it
// does in memory: with k contiguous it is read the same way; with n contiguous as 16-byte words, for which column n of the block stands for
// column n / 4 of mma tile n % 4, so that a thread's results are eight neighbours in a row of C.
//
// Both operands of a k16 step give thread t the k's t, t + 4, t + 8, t + 12 (t = lane % 4). TF32 takes them as two steps of 8. BF16 pairs
// them, (t, t + 4) and (t + 8, t + 12), for one step of 16: a sum does not care in which order k is numbered as long as A and B agree.
//
// Arithmetic of a product x y, and the most that a sum of them can err beyond adding exact products in float32:
//   Bf16    x and y rounded to 8 significant bits, each by at most 2^-8 of itself: 2^-7 sum |x y| (and 2^-16)
//   Tf32    x and y rounded to 11 significant bits: 2^-10 sum |x y| (and 2^-22)
//   Tf32x3  x = X + x', y = Y + y', X and Y rounded to 11 significant bits, x' and y' the rest: x y = X Y + X y' + x' Y.
//           x' is at most 2^-11 of x and has 13 significant bits, of which the tensor core reads 11: it misses less than 2^-23 of x. Left
//           out are x' y' (2^-22) and what is not read of x' and y' (2^-23 each): 2^-21 sum |x y| at the very worst. Both halves have
//           either sign whatever x's sign is, so nothing is biased: on random data it errs about as adding in float32 does anyway.
// Tensor cores cut off where float32 rounds. So each step of 16 k of Tf32x3 starts from zero and joins the running sum by an ordinary
// addition.
//
// Numbers at the end of the range, of Tf32x3: infinity has the rest infinity - infinity and so makes NaN, a number within 2^-12 of the
// largest rounds up to infinity and does the same, and NaN makes NaN, also the one of all ones, which rounds up to -0 but stays in the
// rest. Of Tf32 infinity stays, a number within 2^-12 of the largest becomes infinity, and NaN makes NaN (but see toTf32).
#pragma once
#include "Gemm.cuh"

template <bool kFirst, class T, class U>
struct Chosen {
  typedef T Type;
};
template <class T, class U>
struct Chosen<false, T, U> {
  typedef U Type;
};

enum class Arithmetic { Bf16, Tf32, Tf32x3 };

// A float whose upper 19 bits, which are what the tensor core reads, are rounded to 11 significant bits. The NaN of all ones, which is what
// a GPU's arithmetic makes, would carry into the sign and become -0: the minimum keeps it. (With the sign set, which no arithmetic makes,
// it is lost.) A minimum and an addition; the conversion instruction takes a comparison, an addition and a selection.
DEVICE uint32 toTf32(uint32 v) { return (uint32)minimum((int)v, 0x7fffefff) + 0x1000; }

// The two parts of a float for three products, as bits. To convert would take four machine instructions for the first part and two more to
// round the rest, which the tensor core cuts itself.
struct Halves {
  uint32 large, rest;
};
DEVICE Halves split(uint32 v) {
  Halves parts;
  parts.large = (v + 0x1000u) & 0xffffe000u;
  asm("sub.f32 %0, %1, %2;" : "=r"(parts.rest) : "r"(v), "r"(parts.large));
  return parts;
}

DEVICE uint32 toBf16x2(uint32 low, uint32 high) {
  uint32 result;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "r"(high), "r"(low));
  return result;
}

DEVICE void mmaTf32(float (&d)[4], const uint32 (&a)[4], uint32 b0, uint32 b1) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// The same from zero.
DEVICE void mmaTf32Start(float (&d)[4], const uint32 (&a)[4], uint32 b0, uint32 b1) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%10,%10,%10};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "f"(0.0f));
}

DEVICE void mmaBf16(float (&d)[4], const uint32 (&a)[4], uint32 b0, uint32 b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

DEVICE void loadMatrix(uint32* to, uint32 from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(from)
               : "memory");
}

// Four floats as their bits, by one access.
typedef uint32 Words __attribute__((vector_size(16)));
DEVICE Words loadWords(const float* from) { return *(const Words*)from; }

// The factors of A of one mma tile for 16 k, as they are multiplied: x[0..3] are rows g, g + 8, g, g + 8 (g = lane / 4) of the first 8 k,
// x[4..7] of the second. Floats stand as their bits.
template <Arithmetic kArithmetic>
struct FactorA;

template <>
struct FactorA<Arithmetic::Bf16> {
  uint32 packed[4];

  DEVICE_MEMBER void set(const uint32* x) {
    packed[0] = toBf16x2(x[0], x[2]);
    packed[1] = toBf16x2(x[1], x[3]);
    packed[2] = toBf16x2(x[4], x[6]);
    packed[3] = toBf16x2(x[5], x[7]);
  }
};

template <>
struct FactorA<Arithmetic::Tf32> {
  uint32 rounded[2][4];

  DEVICE_MEMBER void set(const uint32* x) {
#pragma unroll
    for (int i = 0; i < 8; i++) rounded[i / 4][i % 4] = toTf32(x[i]);
  }
};

template <>
struct FactorA<Arithmetic::Tf32x3> {
  uint32 large[2][4], small[2][4];

  DEVICE_MEMBER void set(const uint32* x) {
#pragma unroll
    for (int i = 0; i < 8; i++) {
      const Halves parts = split(x[i]);
      large[i / 4][i % 4] = parts.large;
      small[i / 4][i % 4] = parts.rest;
    }
  }
};

template <Arithmetic kArithmetic, int kDown>
DEVICE void loadFactors(FactorA<kArithmetic> (&x)[kDown], uint32 stage, uint32 offset) {
#pragma unroll
  for (int i = 0; i < kDown; i++) {
    uint32 values[8];
    loadMatrix(values, stage + offset + i * 16 * 128);
    loadMatrix(values + 4, stage + (offset ^ 32) + i * 16 * 128);
    x[i].set(values);
  }
}

// sums += A B for a column of kDown mma tiles, 16 k and one mma tile's width; y[i] is k = lane % 4 + 4 i of B's column lane / 4.
template <int kDown>
DEVICE void multiply(float (*sums)[4], int stride, const FactorA<Arithmetic::Bf16>* x, const uint32* y) {
  const uint32 b0 = toBf16x2(y[0], y[1]), b1 = toBf16x2(y[2], y[3]);
#pragma unroll
  for (int i = 0; i < kDown; i++) mmaBf16(sums[i * stride], x[i].packed, b0, b1);
}

template <int kDown>
DEVICE void multiply(float (*sums)[4], int stride, const FactorA<Arithmetic::Tf32>* x, const uint32* y) {
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const uint32 b0 = toTf32(y[2 * h]), b1 = toTf32(y[2 * h + 1]);
#pragma unroll
    for (int i = 0; i < kDown; i++) mmaTf32(sums[i * stride], x[i].rounded[h], b0, b1);
  }
}

// The sums of 16 k alone, small products first.
template <int kDown>
DEVICE void multiplyFromZero(float (&step)[kDown][4], const FactorA<Arithmetic::Tf32x3>* x, const uint32* y) {
  uint32 large[4], small[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const Halves parts = split(y[i]);
    large[i] = parts.large;
    small[i] = parts.rest;
  }
#pragma unroll
  for (int i = 0; i < kDown; i++) mmaTf32Start(step[i], x[i].small[0], large[0], large[1]);
#pragma unroll
  for (int i = 0; i < kDown; i++) mmaTf32(step[i], x[i].small[1], large[2], large[3]);
#pragma unroll
  for (int h = 0; h < 2; h++) {
#pragma unroll
    for (int i = 0; i < kDown; i++) mmaTf32(step[i], x[i].large[h], small[2 * h], small[2 * h + 1]);
  }
#pragma unroll
  for (int h = 0; h < 2; h++) {
#pragma unroll
    for (int i = 0; i < kDown; i++) mmaTf32(step[i], x[i].large[h], large[2 * h], large[2 * h + 1]);
  }
}

template <int kDown>
DEVICE void multiply(float (*sums)[4], int stride, const FactorA<Arithmetic::Tf32x3>* x, const uint32* y) {
  float step[kDown][4];
  multiplyFromZero(step, x, y);
#pragma unroll
  for (int i = 0; i < kDown; i++) {
#pragma unroll
    for (int e = 0; e < 4; e++) sums[i * stride][e] += step[i][e];
  }
}

// kDepthMajorB: B is stored [n, k], k contiguous; otherwise [k, n], and kWarpColumns is 32.
template <
    Arithmetic kArithmetic, bool kDepthMajorB, int kRows, int kColumns, int kWarpRows, int kWarpColumns, int kStages,
    bool kTransposesA = true>
DEVICE void multiplyMma(GEMM_PARAMETERS) {
  constexpr int kHalvesUnrolled = kArithmetic == Arithmetic::Tf32x3 ? 1 : 2;
  constexpr int kWarpsDown = kRows / kWarpRows, kWarpsAcross = kColumns / kWarpColumns;
  constexpr int kThreads = kWarpsDown * kWarpsAcross * kWarp;
  constexpr int kDown = kWarpRows / 16, kAcross = kWarpColumns / 8;
  constexpr int kPitchB = kColumns + kMmaPadding;
  static_assert(kDepthMajorB || kWarpColumns == 32, "a 16-byte word of B holds a column of each of four mma tiles");
  using TileA = DepthMajorTile<kRows, kThreads, kTransposesA>;
  using TileB = typename Chosen<
      kDepthMajorB, DepthMajorTile<kColumns, kThreads, false>, OuterMajorTile<kMmaDepth, kColumns, kPitchB, kThreads, false>>::Type;
  constexpr int kStageFloats = TileA::kFloats + TileB::kFloats;
  static_assert(kStageFloats % 32 == 0, "every stage starts on a multiple of 128 bytes");
  extern __shared__ float4 sharedWords[];
  float* shared = (float*)sharedWords;
  const uint32 sharedStart = sharedAddress(shared);

  const BlockPlace<kRows, kColumns> place(m, k, depth);
  const Operand left = {a + blockZ() * stepA, strideA, m, copyA}, right = {b + blockZ() * stepB, strideB, n, copyB};
  const int steps = (place.end - place.first + kMmaDepth - 1) / kMmaDepth;
  const bool inside = copyA == kCopyWide && copyB == kCopyWide && place.row + kRows <= m && place.column + kColumns <= n;
  const int wholeSteps = inside ? (place.end - place.first) / kMmaDepth : 0;
  const WholeCopies wholeA = TileA::whole(left, place.row, place.first), wholeB = TileB::whole(right, place.column, place.first);
  auto fetch = [&](int step) __attribute__((always_inline)) {
    if (step < steps) {
      const uint32 to = sharedStart + step % kStages * kStageFloats * 4;
      if (step < wholeSteps) {
        TileA::copyWhole(wholeA, to, step, strideA);
        TileB::copyWhole(wholeB, to + TileA::kFloats * 4, step, strideB);
      } else {
        const int from = place.first + step * kMmaDepth;
        TileA::copy(to, left, place.row, from, place.end);
        TileB::copy(to + TileA::kFloats * 4, right, place.column, from, place.end);
      }
    }
    copyCommit();
  };

  const int warpRow = warp() % kWarpsDown * kWarpRows, warpColumn = warp() / kWarpsDown * kWarpColumns;
  const int group = lane() / 4, within = lane() % 4;
  // Byte offsets of this thread's pieces at k = 0; a later piece differs in bits 4 to 6 only, by exclusive or.
  const uint32 offsetA = depthMajorIndex(warpRow + lane() % 16, lane() / 16 * 4) * 4;
  const uint32 offsetB = kDepthMajorB ? (TileA::kFloats + depthMajorIndex(warpColumn + lane() % 8, lane() / 8 * 4)) * 4 : 0;
  float sums[kDown * kAcross][4] = {};
#pragma unroll 1
  for (int step = 1 - kStages; step < steps; step++) {
    copyWait<kStages - 2>();
    barrier();
    fetch(step + kStages - 1);
    if (step < 0) continue;
    const int stage = anew(step % kStages * kStageFloats);
#pragma unroll kHalvesUnrolled
    for (int d = 0; d < kMmaDepth; d += 16) {
      uint32 y[kAcross][4];
      if constexpr (!kDepthMajorB) {
        const float* words = shared + stage + TileA::kFloats + (d + within) * kPitchB + warpColumn + group * 4;
#pragma unroll
        for (int i = 0; i < 4; i++) {
          const Words word = loadWords(words + 4 * i * kPitchB);
          y[0][i] = word[0];
          y[1][i] = word[1];
          y[2][i] = word[2];
          y[3][i] = word[3];
        }
      }
      FactorA<kArithmetic> x[kDown];
      loadFactors(x, sharedStart + stage * 4, offsetA ^ (d * 4));
#pragma unroll
      for (int j = 0; j < kAcross; j++) {
        if constexpr (kDepthMajorB) loadMatrix(y[j], sharedStart + stage * 4 + (offsetB ^ (d * 4)) + j * 8 * 128);
        multiply<kDown>(sums + j, kAcross, x, y[j]);
      }
    }
  }
  copyWait<0>();

  // A pitch of 8 or 24 more than a multiple of 32 spreads a half warp's pairs, one of 4 more a quarter warp's fours, over all banks.
  constexpr int kPitch = !kDepthMajorB ? kColumns + 4 : kColumns % 32 == 8 || kColumns % 32 == 24 ? kColumns : kColumns + 8;
  barrier();
  float* tile = shared + (warpRow + group) * kPitch + warpColumn;
#pragma unroll
  for (int i = 0; i < kDown; i++) {
    const float(*sum)[4] = sums + i * kAcross;
#pragma unroll
    for (int h = 0; h < 2; h++) {
      float* to = tile + (i * 16 + h * 8) * kPitch;
      if constexpr (kDepthMajorB) {
#pragma unroll
        for (int j = 0; j < kAcross; j++) *(float2*)(to + j * 8 + within * 2) = {sum[j][2 * h], sum[j][2 * h + 1]};
      } else {
#pragma unroll
        for (int e = 0; e < 2; e++) {
          *(float4*)(to + within * 8 + e * 4) = {sum[0][2 * h + e], sum[1][2 * h + e], sum[2][2 * h + e], sum[3][2 * h + e]};
        }
      }
    }
  }
  barrier();
  finishTile<kRows, kColumns, kPitch, WholeBlock<kThreads>, kTransposesA>(
      shared, place, c, bias, partials, stepC, m, n, strideC, wideC, accumulate, arrived, {epilogue, other, otherRows});
}

#define MMA_KERNEL(name, arithmetic, depthMajorB, rows, columns, warpRows, warpColumns, stages, threads, blocks)             \
  KERNEL __launch_bounds__(threads, blocks) name(GEMM_PARAMETERS) {                                                          \
    multiplyMma<Arithmetic::arithmetic, depthMajorB, rows, columns, warpRows, warpColumns, stages>(GEMM_ARGUMENTS);          \
  }
