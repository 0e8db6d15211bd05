// Four floats at a time where addresses allow it, one otherwise: the same code for both, as a template over float and float4.
// The host says which (all operands lie at multiples of 16 bytes and rows are multiples of four floats), so all threads agree.
#pragma once
#include "cuda.cuh"

template <class V>
constexpr int kFloats = sizeof(V) / sizeof(float);

DEVICE float4 operator+(float4 a, float4 b) { return {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w}; }
DEVICE float4 operator-(float4 a, float4 b) { return {a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w}; }
DEVICE float4 operator*(float4 a, float4 b) { return {a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w}; }
DEVICE float4 operator*(float4 a, float s) { return {a.x * s, a.y * s, a.z * s, a.w * s}; }
DEVICE float4 operator-(float4 a, float s) { return {a.x - s, a.y - s, a.z - s, a.w - s}; }

template <class V>
DEVICE V splat(float s) {
  if constexpr (kFloats<V> == 4) return V{s, s, s, s};
  else return s;
}

DEVICE float total(float v) { return v; }
DEVICE float total(float4 v) { return (v.x + v.y) + (v.z + v.w); }

// f applied to each float.
template <class F>
DEVICE float map(float v, F f) { return f(v); }
template <class F>
DEVICE float4 map(float4 v, F f) { return {f(v.x), f(v.y), f(v.z), f(v.w)}; }

// The compiler's own vector: one access of 16 bytes to the optimizer too, which would otherwise share parts of a float4's accesses with
// a branch that takes single floats.
typedef float FourFloats __attribute__((vector_size(16)));

// Element number i of a row of V.
template <class V>
DEVICE V load(const float* p, int64 i) {
  if constexpr (kFloats<V> == 4) {
    const FourFloats v = ((const FourFloats*)p)[i];
    return {v[0], v[1], v[2], v[3]};
  } else {
    return p[i];
  }
}

template <class V>
DEVICE void store(float* p, int64 i, V v) {
  if constexpr (kFloats<V> == 4) ((FourFloats*)p)[i] = FourFloats{v.x, v.y, v.z, v.w};
  else p[i] = v;
}

// Calls f with float4 or float, whichever the operands allow.
template <class F>
DEVICE void byWidth(int quads, F f) {
  if (quads) f(float4{});
  else f(0.0f);
}

// One element (of V) per thread of a row that is cut into parts; f(V, row, place in the row). The grid is rows x parts.
template <class F>
DEVICE void eachOfRow(int parts, int width, int quads, F f) {
  const int row = blockX() / parts;
  const int at = blockX() % parts * threads() + threadX();
  byWidth(quads, [=](auto v) {
    if (at < width / kFloats<decltype(v)>) f(v, row, at);
  });
}

// One element (of V) per thread of a flat run; f(V, first float). The last few floats are taken one by one.
template <class F>
DEVICE void eachOfRun(int64 length, int quads, F f) {
  const int64 i = (int64)blockX() * threads() + threadX();
  if (!quads) {
    if (i < length) f(0.0f, i);
  } else if (4 * i + 4 <= length) {
    f(float4{}, 4 * i);
  } else {
    for (int64 at = 4 * i; at < length; at++) f(0.0f, at);
  }
}

// The part of a dot product that elements from, from + step, ... of V make: up to four float32 products, added in float64.
template <class V>
DEVICE double dotPart(const float* __restrict__ x, const float* __restrict__ y, int64 floats, int from, int step) {
  double sum = 0;
  const int64 count = floats / kFloats<V>;
#pragma unroll 4
  for (int64 i = from; i < count; i += step) sum += (double)total(load<V>(x, i) * load<V>(y, i));
  return sum;
}
