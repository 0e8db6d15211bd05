// Elementary functions of float32 from multiplications and additions alone, so that every GPU and the emulator give the same bits:
// the approximate instructions (ex2, lg2, rsqrt) would differ between them. Errors are the largest found by the tests of this file.
#pragma once
#include "cuda.cuh"

// e^x within 1.1 ulp; 0 below -104, infinite above 88.73, denormal results as they are, NaN stays NaN.
// e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2, and e^r = 1 + r + r^2 p(r).
DEVICE float exponential(float x) {
  x = x < -104.0f ? -104.0f : x > 89.0f ? 89.0f : x;
  // Adding 1.5 * 2^23 leaves the rounded number in the lowest bits.
  const float shifted = __builtin_fmaf(x, 1.4426950408889634f, 12582912.0f);
  const int exponent = __builtin_bit_cast(int, shifted) - 0x4b400000;
  const float n = shifted - 12582912.0f;
  // ln 2 in two parts, so that n times the first one is exact.
  float r = __builtin_fmaf(n, -0.693359375f, x);
  r = __builtin_fmaf(n, 2.12194440e-4f, r);
  float p = __builtin_fmaf(r, 1.392628393e-3f, 8.36325938e-3f);
  p = __builtin_fmaf(p, r, 4.166655401e-2f);
  p = __builtin_fmaf(p, r, 1.666657651e-1f);
  p = __builtin_fmaf(p, r, 0.5f);
  p = __builtin_fmaf(p, r * r, r) + 1.0f;
  // Times 2^n in two halves: 2^n itself may be beyond the range where the result is not.
  const int half = exponent >> 1;
  return p * __builtin_bit_cast(float, (half + 127) << 23) * __builtin_bit_cast(float, (exponent - half + 127) << 23);
}

// e^x of a number that is not above 0, within 1.1 ulp; 0 below -87, NaN stays NaN. So the factor 2^n is a normal number.
DEVICE float exponentialBelowZero(float x) {
  const float shifted = __builtin_fmaf(x, 1.4426950408889634f, 12582912.0f);
  const float n = shifted - 12582912.0f;
  float r = __builtin_fmaf(n, -0.693359375f, x);
  r = __builtin_fmaf(n, 2.12194440e-4f, r);
  float p = __builtin_fmaf(r, 1.392628393e-3f, 8.36325938e-3f);
  p = __builtin_fmaf(p, r, 4.166655401e-2f);
  p = __builtin_fmaf(p, r, 1.666657651e-1f);
  p = __builtin_fmaf(p, r, 0.5f);
  p = __builtin_fmaf(p, r * r, r) + 1.0f;
  const uint32 power = (__builtin_bit_cast(uint32, shifted) << 23) + 0x3f800000u;
  return x < -87.0f ? 0 : p * __builtin_bit_cast(float, power);
}

// e^x in float64 within 1.1 ulp: e^x = 2^n e^r with n = round(x / ln 2) and the series of e^r up to r^13 / 13!. Infinite above 709.78,
// denormal results as they are, NaN stays NaN.
DEVICE double exponential(double x) {
  const double bounded = x < -746.0 ? -746.0 : x > 710.0 ? 710.0 : x;
  // Adding 1.5 * 2^52 leaves the rounded number in the lowest bits.
  const double shifted = __builtin_fma(bounded, 1.4426950408889634, 6755399441055744.0);
  const int exponent = (int)__builtin_bit_cast(int64, shifted);
  const double n = shifted - 6755399441055744.0;
  double r = __builtin_fma(n, -0.6931471803691238, bounded);
  r = __builtin_fma(n, -1.9082149292705877e-10, r);
  double series = 1.0;
#pragma unroll
  for (int k = 13; k >= 1; k--) series = __builtin_fma(series, r * (1.0 / k), 1.0);
  const int half = exponent >> 1;
  const double low = __builtin_bit_cast(double, (int64)(half + 1023) << 52);
  const double high = __builtin_bit_cast(double, (int64)(exponent - half + 1023) << 52);
  return series * low * high;
}

// ln x of a positive normal float64 within 1.1 ulp of max(1, result): x = 2^e m with m in [sqrt(1/2), sqrt 2), and with s = (m - 1) / (m +
// 1) ln m = 2 (s + s^3/3 + s^5/5 + ...).
DEVICE double logarithm(double x) {
  const int64 bits = __builtin_bit_cast(int64, x);
  const int64 exponent = (bits - 0x3fe6a09e667f3bcdLL) >> 52;
  const double m = __builtin_bit_cast(double, bits - (exponent << 52));
  const double s = (m - 1) / (m + 1);
  const double square = s * s;
  double series = 1.0 / 21;
#pragma unroll
  for (int k = 19; k >= 1; k -= 2) series = __builtin_fma(series, square, 1.0 / k);
  return __builtin_fma((double)exponent, 0.6931471805599453, 2 * s * series);
}

struct NormalPoint {
  float cumulative;  // the share of the standard normal distribution below x
  float bell;        // e^(-x^2/2)
};

// The share within 7 ulp down to -12 (the rounding of t, magnified), the bell within 2.3. With a = |x| / sqrt 2 the share beyond |x| is
// erfc(a) / 2 = e^(-a^2) t p(t) / 2 with t = 1 / (1 + 0.35 a); p was fitted to a relative error of 1e-8 for a up to 10.5.
DEVICE NormalPoint normalPoint(float x) {
  const float magnitude = __builtin_fabsf(x) < 16.0f ? __builtin_fabsf(x) : 16.0f;
  // The square in two parts, because e^-h magnifies the rounding of h.
  const float high = 0.5f * magnitude * magnitude;
  const float low = __builtin_fmaf(0.5f * magnitude, magnitude, -high);
  const float bell = exponential(-high) * (1.0f - low);
  const float t = 1.0f / __builtin_fmaf(magnitude, 0.24748737f, 1.0f);
  float p = __builtin_fmaf(t, 0.037482243f, -0.154208854f);
  p = __builtin_fmaf(p, t, 0.171061903f);
  p = __builtin_fmaf(p, t, -0.0148584452f);
  p = __builtin_fmaf(p, t, 0.0772627369f);
  p = __builtin_fmaf(p, t, 0.150735304f);
  p = __builtin_fmaf(p, t, 0.149767563f);
  p = __builtin_fmaf(p, t, 0.188159361f);
  p = __builtin_fmaf(p, t, 0.197113484f);
  p = __builtin_fmaf(p, t, 0.197484732f);
  const float beyond = 0.5f * bell * (t * p);
  return {x < 0 ? beyond : 1.0f - beyond, bell};
}
