// GELU in GPT-2's form: an activation function's value and slope at one point. With u = c (x + a x^3) and s = 1 / (1 + e^(-2u)):
// f = x s, f' = s + x s (1 - s) 2 u'.
#pragma once
#include "math.cuh"

struct Activated {
  float value, slope;
};

struct GeluTanh {
  DEVICE Activated at(float x) {
    const float square = x * x;
    const float s = 1 / (1 + exponential(x * (square * (-2 * kGeluRoot * kGeluCubic) - 2 * kGeluRoot)));
    return {x * s, x * s * (1 - s) * (square * (6 * kGeluRoot * kGeluCubic) + 2 * kGeluRoot) + s};
  }
};
