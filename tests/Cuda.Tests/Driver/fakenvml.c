// A stand-in for the driver's management library: it knows the GPUs at 0000:40:00.0 to 0000:42:00.0. Signatures as in its manual.
#include <stdio.h>
#include <string.h>

typedef int nvmlReturn;
typedef struct { unsigned long long total, free, used; } nvmlMemory;

static int started;

nvmlReturn nvmlInit_v2(void) { started = 1; return 0; }

nvmlReturn nvmlDeviceGetHandleByPciBusId_v2(const char *id, void **device) {
  int bus;
  if (!started) return 1;
  if (sscanf(id, "0000:%d:00.0", &bus) != 1 || bus < 40 || bus > 42) return 6;
  *device = (void *)(0x7100000000000000ull + (unsigned long long)bus);
  return 0;
}

nvmlReturn nvmlDeviceGetMemoryInfo(void *device, nvmlMemory *memory) {
  unsigned long long bus = (unsigned long long)device - 0x7100000000000000ull;
  memory->total = 80ull << 30;
  memory->free = bus == 41 ? 70ull << 30 : 5ull << 30;
  memory->used = memory->total - memory->free;
  return 0;
}

// The memory's clock is told of the first GPU only.
nvmlReturn nvmlDeviceGetClockInfo(void *device, int kind, unsigned *megahertz) {
  unsigned long long bus = (unsigned long long)device - 0x7100000000000000ull;
  if (kind == 2 && bus != 40) return 3;
  *megahertz = kind == 1 ? 1980u : kind == 2 ? 2619u : 7u;
  return 0;
}

nvmlReturn nvmlSystemGetDriverVersion(char *version, unsigned length) {
  if (length < 80) return 7;
  strcpy(version, "550.54.15");
  return 0;
}
