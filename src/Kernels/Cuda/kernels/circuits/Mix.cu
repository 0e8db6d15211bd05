// Mix: the inputs of readers in a patched pass, output[i] = baseline + sum over its slots of differences[slot], or baseline + total - sum.
// One thread makes one element (four floats where alignment allows). Blocks of one row stand next to each other whatever their input:
// they read the same differences, which then come from the second-level cache. Least traffic: the slots of all inputs once, and outputs.
#include "rows.cuh"

KERNEL mixInputs(
    const float* __restrict__ baseline,     // [rows, width]
    const float* __restrict__ all,          // [copies, rows, width]: the totals
    const float* __restrict__ differences,  // [slots, rows, width]
    const int* __restrict__ copy,           // [inputs]
    const int* __restrict__ takesTotal,     // [inputs]
    const int* __restrict__ start,          // [inputs + 1]
    const int* __restrict__ slot,
    int inputs, int rows, int parts, int width, int quads,
    float* __restrict__ output) {           // [inputs, rows, width]
  eachOfRow(parts, width, quads, [=](auto v, int place, int at) {
    using V = decltype(v);
    const int row = place / inputs, input = place % inputs;
    const int64 block = (int64)rows * width, line = (int64)row * width;
    V sum = load<V>(baseline + line, at);
    const int end = start[input + 1];
    if (takesTotal[input]) {
      sum = sum + load<V>(all + copy[input] * block + line, at);
#pragma unroll 4
      for (int s = start[input]; s < end; s++) sum = sum - load<V>(differences + slot[s] * block + line, at);
    } else {
#pragma unroll 4
      for (int s = start[input]; s < end; s++) sum = sum + load<V>(differences + slot[s] * block + line, at);
    }
    store(output + input * block + line, at, sum);
  });
}

// d = outputs[i] - target goes to its slot, and onto its copy's total (which starts from `from` where that is given).
KERNEL takeDifferences(
    const float* __restrict__ outputs,  // [count, rows, width]
    const float* __restrict__ target,   // [rows, width]
    const int* __restrict__ numbers,    // [count, 2]: copy and slot, -1 for none
    int rows, int parts, int width, int quads,
    float* slots,                       // [slots, rows, width]
    float* totals,                      // [copies, rows, width]
    const float* __restrict__ from) {   // [rows, width] or null
  eachOfRow(parts, width, quads, [=](auto v, int place, int at) {
    using V = decltype(v);
    const int i = place / rows, row = place % rows;
    const int copy = numbers[2 * i], slot = numbers[2 * i + 1];
    const int64 block = (int64)rows * width, line = (int64)row * width;
    const V d = load<V>(outputs + i * block + line, at) - load<V>(target + line, at);
    if (slot >= 0) store(slots + slot * block + line, at, d);
    if (copy >= 0) {
      float* total = totals + copy * block + line;
      store(total, at, load<V>(from ? from + line : total, at) + d);
    }
  });
}
