// The matrix product with float32's accuracy on compute capability 9.0: three products of halves by a warpgroup's instruction (wgmma), A as
// it lies in memory, B packed beforehand (PackSm90a.cu), which is what weights are.
//
//   tile 128 x 192, 32 k a step, 384 threads: one warpgroup copies, two multiply 64 rows each
//   shared memory: 4 steps of A (20 KiB) and of B (24 KiB) and their barriers
//
// The first warpgroup brings the steps: A's rows by 16 bytes a thread, B by one bulk copy of a step's whole 24 KiB. Two barriers a step say
// that it is there and that it may be overwritten. A thread of the others reads its factors of A, which are 16 of two rows, finds with the
// three threads that share them each row's largest, and splits them in registers (halves.cuh). A row's power of two is that of the largest
// number that the row has had: where a step brings a larger one, the sums so far fall by what the power fell by, in the multiply-add that
// joins the step's sums to them. A column of B has one power. Both go off at the end.
//
// Arithmetic: x y = (X + x')(Y + y') = X Y + X y' + x' Y, each factor scaled and in two halves of 11 significant bits. Left out are x' y'
// (2^-22 of the product) and what is rounded off x' and y' (2^-23 each): 2^-21 sum |x y| at the very worst, as for three products of TF32,
// and for factors that are more than 2^17 below the largest of their row (of A) or of their column (of B) 2^-39 of that largest times the
// other factor. Each step of 32 k starts from zero and joins by one multiply-add.
// Infinity and NaN in a row of A make NaN of the row, in a column of B of the column.
//
// The warpgroup's product takes 6 x 96 clocks a step, two warpgroups 1,152; a step brings 40 KiB from the second-level cache, 36 bytes a
// clock and multiprocessor. A scheduler issues two warps' loops in that time.
#include "Gemm.cuh"
#include "halves.cuh"
#include "hopper.cuh"

constexpr int kRows = 128, kColumns = kPackedColumns, kStages = 4, kCopyThreads = 128, kBlockThreads = 384;
constexpr int kPitchA = kPackedDepth * 4 + 32;  // bytes; so 8-byte reads of four rows meet no bank conflict
constexpr int kBytesA = kRows * kPitchA, kPartB = kColumns * 64, kBytesB = 2 * kPartB, kBytesStage = kBytesA + kBytesB;
static_assert(kBytesA % 1024 == 0 && kBytesStage % 1024 == 0, "descriptions need tiles at whole multiples");
static_assert(kStages * (kBytesStage + 16) == kSm90aSharedBytes, "the launch states it");

extern __shared__ __attribute__((aligned(1024))) float4 sm90aShared[];

// The two warpgroups that multiply.
struct Multipliers {
  static constexpr int kThreads = 256;
  DEVICE int thread() { return threadX() - kCopyThreads; }
  DEVICE void meet() { barrierOf<1, kThreads>(); }
};

// A thread's factors of A of a step: rows g and g + 8 (g = lane / 4) of its warp's 16, halves as wgmma takes them for two times 16 k.
struct FactorsA {
  uint32 high[2][4], low[2][4];
  uint32 top[2] = {kLeastTop, kLeastTop};
  float fall[2];

  // `from`: the thread's first pair of floats in shared memory.
  DEVICE_MEMBER void load(uint32 from) {
    float2 x[2][4];
#pragma unroll
    for (int s = 0; s < 2; s++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];"
                     : "=f"(x[s][i].x), "=f"(x[s][i].y)
                     : "r"(from + i % 2 * 8 * kPitchA + s * 64 + i / 2 * 32)
                     : "memory");
      }
    }
#pragma unroll
    for (int h = 0; h < 2; h++) {
      float most = 0;
#pragma unroll
      for (int s = 0; s < 2; s++) {
#pragma unroll
        for (int i = h; i < 4; i += 2) most = largest(most, largest(magnitude(x[s][i].x), magnitude(x[s][i].y)));
      }
      most = largest(most, shuffleXor(most, 1));
      most = largest(most, shuffleXor(most, 2));
      const uint32 risen = topAfter(top[h], most);
      fall[h] = fallTo(risen, top[h]);
      top[h] = risen;
#pragma unroll
      for (int s = 0; s < 2; s++) {
#pragma unroll
        for (int i = h; i < 4; i += 2) {
          const HalfParts parts = splitToHalves(x[s][i].x, x[s][i].y, toHalvesOf(risen));
          high[s][i] = parts.high;
          low[s][i] = parts.low;
        }
      }
    }
  }
};

// The parameters are those of GEMM_PARAMETERS but for B: `packed` is its first step of 32 k of its first 192 columns, `back` the scale of
// its first column, stepB steps of k from one member of the batch to the next, chunks all steps of k of a block of columns.
KERNEL __launch_bounds__(kBlockThreads, 1) gemmSm90a128x192(
    const float* __restrict__ a, const float* __restrict__ packed, const float* __restrict__ back, float* c,
    const float* __restrict__ bias, float* partials, int64 stepA, int64 stepB, int64 stepC, int m, int n, int k, int strideA, int chunks,
    int strideC, int wideC, int accumulate, int depth, uint32* arrived, int epilogue, float* other, int otherRows) {
  float* shared = (float*)sm90aShared;
  const uint32 stages = sharedAddress(shared), full = stages + kStages * kBytesStage, empty = full + 8 * kStages;
  const BlockPlace<kRows, kColumns> place(m, k, depth);
  const int steps = (place.end - place.first + kPackedDepth - 1) / kPackedDepth;
  const int group = warpgroup();
  if (threadX() == 0) {
    for (int s = 0; s < kStages; s++) {
      initBarrier(full + 8 * s, kCopyThreads + 1);
      initBarrier(empty + 8 * s, Multipliers::kThreads / kWarp);
    }
    fenceBarriers();
  }
  barrier();

  if (group == 0) {
    giveRegisters<40>();
    const bool one = warp() == 0 && elected();
    const int piece = threadX() % 8, first = threadX() / 8, rest = m - place.row - first;
    const float* fromA = a + blockZ() * stepA + (int64)(place.row + first) * strideA + place.first + piece * 4;
    const float* fromB =
        packed + ((int64)(place.column / kColumns) * chunks + blockZ() * stepB + place.first / kPackedDepth) * (kBytesB / 4);
    const uint32 to = stages + first * kPitchA + piece * 16;
    int stage = 0;
    uint32 parity = 1;
#pragma unroll 1
    for (int step = 0; step < steps; step++) {
      waitPhase(empty + 8 * stage, parity);
      if (one) {
        arriveExpecting(full + 8 * stage, kBytesB);
        copyBulk(stages + stage * kBytesStage + kBytesA, fromB, kBytesB, full + 8 * stage);
      }
      const int bytes = minimum(maximum(place.end - place.first - step * kPackedDepth - piece * 4, 0), 4) * 4;
#pragma unroll
      for (int r = 0; r < kRows; r += kCopyThreads / 8) {
        copyAsync16(to + stage * kBytesStage + r * kPitchA, fromA + (int64)r * strideA, r < rest ? bytes : 0);
      }
      arriveWithCopies(full + 8 * stage);
      fromA += kPackedDepth;
      fromB += kBytesB / 4;
      if (++stage == kStages) stage = 0, parity ^= 1;
    }
    return;
  }

  takeRegisters<232>();
  const int row = (group - 1) * 64 + warp() % 4 * 16 + lane() / 4;
  const uint32 from = stages + row * kPitchA + lane() % 4 * 8;
  FactorsA x;
  float sums[kColumns / 2] = {};
  int stage = 0;
  uint32 parity = 0;
#pragma unroll 1
  for (int step = 0; step < steps; step++) {
    waitPhase(full + 8 * stage, parity);
    x.load(from + stage * kBytesStage);
    const uint64 high = describeRows64(stages + stage * kBytesStage + kBytesA), low = high + kPartB / 16;
    float sum[kColumns / 2];
    beginProducts();
    startProducts192(sum, x.low[0], high);
    addProducts192(sum, x.low[1], high + 2);
    addProducts192(sum, x.high[0], low);
    addProducts192(sum, x.high[1], low + 2);
    addProducts192(sum, x.high[0], high);
    addProducts192(sum, x.high[1], high + 2);
    commitProducts();
    waitProducts192(sum);
    if (lane() == 0) arriveAt(empty + 8 * stage);
#pragma unroll
    for (int e = 0; e < kColumns / 2; e++) sums[e] = __builtin_fmaf(sums[e], x.fall[e / 2 % 2], sum[e]);
    if (++stage == kStages) stage = 0, parity ^= 1;
  }

  // The other warpgroup has read its factors, too.
  constexpr int kPitch = kColumns + 8;
  static_assert(kRows * kPitch * 4 <= kStages * kBytesStage, "the tile takes the place of the steps");
  Multipliers::meet();
  float* tile = shared + row * kPitch + lane() % 4 * 2;
  const HalvedPower ofRow[2] = {halved(backFrom(x.top[0])), halved(backFrom(x.top[1]))};
  const float* scales = back + place.column + lane() % 4 * 2;
#pragma unroll
  for (int j = 0; j < kColumns / 8; j++) {
    const float2 scale = *(const float2*)(scales + 8 * j);
    const HalvedPower left = halved(scale.x), right = halved(scale.y);
#pragma unroll
    for (int h = 0; h < 2; h++) {
      *(float2*)(tile + h * 8 * kPitch + 8 * j) = {
          inUnitOfResult(sums[4 * j + 2 * h], ofRow[h], left), inUnitOfResult(sums[4 * j + 2 * h + 1], ofRow[h], right)};
    }
  }
  Multipliers::meet();
  finishTile<kRows, kColumns, kPitch, Multipliers, true>(
      shared, place, c, bias, partials, stepC, m, n, strideC, wideC, accumulate, arrived, {epilogue, other, otherRows});
}
