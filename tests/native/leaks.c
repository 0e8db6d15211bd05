/* Opens, scores, selects, evaluates and closes again and again: leaks MODEL LOOPS. The memory of the process must not grow behind the first
 * tenth of the loops. */
#include <stdint.h>

#include "check.h"

static long resident_kib(void) {
  char line[256];
  long kib = -1;
  FILE *file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "VmRSS: %ld kB", &kib) == 1) break;
  }
  if (file) fclose(file);
  return kib;
}

static int never(void *user, uint64_t done, uint64_t total, const char *stage) {
  (void)user, (void)done, (void)total, (void)stage;
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int loops = atoi(argv[2]);
  long before = 0, largest = 0;
  for (int i = 0; i < loops; i++) {
    gradpath_device device;
    gradpath_model model;
    gradpath_prompts prompts;
    gradpath_scores scores;
    gradpath_circuit circuit;
    gradpath_result result;
    gradpath_stop stop;
    const float *data;
    OK(gradpath_device_open("cpu", Z, "{\"threads\": 2}", Z, &device));
    OK(gradpath_model_open(device, argv[1], Z, NULL, &model));
    OK(gradpath_prompts_load(model, "{\"task\": \"ioi\", \"limit\": 2}", Z, NULL, &prompts));
    OK(gradpath_stop_open(&stop));
    gradpath_run run = new_run();
    run.progress = never;
    run.stop = stop;
    OK(gradpath_score(model, prompts, "{\"method\": \"eap\"}", Z, &run, &scores));
    OK(gradpath_scores_data(scores, &data, NULL));
    OK(gradpath_circuit_select(scores, "{\"top-n\": 20}", Z, &circuit));
    OK(gradpath_evaluate(model, prompts, &circuit, 1, NULL, 0, &run, &result));
    gradpath_scores none;
    FAILS(GRADPATH_ERROR_ARGUMENT, "stepz", gradpath_score(model, prompts, "{\"stepz\": 1}", Z, NULL, &none));
    OK(gradpath_close(scores));
    OK(gradpath_close(result));
    OK(gradpath_close(circuit));
    OK(gradpath_close(stop));
    OK(gradpath_close(prompts));
    OK(gradpath_close(model));
    OK(gradpath_close(device));
    if (i == loops / 10) before = resident_kib();
    if (i > loops / 10 && resident_kib() > largest) largest = resident_kib();
  }
  CHECK(gradpath_open_handles() == 0);
  printf("resident after a tenth of %d loops: %ld KiB, at most from then on: %ld KiB\n", loops, before, largest);
  /* The collector of the runtime takes a little more or less; a leak of one model would be 3 MiB in each loop. */
  CHECK(loops < 100 || largest < before + 32 * 1024);
  if (!failed) passed = loops; /* a loop is one test */
  return finish("leaks");
}
