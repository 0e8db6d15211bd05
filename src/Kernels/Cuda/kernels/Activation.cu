// Activation: f and f' from one evaluation of the exponential, elementwise; x is read once, f and f' (over x) are written once.
// With u = c (x + a x^3) and s = (1 + tanh u) / 2 = 1 / (1 + e^(-2u)):
//   GeluTanh:  f = x s,   f' = s + x s (1 - s) 2 u'                no difference of large numbers anywhere
// and with Phi the normal distribution:
//   GeluErf:   f = x Phi, f' = Phi + x e^(-x^2/2) / sqrt(2 pi)
//   Relu:      f = max(0, x), f' = 1 where x > 0
// and with s = 1 / (1 + e^(-k x)), k = 1 for Silu and 1.702 for QuickGelu:
//   f = x s, f' = s + k x s (1 - s)
// and with e = e^(-2 |x|):
//   Tanh:      f = sign(x) (1 - e) / (1 + e), f' = 4 e / (1 + e)^2; near 0, where 1 - e would cancel, f is the fraction of polynomials that
//              the continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ...))) gives after five terms, within 1e-10 of tanh
#include "gelu.cuh"
#include "rows.cuh"

struct GeluErf {
  DEVICE Activated at(float x) {
    const NormalPoint normal = normalPoint(x);
    return {x * normal.cumulative, normal.cumulative + x * normal.bell * 0.39894228f};
  }
};

struct Relu {
  DEVICE Activated at(float x) { return {x < 0 ? 0 : x, x > 0 ? 1.0f : 0.0f}; }
};

DEVICE Activated gated(float x, float k) {
  const float s = 1 / (1 + exponential(-k * x));
  return {x * s, k * x * s * (1 - s) + s};
}

struct Silu {
  DEVICE Activated at(float x) { return gated(x, 1); }
};

struct QuickGelu {
  DEVICE Activated at(float x) { return gated(x, kQuickGelu); }
};

struct Tanh {
  DEVICE Activated at(float x) {
    const float magnitude = __builtin_fabsf(x);
    const float e = exponential(-2 * magnitude), square = x * x;
    const float far = (1 - e) / (1 + e);
    const float near = x * (945 + square * (105 + square)) / (945 + square * (420 + 15 * square));
    return {magnitude < kTanhSmall ? near : x < 0 ? -far : far, 4 * e / ((1 + e) * (1 + e))};
  }
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
KERNEL silu(float* __restrict__ x, int64 length, int quads, float* __restrict__ output) { activate<Silu>(x, length, quads, output); }
KERNEL quickGelu(float* __restrict__ x, int64 length, int quads, float* __restrict__ output) {
  activate<QuickGelu>(x, length, quads, output);
}
KERNEL tanhyp(float* __restrict__ x, int64 length, int quads, float* __restrict__ output) { activate<Tanh>(x, length, quads, output); }

DEVICE float ratio(float x, float y, float atZero) { return x == 0 ? atZero : y / x; }

// x = y / x, and a given value where x is 0
KERNEL ratios(float* __restrict__ x, const float* __restrict__ y, float atZero, int64 length, int quads) {
  eachOfRun(length, quads, [=](auto v, int64 at) {
    using V = decltype(v);
    if constexpr (kFloats<V> == 4) {
      const float4 below = load<V>(x + at, 0), above = load<V>(y + at, 0);
      store(x + at, 0, float4{ratio(below.x, above.x, atZero), ratio(below.y, above.y, atZero), ratio(below.z, above.z, atZero),
                              ratio(below.w, above.w, atZero)});
    } else {
      x[at] = ratio(x[at], y[at], atZero);
    }
  });
}

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
