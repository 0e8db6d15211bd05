/* The little that the tests in C share. A test prints what went wrong and counts it; main ends with the numbers. */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradpath.h"

#define Z GRADPATH_ZERO_TERMINATED

static int passed, failed;

#define CHECK(condition)                                                    \
  do {                                                                      \
    if (condition) {                                                        \
      passed++;                                                             \
    } else {                                                                \
      failed++;                                                             \
      printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);        \
    }                                                                       \
  } while (0)

/* A call that must succeed. */
#define OK(call)                                                                                      \
  do {                                                                                                \
    gradpath_status status_ = (call);                                                                 \
    if (status_ == GRADPATH_OK) {                                                                     \
      passed++;                                                                                       \
    } else {                                                                                          \
      failed++;                                                                                       \
      printf("%s:%d: %s: error %d, %s\n", __FILE__, __LINE__, #call, status_, gradpath_last_error()); \
    }                                                                                                 \
  } while (0)

/* A call that must fail with a status and a message that has some words in it. */
#define FAILS(expected, words, call)                                                                                       \
  do {                                                                                                                     \
    gradpath_status status_ = (call);                                                                                      \
    if (status_ == (expected) && strstr(gradpath_last_error(), words)) {                                                   \
      passed++;                                                                                                            \
    } else {                                                                                                               \
      failed++;                                                                                                            \
      printf("%s:%d: %s: %d instead of %d, '%s' should say '%s'\n", __FILE__, __LINE__, #call, status_, expected,          \
             gradpath_last_error(), words);                                                                                \
    }                                                                                                                      \
  } while (0)

static inline int finish(const char *name) {
  printf("%s: %d passed, %d failed\n", name, passed, failed);
  return failed != 0;
}

static inline char *describe(void *handle) {
  size_t length;
  if (gradpath_describe(handle, NULL, 0, &length)) return NULL;
  char *text = (char *)malloc(length + 1);
  if (gradpath_describe(handle, text, length + 1, &length)) {
    free(text);
    return NULL;
  }
  return text;
}

/* Whether the description of a handle has some words in it. */
static inline int says(void *handle, const char *words) {
  char *text = describe(handle);
  int found = text && strstr(text, words);
  if (!found) printf("'%.300s' does not say '%s'\n", text ? text : gradpath_last_error(), words);
  free(text);
  return found;
}

static inline gradpath_run new_run(void) {
  gradpath_run run;
  memset(&run, 0, sizeof run);
  run.size = sizeof run;
  return run;
}

#endif
