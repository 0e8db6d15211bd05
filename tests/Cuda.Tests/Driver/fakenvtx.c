// Stands in for NVIDIA's library of ranges: writes down what it is told.
#include <string.h>

static char text[4096];

int nvtxRangePushA(const char *name) {
  strncat(text, "(", sizeof text - strlen(text) - 1);
  strncat(text, name, sizeof text - strlen(text) - 1);
  return 0;
}

int nvtxRangePop(void) {
  strncat(text, ")", sizeof text - strlen(text) - 1);
  return 0;
}

const char *fakeRanges(void) { return text; }
