// A stand-in for cuBLAS that multiplies: column-major as the manual has it, on host memory, in double precision.
#include <stddef.h>
#include <stdio.h>

static int live, streams, workspaces, failing;
static int lastCompute, lastAlgorithm, lastTypes, products;
static ptrdiff_t toHost;

static int shorter(int leading, int rows) { return leading < 1 || leading < rows; }

int cublasCreate_v2(void **handle) { *handle = &live; live++; return failing == 1 ? 3 : 0; }
int cublasDestroy_v2(void *handle) { if (handle != &live) return 7; live--; return 0; }
int cublasSetStream_v2(void *handle, void *stream) { streams += handle == &live && stream == (void *)0x51; return failing == 2 ? 7 : 0; }
int cublasSetWorkspace_v2(void *handle, void *memory, size_t bytes) { workspaces += handle == &live && memory == (void *)0x1000 && bytes == 4096; return 0; }

int cublasGemmStridedBatchedEx(void *handle, int opA, int opB, int m, int n, int k, const void *alpha, const void *a, int typeA, int lda,
                               long long stepA, const void *b, int typeB, int ldb, long long stepB, const void *beta, void *c, int typeC,
                               int ldc, long long stepC, int batch, int compute, int algorithm) {
  if (handle != &live || failing == 3) return 13;
  if (shorter(lda, opA ? k : m) || shorter(ldb, opB ? n : k) || shorter(ldc, m) || batch < 0) return 7;
  products++;
  a = (const char *)a + toHost;
  b = (const char *)b + toHost;
  c = (char *)c + toHost;
  lastCompute = compute;
  lastAlgorithm = algorithm;
  lastTypes = typeA + typeB + typeC;
  for (int g = 0; g < batch; g++) {
    const float *pa = (const float *)a + g * stepA, *pb = (const float *)b + g * stepB;
    float *pc = (float *)c + g * stepC;
    for (int j = 0; j < n; j++) {
      for (int i = 0; i < m; i++) {
        double sum = 0;
        for (int p = 0; p < k; p++) {
          sum += (double)(opA ? pa[p + (long long)i * lda] : pa[i + (long long)p * lda]) * (opB ? pb[j + (long long)p * ldb] : pb[p + (long long)j * ldb]);
        }
        float *at = &pc[i + (long long)j * ldc];
        *at = (float)(*(const float *)alpha * sum + (*(const float *)beta == 0 ? 0 : *(const float *)beta * (double)*at));
      }
    }
  }
  return 0;
}

int fakeState(int what) {
  int values[] = {live, streams, workspaces, lastCompute, lastAlgorithm, lastTypes, products};
  return values[what];
}
void fakeFail(int what) { failing = what; }

// What is to be added to the address of device memory to find it on the host.
void fakeHost(ptrdiff_t distance) { toHost = distance; }
