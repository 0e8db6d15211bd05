// What the units of a GPU do at best: loops of nothing else, for the ceilings that other kernels are compared with. Each leaves a result
// that can be told beforehand, so that nothing is optimised away and a check can see that the loop did what it was counted for.
#include "Gemm.cuh"

// Chains of multiply-adds of a thread that do not wait for each other: with 256 threads of 32 or more, more than a unit's latency.
constexpr int kChains = 16;

// out[thread] = the sum of the chains, each steps x kRateUnroll times v = v * 0.5 + start: it ends at twice its start.
KERNEL __launch_bounds__(kRateThreads) rateFfma(float* out, int steps) {
  const float start = 1.0f + (float)(threadX() % 2);
  float v[kChains];
#pragma unroll
  for (int i = 0; i < kChains; i++) v[i] = start + (float)i;
#pragma unroll 1
  for (int step = 0; step < steps; step++) {
#pragma unroll
    for (int u = 0; u < kRateUnroll; u++) {
#pragma unroll
      for (int i = 0; i < kChains; i++) v[i] = __builtin_fmaf(v[i], 0.5f, start);
    }
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kChains; i++) sum += v[i];
  out[blockX() * threads() + threadX()] = sum;
}

// Tiles of a warp whose mma do not wait for each other.
constexpr int kTiles = 8;

DEVICE void rateMma(float (&d)[4], uint32 a, uint32 b, bool bf16) {
  if (bf16) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%4,%4,%4}, {%5,%5}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a), "r"(b));
  } else {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%4,%4,%4}, {%5,%5}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a), "r"(b));
  }
}

// Every product adds exactly 1 to every sum: of 8 or 16 ones, each by an eighth or a sixteenth.
template <bool kBf16>
DEVICE void rateMmaLoop(float* out, int steps) {
  const uint32 a = kBf16 ? 0x3f803f80u : 0x3f800000u, b = kBf16 ? 0x3d803d80u : 0x3e000000u;
  float d[kTiles][4];
#pragma unroll
  for (int i = 0; i < kTiles; i++) d[i][0] = d[i][1] = d[i][2] = d[i][3] = (float)i;
#pragma unroll 1
  for (int step = 0; step < steps; step++) {
#pragma unroll
    for (int u = 0; u < kRateUnroll; u++) {
#pragma unroll
      for (int i = 0; i < kTiles; i++) rateMma(d[i], a, b, kBf16);
    }
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kTiles; i++) sum += d[i][0] + d[i][1] + d[i][2] + d[i][3];
  out[blockX() * threads() + threadX()] = sum;
}

KERNEL __launch_bounds__(kRateThreads) rateTf32(float* out, int steps) { rateMmaLoop<false>(out, steps); }
KERNEL __launch_bounds__(kRateThreads) rateBf16(float* out, int steps) { rateMmaLoop<true>(out, steps); }

// Words of 16 bytes of shared memory, side by side over a warp. out[thread] = steps x kRateUnroll x 4.
KERNEL __launch_bounds__(kRateThreads) rateShared(float* out, int steps) {
  __shared__ float4 words[kRateThreads];
  words[threadX()] = {1, 1, 1, 1};
  barrier();
  float4 sum = {0, 0, 0, 0};
  const uint32 address = sharedAddress((float*)(words + threadX()));
#pragma unroll 1
  for (int step = 0; step < steps; step++) {
#pragma unroll
    for (int u = 0; u < kRateUnroll; u++) {
      float4 v;
      asm volatile("ld.shared.v4.f32 {%0,%1,%2,%3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "r"(address));
      sum.x += v.x;
      sum.y += v.y;
      sum.z += v.z;
      sum.w += v.w;
    }
  }
  out[blockX() * threads() + threadX()] = sum.x + sum.y + sum.z + sum.w;
}

// Reads words of 16 bytes past the first-level cache, rounds times over; out[thread] = the sum of what the thread read. The words are a
// multiple of kRateUnroll for every thread of the grid, so that a thread has as many on their way at once.
KERNEL __launch_bounds__(kRateThreads) rateRead(const float4* from, int64 words, int rounds, float* out) {
  const int64 start = (int64)blockX() * threads() + threadX(), step = (int64)blocksX() * threads();
  float4 sum = {0, 0, 0, 0};
#pragma unroll 1
  for (int round = 0; round < rounds; round++) {
#pragma unroll 1
    for (int64 i = start; i < words; i += kRateUnroll * step) {
      float4 v[kRateUnroll];
#pragma unroll
      for (int u = 0; u < kRateUnroll; u++) {
        asm volatile("ld.global.cg.v4.f32 {%0,%1,%2,%3}, [%4];"
                     : "=f"(v[u].x), "=f"(v[u].y), "=f"(v[u].z), "=f"(v[u].w) : "l"(from + i + u * step));
      }
#pragma unroll
      for (int u = 0; u < kRateUnroll; u++) {
        sum.x += v[u].x;
        sum.y += v[u].y;
        sum.z += v[u].z;
        sum.w += v[u].w;
      }
    }
  }
  out[start] = sum.x + sum.y + sum.z + sum.w;
}

KERNEL __launch_bounds__(kRateThreads) rateWrite(float4* to, int64 words, float value) {
  const int64 step = (int64)blocksX() * threads();
  for (int64 i = (int64)blockX() * threads() + threadX(); i < words; i += step) to[i] = {value, value, value, value};
}

KERNEL __launch_bounds__(kRateThreads) rateCopy(float4* to, const float4* from, int64 words) {
  const int64 step = (int64)blocksX() * threads();
#pragma unroll 1
  for (int64 i = (int64)blockX() * threads() + threadX(); i < words; i += kRateUnroll * step) {
    float4 v[kRateUnroll];
#pragma unroll
    for (int u = 0; u < kRateUnroll; u++) {
      asm volatile("ld.global.v4.f32 {%0,%1,%2,%3}, [%4];"
                   : "=f"(v[u].x), "=f"(v[u].y), "=f"(v[u].z), "=f"(v[u].w) : "l"(from + i + u * step));
    }
#pragma unroll
    for (int u = 0; u < kRateUnroll; u++) to[i + u * step] = {v[u].x, v[u].y, v[u].z, v[u].w};
  }
}

// A launch that does next to nothing: out[0] grows by one.
KERNEL __launch_bounds__(kWarp) rateNothing(float* out) {
  if (threadX() == 0) out[0] += 1;
}
