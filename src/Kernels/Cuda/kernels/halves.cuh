// A float32 as two half-precision numbers, high + low, times a power of two that a line (a row of A, a column of B) shares: about 22
// significant bits. What is more than 2^17 below the line's largest has fewer, down to an error of 2^-39 of that largest.
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

// A line's top: the exponent of its largest magnitude, in a float's place for it, at least that of 2^-112; NaN does not count. The line is
// multiplied by the power of two that brings such a magnitude between 2^14 and 2^15. Both that power and its inverse are normal numbers for
// every line: of zeros, of denormal numbers, and of infinity, whose rest makes NaN.
constexpr uint32 kLeastTop = 0x07800000u;
DEVICE uint32 topAfter(uint32 top, float largest) {
  const uint32 exponent = __builtin_bit_cast(uint32, largest) & 0x7f800000u;
  return exponent > top ? exponent : top;
}
DEVICE float toHalvesOf(uint32 top) { return __builtin_bit_cast(float, 0x86000000u - top); }
DEVICE float backFrom(uint32 top) { return __builtin_bit_cast(float, top - 0x07000000u); }

// What sums in the unit of one top are in that of a higher one; 0 where it is more than 2^126 as large.
DEVICE float fallTo(uint32 higher, uint32 top) {
  const int bits = 0x3f800000 - (int)(higher - top);
  return __builtin_bit_cast(float, bits < 0 ? 0 : bits);
}

// What a line's sums are multiplied by in the end, as two exponents in a float's place for them, of about half each. Those of a row and of
// a column add up; the product of the two factors themselves may lie beyond the range.
struct HalvedPower {
  uint32 first, second;
};
DEVICE HalvedPower halved(float back) {
  const int exponent = (int)(__builtin_bit_cast(uint32, back) >> 23) - 127, half = exponent >> 1;
  return {(uint32)half << 23, (uint32)(exponent - half) << 23};
}
DEVICE float inUnitOfResult(float sum, HalvedPower row, HalvedPower column) {
  return sum * __builtin_bit_cast(float, 0x3f800000u + row.first + column.first)
      * __builtin_bit_cast(float, 0x3f800000u + row.second + column.second);
}

DEVICE float magnitude(float v) { return __builtin_bit_cast(float, __builtin_bit_cast(uint32, v) & 0x7fffffffu); }
DEVICE float largest(float a, float b) {
  float result;
  asm("max.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
  return result;
}
