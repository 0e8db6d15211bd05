/* What a call costs beside the work: overhead MODEL. Prints microseconds; checks nothing but that the calls succeed. */
#define _GNU_SOURCE
#include <stdint.h>
#include <time.h>

#include "check.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  enum { CALLS = 20000, SCORES = 300 };
  gradpath_device device;
  gradpath_model model;
  gradpath_prompts prompts;
  gradpath_scores scores;
  const float *data;
  OK(gradpath_device_open("cpu", Z, "{\"threads\": 1}", Z, &device));
  OK(gradpath_model_open(device, argv[1], Z, NULL, &model));
  OK(gradpath_prompts_load(model, "{\"task\": \"ioi\", \"limit\": 1}", Z, NULL, &prompts));
  OK(gradpath_score(model, prompts, "{\"method\": \"eap\"}", Z, NULL, &scores));
  double start = now();
  for (int i = 0; i < CALLS; i++) failed += gradpath_scores_data(scores, &data, NULL) != 0;
  printf("gradpath_scores_data: %.2f us a call\n", (now() - start) / CALLS);
  OK(gradpath_close(scores));
  start = now();
  for (int i = 0; i < SCORES; i++) {
    failed += gradpath_score(model, prompts, "{\"method\": \"eap\"}", Z, NULL, &scores) != 0;
    failed += gradpath_close(scores) != 0;
  }
  printf("gradpath_score, one prompt pair, eap: %.0f us a call\n", (now() - start) / SCORES);
  OK(gradpath_close(prompts));
  OK(gradpath_close(model));
  OK(gradpath_close(device));
  return finish("overhead");
}
