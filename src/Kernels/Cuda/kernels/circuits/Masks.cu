// Masks: soft masks on edges and the optimiser of their parameters, in float64 between float32 arrays: there are few elements, so that
// what counts is the launch. One thread per parameter; everything is read and written once.
#include "math.cuh"

// Word 0 of Philox 4x32 with ten rounds: a random number that is a function of counter (element, step, 0, 0) and key.
DEVICE uint32 philox(uint32 element, uint32 step, uint64 key) {
  uint32 c0 = element, c1 = step, c2 = 0, c3 = 0;
  uint32 keyA = (uint32)key, keyB = (uint32)(key >> 32);
#pragma unroll
  for (int round = 0; round < kPhiloxRounds; round++) {
    const uint64 a = (uint64)kPhiloxMultiplierA * c0, b = (uint64)kPhiloxMultiplierB * c2;
    c0 = (uint32)(b >> 32) ^ c1 ^ keyA;
    c1 = (uint32)b;
    c2 = (uint32)(a >> 32) ^ c3 ^ keyB;
    c3 = (uint32)a;
    keyA += kPhiloxKeyStepA;
    keyB += kPhiloxKeyStepB;
  }
  return c0;
}

// With u uniform in (margin, 1 - margin), s = 1 / (1 + e^(-(ln u - ln(1 - u) + a) / T)) and y = left + (right - left) s: z = y clipped to
// [0, 1] and slope = dz / da.
KERNEL sampleHardConcrete(
    const float* __restrict__ logAlpha,  // [count]
    int count, uint64 seed, const double* __restrict__ numbers, double left, double right, double temperature, double margin,
    float* __restrict__ z,               // [count]
    float* __restrict__ slope) {         // [count]
  const int i = blockX() * threads() + threadX();
  if (i >= count) return;
  const uint32 step = (uint32)numbers[kMaskStep];
  const double u = margin + (1 - 2 * margin) * ((philox(i, step, seed) + 0.5) * (1.0 / 4294967296.0));
  const double s = 1 / (1 + exponential(-(logarithm(u) - logarithm(1 - u) + logAlpha[i]) / temperature));
  const double y = left + (right - left) * s;
  z[i] = (float)(y < 0 ? 0 : y > 1 ? 1 : y);
  slope[i] = y > 0 && y < 1 ? (float)((right - left) * s * (1 - s) / temperature) : 0;
}

// mask[cell[i]] = z[i] (times the gate of its writer)
KERNEL placeMasks(
    const float* __restrict__ z,     // [edges + gates]
    const int* __restrict__ cell,    // [edges]
    const int* __restrict__ gateOf,  // [edges], or null without gates
    int edges,
    float* __restrict__ mask) {
  const int i = blockX() * threads() + threadX();
  if (i < edges) mask[cell[i]] = gateOf ? z[i] * z[edges + gateOf[i]] : z[i];
}

// gradient[i] = slope[i] (scale S[cell[i]] gate + edgePull)
KERNEL edgeMaskGradients(
    const double* __restrict__ scores,
    const int* __restrict__ cell,     // [edges]
    const int* __restrict__ gateOf,   // [edges], or null without gates
    const float* __restrict__ z,      // [edges + gates]
    const float* __restrict__ slope,  // [edges + gates]
    int edges, double scale, const double* __restrict__ numbers,
    float* __restrict__ gradient) {   // [edges + gates]
  const int i = blockX() * threads() + threadX();
  if (i >= edges) return;
  const double gate = gateOf ? z[edges + gateOf[i]] : 1;
  gradient[i] = (float)(slope[i] * (scale * scores[cell[i]] * gate + numbers[kMaskEdgePull]));
}

// gradient[edges + g] = slope (scale sum of S[cell[i]] z[i] over the gate's edges + gatePull). One warp per gate.
KERNEL gateMaskGradients(
    const double* __restrict__ scores,
    const int* __restrict__ cell,     // [edges]
    const int* __restrict__ start,    // [gates + 1]
    const float* __restrict__ z,      // [edges + gates]
    const float* __restrict__ slope,  // [edges + gates]
    int edges, int gates, double scale, const double* __restrict__ numbers,
    float* __restrict__ gradient) {   // [edges + gates]
  const int gate = blockX() * (threads() / kWarp) + warp();
  if (gate >= gates) return;
  double sum = 0;
  for (int i = start[gate] + lane(); i < start[gate + 1]; i += kWarp) sum += scores[cell[i]] * z[i];
  sum = warpSum(sum);
  if (lane() == 0) gradient[edges + gate] = (float)(slope[edges + gate] * (scale * sum + numbers[kMaskGatePull]));
}

// With g = scale gradient: p -= rate decay p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
// p -= rate (m / correction1) / (sqrt(v / correction2) + epsilon). Nothing where the scale is NaN.
KERNEL adamWStep(
    float* __restrict__ parameters,      // [count]
    const float* __restrict__ gradient,  // [count]
    float* __restrict__ firstMoment,     // [count]
    float* __restrict__ secondMoment,    // [count]
    int count, double decay, double beta1, double beta2, double epsilon,
    const double* __restrict__ numbers) {
  const int i = blockX() * threads() + threadX();
  const double scale = numbers[kMaskScale];
  if (i >= count || scale != scale) return;
  const double rate = numbers[kMaskRate];
  const double g = scale * gradient[i];
  const double p = parameters[i] - rate * decay * parameters[i];
  const float m = (float)(beta1 * firstMoment[i] + (1 - beta1) * g);
  const float v = (float)(beta2 * secondMoment[i] + (1 - beta2) * g * g);
  firstMoment[i] = m;
  secondMoment[i] = v;
  parameters[i] = (float)(p - rate * (m / numbers[kMaskCorrection1]) / (squareRoot(v / numbers[kMaskCorrection2]) + epsilon));
}

DEVICE double edgeGap(const double* n) { return n[kMaskEdgeSparsity] - n[kMaskEdgeTarget]; }
DEVICE double gateGap(const double* n, int target) { return target ? n[kMaskGateSparsity] - n[kMaskGateTarget] : 0; }

// Sparsities, what they add to the loss, and its derivative by each mask. One thread: there are a dozen numbers.
KERNEL constrainMasks(int edges, int gates, int gatesHaveTarget, double* n) {
  if (threadX() != 0) return;
  const double* m = n + kMaskMultipliers;
  n[kMaskEdgeSparsity] = 1 - n[kMaskEdgeSum] / edges;
  n[kMaskGateSparsity] = gates == 0 ? 0 : 1 - n[kMaskGateSum] / gates;
  const double edge = edgeGap(n), gate = gateGap(n, gatesHaveTarget);
  n[kMaskEdgeLoss] = m[0] * edge + m[3] * edge * edge;
  n[kMaskGateLoss] = m[6] * gate + m[9] * gate * gate;
  n[kMaskEdgePull] = -(m[0] + 2 * m[3] * edge) / edges;
  n[kMaskGatePull] = gates == 0 ? 0 : -(m[6] + 2 * m[9] * gate) / gates;
}

DEVICE bool finite(double x) { return x - x == 0; }

// The mean value, the gradient's scale by the norm of all gradients, and a step of AdamW upwards for each multiplier. One thread.
KERNEL balanceMasks(
    const double* __restrict__ values,  // [items]
    int items, int gatesHaveTarget, double mostNorm, double decay, double beta1, double beta2, double epsilon, double* n) {
  if (threadX() != 0) return;
  double mean = 0;
  for (int i = 0; i < items; i++) mean += (values[i] < 0 ? 0 : values[i]) / items;
  n[kMaskMean] = mean;
  const double edge = edgeGap(n), gate = gateGap(n, gatesHaveTarget);
  const double ascents[4] = {edge, edge * edge, gate, gate * gate};
  double squares = n[kMaskSquares];
#pragma unroll
  for (int i = 0; i < 4; i++) squares += ascents[i] * ascents[i];
  const double norm = squareRoot(squares), wanted = mostNorm / (norm + 1e-6);
  const bool goes = finite(norm) && finite(mean);
  const double scale = wanted < 1 ? wanted : 1;
  n[kMaskScale] = goes ? scale : __builtin_nan("");
  if (!goes) return;
  const double rate = n[kMaskMultiplierRate];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    if (i >= 2 && !gatesHaveTarget) return;
    double* m = n + kMaskMultipliers + 3 * i;
    const double g = -scale * ascents[i];
    m[1] = beta1 * m[1] + (1 - beta1) * g;
    m[2] = beta2 * m[2] + (1 - beta2) * g * g;
    m[0] -= rate * decay * m[0];
    m[0] -= rate * (m[1] / n[kMaskCorrection1]) / (squareRoot(m[2] / n[kMaskCorrection2]) + epsilon);
  }
}
