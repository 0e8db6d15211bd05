// A float32 as two half-precision numbers, high + low, times a power of two that a row shares: about 22 significant bits. What is more
// than 2^17 below the row's largest has fewer, down to an error of 2^-40 of that largest.
#pragma once
#include "math.cuh"

// Two floats rounded to half precision, the first in the lower half.
DEVICE uint32 toHalves(float first, float second) {
  uint32 result;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(second), "f"(first));
  return result;
}

DEVICE float2 fromHalves(uint32 v) {
  float2 result;
  asm("{\n\t.reg .b16 low, high;\n\tmov.b32 {low, high}, %2;\n\tcvt.f32.f16 %0, low;\n\tcvt.f32.f16 %1, high;\n\t}"
      : "=f"(result.x), "=f"(result.y)
      : "r"(v));
  return result;
}

// Two numbers' high and low parts, two to a word.
struct HalfParts {
  uint32 high, low;
};
DEVICE HalfParts splitToHalves(float x, float y, float scale) {
  HalfParts parts;
  parts.high = toHalves(x * scale, y * scale);
  const float2 rounded = fromHalves(parts.high);
  parts.low = toHalves(__builtin_fmaf(x, scale, -rounded.x), __builtin_fmaf(y, scale, -rounded.y));
  return parts;
}

// The power of two that brings a row's largest magnitude to 2^14 or just below 2^15, and its inverse. Both are normal numbers for every
// row: of zeros, of denormal numbers, and of infinity, whose rest makes NaN.
struct HalfScale {
  float to, back;
};
DEVICE HalfScale scaleToHalves(float largest) {
  uint32 exponent = __builtin_bit_cast(uint32, largest) & 0x7f800000u;
  exponent = exponent < 0x07800000u ? 0x07800000u : exponent;
  return {__builtin_bit_cast(float, 0x86000000u - exponent), __builtin_bit_cast(float, exponent - 0x07000000u)};
}

DEVICE float magnitude(float v) { return __builtin_bit_cast(float, __builtin_bit_cast(uint32, v) & 0x7fffffffu); }
DEVICE float largest(float a, float b) {
  float result;
  asm("max.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
  return result;
}
