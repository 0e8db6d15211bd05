// Kernels that apply the functions of math.cuh to many numbers, for the tests of their errors. One thread per number.
#include "math.cuh"

KERNEL exponentialProbe(const float* __restrict__ x, int count, float* __restrict__ y) {
  const int i = blockX() * threads() + threadX();
  if (i < count) y[i] = exponential(x[i]);
}

KERNEL exponentialBelowZeroProbe(const float* __restrict__ x, int count, float* __restrict__ y) {
  const int i = blockX() * threads() + threadX();
  if (i < count) y[i] = exponentialBelowZero(x[i]);
}

KERNEL normalPointProbe(const float* __restrict__ x, int count, float* __restrict__ cumulative, float* __restrict__ bell) {
  const int i = blockX() * threads() + threadX();
  if (i >= count) return;
  const NormalPoint point = normalPoint(x[i]);
  cumulative[i] = point.cumulative;
  bell[i] = point.bell;
}

KERNEL exponentialOfDoubleProbe(const double* __restrict__ x, int count, double* __restrict__ y) {
  const int i = blockX() * threads() + threadX();
  if (i < count) y[i] = exponential(x[i]);
}

KERNEL logarithmOfDoubleProbe(const double* __restrict__ x, int count, double* __restrict__ y) {
  const int i = blockX() * threads() + threadX();
  if (i < count) y[i] = logarithm(x[i]);
}
