// What a kernel needs of CUDA, made from the compiler's built-ins: no CUDA toolkit takes part. Every .cu file includes this first.
#pragma once

#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))

// An entry point that the host finds by its name; a function that exists only inlined in kernels.
#define KERNEL extern "C" __global__ void
#define DEVICE_MEMBER __device__ __inline__ __attribute__((always_inline))
#define DEVICE static DEVICE_MEMBER

typedef unsigned int uint32;
typedef long long int64;
typedef unsigned long long uint64;

#include "constants.cuh"

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) uint4 {
  uint32 x, y, z, w;
};

constexpr uint32 kAllLanes = 0xffffffffu;

DEVICE int threadX() { return __nvvm_read_ptx_sreg_tid_x(); }
DEVICE int blockX() { return __nvvm_read_ptx_sreg_ctaid_x(); }
DEVICE int blockY() { return __nvvm_read_ptx_sreg_ctaid_y(); }
DEVICE int blockZ() { return __nvvm_read_ptx_sreg_ctaid_z(); }
DEVICE int threads() { return __nvvm_read_ptx_sreg_ntid_x(); }
DEVICE int blocksX() { return __nvvm_read_ptx_sreg_nctaid_x(); }
DEVICE int blocksY() { return __nvvm_read_ptx_sreg_nctaid_y(); }
DEVICE int lane() { return threadX() % kWarp; }
DEVICE int warp() { return threadX() / kWarp; }

// All threads of the block arrive before any goes on; shared and global writes before it are seen after it.
DEVICE void barrier() { __syncthreads(); }

// One more block has come to a counter, which begins anew after `most` others: how many were there before. The thread calls it behind a
// barrier of its block; all that the block wrote before is seen by the block that comes last, behind its next barrier.
DEVICE uint32 arrive(uint32* counter, uint32 most) {
  __nvvm_membar_gl();
  const uint32 before = __nvvm_atom_inc_gen_ui(counter, most);
  __nvvm_membar_gl();
  return before;
}

DEVICE float shuffleXor(float v, int mask) { return __nvvm_shfl_sync_bfly_f32(kAllLanes, v, mask, 31); }
DEVICE int shuffleXor(int v, int mask) { return __nvvm_shfl_sync_bfly_i32(kAllLanes, v, mask, 31); }
DEVICE double shuffleXor(double v, int mask) {
  uint64 bits = __builtin_bit_cast(uint64, v);
  uint32 low = shuffleXor((int)(uint32)bits, mask), high = shuffleXor((int)(uint32)(bits >> 32), mask);
  return __builtin_bit_cast(double, ((uint64)high << 32) | low);
}

// Row number `row` of rows that are `pitch` floats apart, by one instruction: the compiler would multiply 64 bits by 64.
template <class T>
DEVICE T* rowAt(T* first, int row, int pitch) {
  uint64 result;
  asm("mad.wide.s32 %0, %1, %2, %3;" : "=l"(result) : "r"(row), "r"(pitch * 4), "l"((uint64)first));
  return (T*)result;
}

// The shared memory whose size the launch states.
extern __shared__ float4 dynamicSharedMemory[];
template <class T>
DEVICE T* dynamicShared() { return (T*)dynamicSharedMemory; }

// The sum over a warp's lanes, in the same order in every lane.
template <class T>
DEVICE T warpSum(T v) {
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) v += shuffleXor(v, mask);
  return v;
}

// The sum over a block of kThreads threads, known to all of them. The caller gives kThreads / 32 shared elements.
template <int kThreads, class T>
DEVICE T blockSum(T v, T* shared) {
  v = warpSum(v);
  barrier();
  if (lane() == 0) shared[warp()] = v;
  barrier();
  T sum = shared[0];
#pragma unroll
  for (int w = 1; w < kThreads / kWarp; w++) sum += shared[w];
  return sum;
}

DEVICE float squareRoot(float v) { return __nvvm_sqrt_rn_f(v); }
DEVICE double squareRoot(double v) { return __nvvm_sqrt_rn_d(v); }

// A product that is rounded even where a sum follows, which would otherwise become one fused operation.
DEVICE float roundedProduct(float a, float b) { return __nvvm_mul_rn_f(a, b); }
