// Activation: f and f' from one evaluation of the exponential, elementwise; x is read once, f and f' (over x) are written once.
// With u = c (x + a x^3) and s = (1 + tanh u) / 2 = 1 / (1 + e^(-2u)):
//   GeluTanh:  f = x s,   f' = s + x s (1 - s) 2 u'                no difference of large numbers anywhere
// and with Phi the normal distribution:
//   GeluErf:   f = x Phi, f' = Phi + x e^(-x^2/2) / sqrt(2 pi)
//   Relu:      f = max(0, x), f' = 1 where x > 0
#include "math.cuh"
#include "rows.cuh"

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

struct GeluErf {
  DEVICE Activated at(float x) {
    const NormalPoint normal = normalPoint(x);
    return {x * normal.cumulative, normal.cumulative + x * normal.bell * 0.39894228f};
  }
};

struct Relu {
  DEVICE Activated at(float x) { return {x < 0 ? 0 : x, x > 0 ? 1.0f : 0.0f}; }
};

template <class F>
DEVICE void activate(float* x, int64 length, int quads, float* output) {
  eachOfRun(length, quads, [=](auto v, int64 at) {
    using V = decltype(v);
    if constexpr (kFloats<V> == 4) {
      const float4 in = load<V>(x + at, 0);
      const Activated a = F::at(in.x), b = F::at(in.y), c = F::at(in.z), d = F::at(in.w);
      store(output + at, 0, float4{a.value, b.value, c.value, d.value});
      store(x + at, 0, float4{a.slope, b.slope, c.slope, d.slope});
    } else {
      const Activated a = F::at(x[at]);
      output[at] = a.value;
      x[at] = a.slope;
    }
  });
}

// x: [length], in the pre-activation, out the derivative there; output: [length].
KERNEL geluTanh(float* __restrict__ x, int64 length, int quads, float* __restrict__ output) {
  activate<GeluTanh>(x, length, quads, output);
}
KERNEL geluErf(float* __restrict__ x, int64 length, int quads, float* __restrict__ output) { activate<GeluErf>(x, length, quads, output); }
KERNEL relu(float* __restrict__ x, int64 length, int quads, float* __restrict__ output) { activate<Relu>(x, length, quads, output); }

// gradient[r] *= derivative[r mod activationRows]
KERNEL multiplyRows(
    float* gradient,                       // [rows, width]
    const float* __restrict__ derivative,  // [activationRows, width]
    int activationRows, int parts, int width, int quads) {
  eachOfRow(parts, width, quads, [=](auto v, int64 row, int at) {
    using V = decltype(v);
    float* to = gradient + row * width;
    store(to, at, load<V>(to, at) * load<V>(derivative + (int64)((int)row % activationRows) * width, at));
  });
}
