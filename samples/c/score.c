/* Scores prompts of a task, selects a circuit and says how faithful it is.
 *
 *   gcc score.c -I. -L. -lgradpath -Wl,-rpath,'$ORIGIN' -o score     in a folder with gradpath.h and the libraries
 *   ./score DIRECTORY_OF_A_MODEL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradpath.h"

static void require(gradpath_status status) {
  if (status == GRADPATH_OK) return;
  fprintf(stderr, "error %d: %s\n", status, gradpath_last_error());
  exit(1);
}

static int progress(void *user, uint64_t done, uint64_t total, const char *stage) {
  (void)user;
  fprintf(stderr, "\r%s: %3.0f %%", stage, 100.0 * done / total);
  return 0; /* anything else stops the run */
}

int main(int argc, char **argv) {
  const size_t zero = GRADPATH_ZERO_TERMINATED;
  gradpath_device device;
  gradpath_model model;
  gradpath_prompts prompts;
  gradpath_scores scores;
  gradpath_circuit circuit;
  gradpath_result result;
  const float *values;
  size_t count;
  if (argc != 2) return 2;

  require(gradpath_device_open("auto", zero, NULL, 0, &device));
  require(gradpath_model_open(device, argv[1], zero, NULL, &model));
  require(gradpath_prompts_load(model, "{\"task\": \"ioi\", \"limit\": 20}", zero, NULL, &prompts));

  gradpath_run run;
  memset(&run, 0, sizeof run);
  run.size = sizeof run;
  run.progress = progress;
  require(gradpath_score(model, prompts, "{\"method\": \"eap-gp\", \"steps\": 5}", zero, &run, &scores));
  require(gradpath_scores_data(scores, &values, &count)); /* [writers, readers], row-major */
  require(gradpath_scores_save(scores, "scores.json", zero));
  fprintf(stderr, "\n%zu scores in scores.json\n", count);

  require(gradpath_circuit_select(scores, "{\"top-n\": 200}", zero, &circuit)); /* pruned, unless "prune" is false */
  require(gradpath_evaluate(model, prompts, &circuit, 1, NULL, 0, NULL, &result));
  require(gradpath_describe(result, NULL, 0, &count)); /* how long the JSON is */
  char *json = malloc(count + 1);
  require(gradpath_describe(result, json, count + 1, NULL));
  puts(json);
  free(json);

  gradpath_close(result);
  gradpath_close(circuit);
  gradpath_close(scores);
  gradpath_close(prompts);
  gradpath_close(model);
  gradpath_close(device);
  return 0;
}
