// What compute capability 9.0 has of its own: barriers in shared memory that count arrivals and bytes, bulk copies, and products of a
// warpgroup (four warps) that read B from shared memory while the warps go on.
#pragma once
#include "cuda.cuh"

// A barrier in shared memory has phases. A phase ends when `arrivals` have come and all bytes that were announced; the next then begins.
DEVICE void initBarrier(uint32 barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}
// Lets the asynchronous copies see barriers that were initialised.
DEVICE void fenceBarriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
DEVICE void arriveAt(uint32 barrier) { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory"); }
// Arrives, and announces bytes of bulk copies.
DEVICE void arriveExpecting(uint32 barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}
// Arrives once this thread's asynchronous copies so far are done; the thread does not wait.
DEVICE void arriveWithCopies(uint32 barrier) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(barrier) : "memory");
}
// Waits until the phase of this parity has ended.
DEVICE void waitPhase(uint32 barrier, uint32 parity) {
  uint32 done;
  do {
    asm volatile(
        "{\n\t.reg .pred p;\n\tmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n\tselp.u32 %0, 1, 0, p;\n\t}"
        : "=r"(done)
        : "r"(barrier), "r"(parity)
        : "memory");
  } while (!done);
}

// Contiguous bytes to shared memory, a multiple of 16 from a multiple of 16; the barrier counts them.
DEVICE void copyBulk(uint32 to, const void* from, int bytes, uint32 barrier) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to), "l"((uint64)from),
               "r"(bytes), "r"(barrier)
               : "memory");
}

// One of the block's sixteen barriers, for some of its threads.
template <int kBarrier, int kThreads>
DEVICE void barrierOf() {
  asm volatile("bar.sync %0, %1;" ::"n"(kBarrier), "n"(kThreads) : "memory");
}

// Registers that a warpgroup gives away or takes: within what the launch has for all.
template <int kRegisters>
DEVICE void giveRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
DEVICE void takeRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

// True in one lane of a warp that has come together.
DEVICE bool elected() {
  uint32 result;
  asm volatile("{\n\t.reg .pred p;\n\telect.sync _|p, 0xffffffff;\n\tselp.u32 %0, 1, 0, p;\n\t}" : "=r"(result));
  return result;
}

// This thread's warpgroup, by a shuffle: so the assembler knows it to be the same in the whole warp.
DEVICE int warpgroup() {
  uint32 result;
  asm volatile("shfl.sync.idx.b32 %0, %1, 0, 31, 0xffffffff;" : "=r"(result) : "r"(threadX() / 128));
  return (int)result;
}

// The description of a tile in shared memory for products: rows of 64 bytes with k contiguous, whose 16-byte pieces are permuted by the
// row's number (swizzledPiece); it starts at a multiple of 512, or 32 bytes further for each 16 k of halves.
DEVICE uint64 describeRows64(uint32 at) { return (uint64)0x80000020u << 32 | (at >> 4 | 1 << 16); }

// Where a row's 16-byte piece lies in such a tile.
DEVICE uint32 swizzledPiece(uint32 row, uint32 piece) { return row * 64 + ((piece ^ (row / 2 & 3)) << 4); }

// Before the first product whose sums or factors come from registers.
DEVICE void beginProducts() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
DEVICE void commitProducts() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// The sums of a wgmma over 192 columns as operands: the instruction wants each by its name.
#define SUMS_192 \
  "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,%32,%33,%34," \
  "%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63,%64,%65,%66,%67," \
  "%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95"

#define EIGHT_SUMS(kind, i) \
  kind(d[i]), kind(d[i + 1]), kind(d[i + 2]), kind(d[i + 3]), kind(d[i + 4]), kind(d[i + 5]), kind(d[i + 6]), kind(d[i + 7])
#define ALL_SUMS_192(kind)                                                                                            \
  EIGHT_SUMS(kind, 0), EIGHT_SUMS(kind, 8), EIGHT_SUMS(kind, 16), EIGHT_SUMS(kind, 24), EIGHT_SUMS(kind, 32),          \
      EIGHT_SUMS(kind, 40), EIGHT_SUMS(kind, 48), EIGHT_SUMS(kind, 56), EIGHT_SUMS(kind, 64), EIGHT_SUMS(kind, 72),    \
      EIGHT_SUMS(kind, 80), EIGHT_SUMS(kind, 88)

// Sums of 64 rows (16 a warp) and 192 columns over 16 k: A from registers, as mma.sync has it, B as described. Thread t of a warp has rows
// t / 4 and t / 4 + 8: d[4 j], d[4 j + 1] columns 8 j + t % 4 * 2 and the next one of the first, d[4 j + 2], d[4 j + 3] of the second.
DEVICE void startProducts192(float (&d)[96], const uint32 (&a)[4], uint64 b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n192k16.f32.f16.f16 {" SUMS_192 "}, {%96,%97,%98,%99}, %100, 0, 1, 1, 0;"
               : ALL_SUMS_192("=f")
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
DEVICE void addProducts192(float (&d)[96], const uint32 (&a)[4], uint64 b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n192k16.f32.f16.f16 {" SUMS_192 "}, {%96,%97,%98,%99}, %100, 1, 1, 1, 0;"
               : ALL_SUMS_192("+f")
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

// Waits for all products of this thread's warpgroup. The sums are operands, so that nothing reads them before.
DEVICE void waitProducts192(float (&d)[96]) {
  asm volatile("wgmma.wait_group.sync.aligned 0;" : ALL_SUMS_192("+f")::"memory");
}
