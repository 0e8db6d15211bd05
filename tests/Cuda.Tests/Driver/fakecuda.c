// A stand-in for the driver's library: every function writes its name and arguments as its caller's ABI passed them, fills its out
// parameters with numbers that the test knows, and returns 0 or what the test told it to return. Signatures as in the driver's manual.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long u64;
typedef int CUresult;
typedef int CUdevice;
typedef void *handle;
typedef u64 CUdeviceptr;

static char text[65536];
static size_t used;
static char failing[64];
static CUresult failure;
static const char *compilerLog = "";

#define LOG(...) used += (size_t)snprintf(text + used, sizeof text - used, __VA_ARGS__)
#define RETURN return strcmp(__func__, failing) == 0 ? failure : 0

const char *fakeLog(void) {
  static char copy[65536];
  memcpy(copy, text, used + 1);
  used = 0;
  text[0] = 0;
  return copy;
}

void fakeFail(const char *name, int code) {
  snprintf(failing, sizeof failing, "%s", name);
  failure = code;
}

void fakeCompilerLog(const char *log) { compilerLog = strdup(log); }

CUresult cuInit(unsigned flags) { LOG("cuInit %u\n", flags); RETURN; }
CUresult cuDriverGetVersion(int *v) { *v = 12040; LOG("cuDriverGetVersion\n"); RETURN; }
CUresult cuGetErrorName(CUresult e, const char **s) {
  *s = e == 805 ? "CUDA_ERROR_MPS_CONNECTION_FAILED" : 0;
  return e == 805 ? 0 : 1;
}
CUresult cuGetErrorString(CUresult e, const char **s) {
  *s = e == 805 ? "MPS client failed to connect" : 0;
  return e == 805 ? 0 : 1;
}
CUresult cuDeviceGetCount(int *n) { *n = 3; LOG("cuDeviceGetCount\n"); RETURN; }
CUresult cuDeviceGet(CUdevice *d, int ordinal) { *d = 40 + ordinal; LOG("cuDeviceGet %d\n", ordinal); RETURN; }
CUresult cuDeviceGetName(char *name, int length, CUdevice d) { snprintf(name, (size_t)length, "Fake GPU"); LOG("cuDeviceGetName %d %d\n", length, d); RETURN; }
CUresult cuDeviceGetAttribute(int *v, int attribute, CUdevice d) { *v = 1000 + attribute; LOG("cuDeviceGetAttribute %d %d\n", attribute, d); RETURN; }
CUresult cuDeviceTotalMem_v2(size_t *n, CUdevice d) { *n = 0x123456789aull; LOG("cuDeviceTotalMem_v2 %d\n", d); RETURN; }
CUresult cuDeviceGetPCIBusId(char *id, int length, CUdevice d) { snprintf(id, (size_t)length, "0000:%02d:00.0", d); LOG("cuDeviceGetPCIBusId %d %d\n", length, d); RETURN; }
CUresult cuDevicePrimaryCtxRetain(handle *c, CUdevice d) { *c = (handle)0x7000000000000001; LOG("cuDevicePrimaryCtxRetain %d\n", d); RETURN; }
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice d) { LOG("cuDevicePrimaryCtxRelease_v2 %d\n", d); RETURN; }
CUresult cuCtxSetCurrent(handle c) { LOG("cuCtxSetCurrent %p\n", c); RETURN; }
CUresult cuMemGetInfo_v2(size_t *f, size_t *t) { *f = 0x1111111111ull; *t = 0x2222222222ull; LOG("cuMemGetInfo_v2\n"); RETURN; }

// As the driver does: numbers are the slots themselves, and what comes back is written over them.
static void **linkValues;
static int *linkOptions;
static unsigned linkCount;
static char linked[16];

static void readOptions(unsigned n, int *options, void **values) {
  char *error = 0;
  for (unsigned i = 0; i < n; i++) {
    LOG(" %d", options[i]);
    if (options[i] == 5) error = values[i];
    else if (options[i] == 3) continue;
    else LOG("=%llu", (u64)values[i]);
  }
  if (error) strcpy(error, compilerLog);
  LOG("\n");
}

CUresult cuModuleLoadDataEx(handle *m, const void *image, unsigned n, int *options, void **values) {
  *m = (handle)0x7000000000000002;
  LOG("cuModuleLoadDataEx [%s] %u:", (const char *)image, n);
  readOptions(n, options, values);
  RETURN;
}

CUresult cuLinkCreate_v2(unsigned n, int *options, void **values, handle *link) {
  *link = (handle)0x7000000000000008;
  linkCount = n;
  linkOptions = options;
  linkValues = values;
  LOG("cuLinkCreate_v2 %u:", n);
  readOptions(n, options, values);
  RETURN;
}

CUresult cuLinkAddData_v2(handle link, int kind, void *data, size_t n, const char *name, unsigned options, int *o, void **v) {
  LOG("cuLinkAddData_v2 %p %d [%s] %zu [%s] %u %p %p\n", link, kind, (const char *)data, n, name, options, (void *)o, (void *)v);
  RETURN;
}

CUresult cuLinkComplete(handle link, void **image, size_t *n) {
  memcpy(linked, "cubin\0made", 10);
  *image = linked;
  *n = 10;
  for (unsigned i = 0; i < linkCount; i++) {
    if (linkOptions[i] == 2) *(float *)(linkValues + i) = 1234.5f;
    else if (linkOptions[i] == 3) strcpy(linkValues[i], "ptxas info : Used 40 registers");
    else if (linkOptions[i] == 4) *(unsigned *)(linkValues + i) = 30;
  }
  LOG("cuLinkComplete %p\n", link);
  RETURN;
}

CUresult cuLinkDestroy(handle link) {
  // The image is the linker's and goes with it.
  memset(linked, 0, sizeof linked);
  LOG("cuLinkDestroy %p\n", link);
  RETURN;
}

CUresult cuModuleUnload(handle m) { LOG("cuModuleUnload %p\n", m); RETURN; }
CUresult cuModuleGetFunction(handle *f, handle m, const char *name) { *f = (handle)0x7000000000000003; LOG("cuModuleGetFunction %p [%s]\n", m, name); RETURN; }
CUresult cuFuncGetAttribute(int *v, int attribute, handle f) { *v = 500 + attribute; LOG("cuFuncGetAttribute %d %p\n", attribute, f); RETURN; }
CUresult cuFuncSetAttribute(handle f, int attribute, int v) { LOG("cuFuncSetAttribute %p %d %d\n", f, attribute, v); RETURN; }
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *n, handle f, int threads, size_t shared) { *n = 3; LOG("cuOccupancyMaxActiveBlocksPerMultiprocessor %p %d %zu\n", f, threads, shared); RETURN; }
CUresult cuMemAlloc_v2(CUdeviceptr *p, size_t n) { *p = 0x7f0000000100ull; LOG("cuMemAlloc_v2 %zu\n", n); RETURN; }
CUresult cuMemFree_v2(CUdeviceptr p) { LOG("cuMemFree_v2 %llx\n", p); RETURN; }
CUresult cuMemHostAlloc(void **p, size_t n, unsigned flags) { *p = (void *)0x7f0000000200ull; LOG("cuMemHostAlloc %zu %u\n", n, flags); RETURN; }
CUresult cuMemFreeHost(void *p) { LOG("cuMemFreeHost %p\n", p); RETURN; }
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr t, const void *s, size_t n, handle st) { LOG("cuMemcpyHtoDAsync_v2 %llx %p %zu %p\n", t, s, n, st); RETURN; }
CUresult cuMemcpyDtoHAsync_v2(void *t, CUdeviceptr s, size_t n, handle st) { LOG("cuMemcpyDtoHAsync_v2 %p %llx %zu %p\n", t, s, n, st); RETURN; }
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr t, CUdeviceptr s, size_t n, handle st) { LOG("cuMemcpyDtoDAsync_v2 %llx %llx %zu %p\n", t, s, n, st); RETURN; }
CUresult cuMemsetD8Async(CUdeviceptr t, unsigned char v, size_t n, handle st) { LOG("cuMemsetD8Async %llx %u %zu %p\n", t, v, n, st); RETURN; }
CUresult cuStreamCreate(handle *st, unsigned flags) { *st = (handle)0x7000000000000004; LOG("cuStreamCreate %u\n", flags); RETURN; }
CUresult cuStreamDestroy_v2(handle st) { LOG("cuStreamDestroy_v2 %p\n", st); RETURN; }
CUresult cuStreamSynchronize(handle st) { LOG("cuStreamSynchronize %p\n", st); RETURN; }
CUresult cuStreamBeginCapture_v2(handle st, int mode) { LOG("cuStreamBeginCapture_v2 %p %d\n", st, mode); RETURN; }
CUresult cuStreamEndCapture(handle st, handle *g) { *g = (handle)0x7000000000000005; LOG("cuStreamEndCapture %p\n", st); RETURN; }
CUresult cuEventCreate(handle *e, unsigned flags) { *e = (handle)0x7000000000000006; LOG("cuEventCreate %u\n", flags); RETURN; }
CUresult cuEventDestroy_v2(handle e) { LOG("cuEventDestroy_v2 %p\n", e); RETURN; }
CUresult cuEventRecord(handle e, handle st) { LOG("cuEventRecord %p %p\n", e, st); RETURN; }
CUresult cuEventSynchronize(handle e) { LOG("cuEventSynchronize %p\n", e); RETURN; }
CUresult cuEventElapsedTime(float *ms, handle a, handle b) { *ms = 1.5f; LOG("cuEventElapsedTime %p %p\n", a, b); RETURN; }

CUresult cuLaunchKernel(handle f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, handle st,
                        void **arguments, void **extra) {
  LOG("cuLaunchKernel %p (%u %u %u) (%u %u %u) %u %p extra %p:", f, gx, gy, gz, bx, by, bz, shared, st, (void *)extra);
  // As the driver does: each parameter is read through its address, with the width that the kernel declares.
  if (arguments) {
    LOG(" %llx %d %g %lld", *(u64 *)arguments[0], *(int *)arguments[1], (double)*(float *)arguments[2], *(long long *)arguments[3]);
  }
  LOG("\n");
  RETURN;
}

CUresult cuGraphInstantiateWithFlags(handle *e, handle g, u64 flags) { *e = (handle)0x7000000000000007; LOG("cuGraphInstantiateWithFlags %p %llu\n", g, flags); RETURN; }
CUresult cuGraphLaunch(handle e, handle st) { LOG("cuGraphLaunch %p %p\n", e, st); RETURN; }
CUresult cuGraphDestroy(handle g) { LOG("cuGraphDestroy %p\n", g); RETURN; }
CUresult cuGraphExecDestroy(handle e) { LOG("cuGraphExecDestroy %p\n", e); RETURN; }
