// The header in C++: a callback that may throw is refused from C++17 on (tests/native/run compiles this with -DTHROWING to see it fail).
#include "gradpath.h"

#ifdef THROWING
static int progress(void *, uint64_t, uint64_t, const char *) { throw 1; }
#else
static int progress(void *, uint64_t, uint64_t, const char *) GRADPATH_NOEXCEPT { return 0; }
#endif

int main() {
  gradpath_run run = {};
  run.size = sizeof run;
  run.progress = progress;
  return run.progress(nullptr, 0, 1, "") + (gradpath_abi() == GRADPATH_ABI ? 0 : 1);
}
