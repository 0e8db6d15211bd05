/* Median microseconds of the smallest score from C: call MODEL CALLS. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gradpath.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  const size_t zero = GRADPATH_ZERO_TERMINATED;
  gradpath_device device;
  gradpath_model model;
  gradpath_prompts prompts;
  gradpath_scores scores;
  if (argc != 3) return 2;
  int calls = atoi(argv[2]);
  double *times = malloc(sizeof *times * calls);
  if (gradpath_device_open("cpu", zero, "{\"threads\": 1}", zero, &device) || gradpath_model_open(device, argv[1], zero, NULL, &model) ||
      gradpath_prompts_load(model, "{\"task\": \"ioi\", \"limit\": 1}", zero, NULL, &prompts)) {
    fprintf(stderr, "%s\n", gradpath_last_error());
    return 1;
  }
  for (int i = -calls; i < calls; i++) {
    double start = now();
    if (gradpath_score(model, prompts, "{\"method\": \"eap\"}", zero, NULL, &scores) || gradpath_close(scores)) return 1;
    if (i >= 0) times[i] = now() - start;
  }
  qsort(times, calls, sizeof *times, compare);
  printf("%.1f\n", times[calls / 2]);
  free(times);
  return 0;
}
