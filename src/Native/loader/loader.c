/* libgradpath.so: finds the engine that suits the processor and hands every call on to it.
 *
 * The engine is compiled ahead of time, once for each width of vectors, because such code cannot choose its width while it runs. The
 * engines lie beside this file: libgradpath-x86-64-v4.so (512 bits), -v3.so (256 bits), -v2.so (128 bits). Each call is one jump through a
 * table that is filled when the library is loaded. Where no engine can be loaded every function fails with a message.
 *
 * GRADPATH_CPU=x86-64-v2, -v3 or -v4 asks for an engine, which the processor must be able to run.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradpath.h"

/* functions.inc lists the functions of gradpath.h, as GRADPATH_FUNCTION(name); src/Native/build makes it from the header. */
#define GRADPATH_FUNCTION(name) \
  extern void *gradpath_slot_##name __attribute__((visibility("hidden"))); \
  void *gradpath_slot_##name; \
  __asm__(".text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n endbr64\n jmp *gradpath_slot_" #name \
          "(%rip)\n.size " #name ", . - " #name "\n");
#include "functions.inc"
#undef GRADPATH_FUNCTION

struct function {
  const char *name;
  void **slot;
};

static const struct function functions[] = {
#define GRADPATH_FUNCTION(name) {#name, &gradpath_slot_##name},
#include "functions.inc"
#undef GRADPATH_FUNCTION
};

static const char *const levels[] = {"x86-64-v4", "x86-64-v3", "x86-64-v2"};

static char message[1024] = "libgradpath.so has not been set up";

static int fails(void) { return GRADPATH_ERROR_UNUSABLE; }

static const char *failed(void) { return message; }

static uint32_t no_abi(void) { return 0; }

/* Processors that lower their clock for 512-bit vectors, which the .NET runtime therefore does not use there: Skylake-X and its kin. */
static int throttles(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(0, &a, &b, &c, &d) || b != signature_INTEL_ebx) return 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  unsigned family = (a >> 8) & 15, model = ((a >> 4) & 15) | ((a >> 12) & 0xf0);
  return family == 6 && model == 0x55;
}

static int runs(int level) {
  __builtin_cpu_init();
  switch (level) {
    case 0: return __builtin_cpu_supports("x86-64-v4");
    case 1: return __builtin_cpu_supports("x86-64-v3");
    default: return __builtin_cpu_supports("x86-64-v2");
  }
}

static int choose(void) {
  const char *asked = getenv("GRADPATH_CPU");
  if (asked && *asked) {
    for (int level = 0; level < 3; level++) {
      if (strcmp(asked, levels[level])) continue;
      if (runs(level)) return level;
      snprintf(message, sizeof message, "GRADPATH_CPU=%.32s: this processor does not have these instructions", asked);
      return -1;
    }
    snprintf(message, sizeof message, "GRADPATH_CPU=%.32s: choose x86-64-v2, x86-64-v3 or x86-64-v4", asked);
    return -1;
  }
  for (int level = throttles() ? 1 : 0; level < 3; level++) {
    if (runs(level)) return level;
  }
  snprintf(message, sizeof message, "this processor does not have the instructions of x86-64-v2 (SSE4.2, POPCNT), which are needed");
  return -1;
}

static void *open_engine(void) {
  int level = choose();
  if (level < 0) return NULL;
  Dl_info self;
  if (!dladdr((void *)&fails, &self) || !self.dli_fname) {
    snprintf(message, sizeof message, "libgradpath.so does not know where it lies");
    return NULL;
  }
  const char *slash = strrchr(self.dli_fname, '/');
  int folder = slash ? (int)(slash - self.dli_fname) + 1 : 0;
  char path[4096];
  if (snprintf(path, sizeof path, "%.*slibgradpath-%s.so", folder, self.dli_fname, levels[level]) >= (int)sizeof path) {
    snprintf(message, sizeof message, "the folder of libgradpath.so has too long a name");
    return NULL;
  }
  void *engine = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!engine) snprintf(message, sizeof message, "the engine cannot be loaded: %.900s", dlerror());
  return engine;
}

static void *missing(const char *name) {
  if (!strcmp(name, "gradpath_last_error")) return (void *)&failed;
  if (!strcmp(name, "gradpath_abi") || !strcmp(name, "gradpath_open_handles")) return (void *)&no_abi;
  return (void *)&fails;
}

static void give_up(void) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) *functions[i].slot = missing(functions[i].name);
}

/* In a child. The threads of the engine's runtime did not come along, so that its first wait would be its last. */
static void after_fork(void) {
  snprintf(message, sizeof message, "this process has forked, and libgradpath.so was loaded before; start a new process instead");
  give_up();
}

__attribute__((constructor)) static void set_up(void) {
  void *engine = open_engine();
  size_t count = sizeof functions / sizeof *functions;
  for (size_t i = 0; i < count && engine; i++) {
    *functions[i].slot = dlsym(engine, functions[i].name);
    if (*functions[i].slot) continue;
    snprintf(message, sizeof message, "the engine lacks %s: it is of another version than libgradpath.so", functions[i].name);
    engine = NULL;
  }
  if (!engine) give_up();
  pthread_atfork(NULL, NULL, after_fork);
}
