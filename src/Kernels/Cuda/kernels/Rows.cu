// Rows: gathering, scattering and combining rows, elementwise. Each kernel reads every operand and writes its result once, which is the
// least possible; one thread makes one element (four floats where alignment allows), neighbours lie side by side.
// Row kernels: a block makes part blockX() % parts of row blockX() / parts. Run kernels: a block makes threads() elements in a row.
#include "rows.cuh"

// output[b * count + i] = table[b * block + indices[i]] (+ addend[b * count + i])
KERNEL gatherRows(
    const float* __restrict__ table,    // [blocks, *, width]
    int64 block,                        // floats from one block to the next
    const int* __restrict__ indices,    // [count]
    int count,
    const float* addend,                // [blocks * count, width] or null; may be output
    int parts, int width, int quads,
    float* output) {                    // [blocks * count, width]
  eachOfRow(parts, width, quads, [=](auto v, int64 row, int at) {
    using V = decltype(v);
    V sum = load<V>(table + (int)row / count * block + (int64)indices[(int)row % count] * width, at);
    if (addend) sum = sum + load<V>(addend + row * width, at);
    store(output + row * width, at, sum);
  });
}

// target[indices[i]] += source[i]; no index occurs twice.
KERNEL scatterAddRows(
    const float* __restrict__ source,  // [rows, width]
    const int* __restrict__ indices,   // [rows]
    int parts, int width, int quads,
    float* target) {                   // [*, width]
  eachOfRow(parts, width, quads, [=](auto v, int64 row, int at) {
    using V = decltype(v);
    float* to = target + (int64)indices[row] * width;
    store(to, at, load<V>(to, at) + load<V>(source + row * width, at));
  });
}

// output[r] = factors[r mod period] x[r]
KERNEL scaleRows(
    const float* x,                     // [rows, width]
    const float* __restrict__ factors,  // [period]
    int period, int parts, int width, int quads,
    float* output) {                    // [rows, width]; may be x
  eachOfRow(parts, width, quads, [=](auto v, int64 row, int at) {
    using V = decltype(v);
    store(output + row * width, at, load<V>(x + row * width, at) * factors[(int)row % period]);
  });
}

// x[r] -= y[r mod period]
KERNEL subtractRows(
    float* x,                     // [rows, width]
    const float* __restrict__ y,  // [period, width]
    int period, int parts, int width, int quads) {
  eachOfRow(parts, width, quads, [=](auto v, int64 row, int at) {
    using V = decltype(v);
    float* to = x + row * width;
    store(to, at, load<V>(to, at) - load<V>(y + (int64)((int)row % period) * width, at));
  });
}

// target[r] = source[r], with a stride each
KERNEL copyMatrix(
    const float* __restrict__ source, int sourceStride,
    int parts, int width, int quads,
    float* __restrict__ target, int targetStride) {
  eachOfRow(parts, width, quads, [=](auto v, int64 row, int at) {
    using V = decltype(v);
    store(target + row * targetStride, at, load<V>(source + row * sourceStride, at));
  });
}

// output = alpha a + beta b; with beta = 0, b is not read.
KERNEL combine(
    float alpha,
    const float* a,   // [length]
    float beta,
    const float* b,   // [length]
    int64 length, int quads,
    float* output) {  // [length]; may be a or b
  eachOfRun(length, quads, [=](auto v, int64 at) {
    using V = decltype(v);
    V sum = load<V>(a + at, 0) * alpha;
    if (beta != 0) sum = sum + load<V>(b + at, 0) * beta;
    store(output + at, 0, sum);
  });
}

// output[r, j] = factors[j / rowWidth] (alpha a[r, j] + beta b[r, j]), with a stride each; with beta = 0, b is not read.
KERNEL combineBlocks(
    float alpha,
    const float* a, int strideA,        // [blocks, width]
    float beta,
    const float* b, int strideB,        // [blocks, width]
    const float* __restrict__ factors,  // [width / rowWidth] or null
    int rowWidth, int parts, int width, int quads,
    float* output, int stride) {        // [blocks, width]; may be a or b
  eachOfRow(parts, width, quads, [=](auto v, int64 row, int at) {
    using V = decltype(v);
    V sum = load<V>(a + row * strideA, at) * alpha;
    if (beta != 0) sum = sum + load<V>(b + row * strideB, at) * beta;
    if (factors) sum = sum * factors[at * kFloats<V> / rowWidth];
    store(output + row * stride, at, sum);
  });
}

// target = value
KERNEL fill(float* target, float value, int64 length, int quads) {
  eachOfRun(length, quads, [=](auto v, int64 at) { store(target + at, 0, splat<decltype(v)>(value)); });
}

// matrix[j, i] = matrix[i, j] for i < j. A block carries one tile across the diagonal through shared memory (a column more, so that
// columns of the tile lie in different banks); of grid (tiles, tiles) the blocks below the diagonal have nothing to do.
KERNEL __launch_bounds__(kMirrorTile * kMirrorTileRows) mirrorUpperTriangle(float* matrix, int size) {
  __shared__ float tile[kMirrorTile][kMirrorTile + 1];
  const int from = blockY() * kMirrorTile, to = blockX() * kMirrorTile;
  if (from > to) return;
  const int column = threadX() % kMirrorTile;
  for (int row = threadX() / kMirrorTile; row < kMirrorTile; row += kMirrorTileRows) {
    if (from + row < size && to + column < size) tile[row][column] = matrix[(int64)(from + row) * size + to + column];
  }
  barrier();
  for (int row = threadX() / kMirrorTile; row < kMirrorTile; row += kMirrorTileRows) {
    const int i = to + row, j = from + column;
    if (i < size && i > j) matrix[(int64)i * size + j] = tile[column][row];
  }
}
