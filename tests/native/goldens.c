/* Golden scores through the C library: goldens MODEL PROMPTS FILE. The file holds, for each golden, a line of options, a line with the
 * tolerance, and the matrix in float64 (tests/native/golden_inputs). */
#include <stdint.h>

#include "check.h"

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  char options[512], line[64];
  size_t count = 0;
  gradpath_device device;
  gradpath_model model;
  gradpath_prompts prompts;
  gradpath_scores scores;
  const float *values;
  double worst = 0;
  OK(gradpath_device_open("cpu", Z, NULL, 0, &device));
  OK(gradpath_model_open(device, argv[1], Z, NULL, &model));
  snprintf(options, sizeof options, "{\"data\": \"%s\"}", argv[2]);
  OK(gradpath_prompts_load(model, options, Z, NULL, &prompts));
  FILE *file = fopen(argv[3], "rb");
  if (!file || failed) return 1;
  while (fgets(options, sizeof options, file) && fgets(line, sizeof line, file)) {
    double tolerance = atof(line), largest = 0, error = 0;
    OK(gradpath_score(model, prompts, options, Z, NULL, &scores));
    OK(gradpath_scores_data(scores, &values, &count));
    for (size_t i = 0; i < count; i++) {
      double golden;
      if (fread(&golden, sizeof golden, 1, file) != 1) return 1;
      if (fabs(golden) > largest) largest = fabs(golden);
      if (fabs(golden - values[i]) > error) error = fabs(golden - values[i]);
    }
    CHECK(largest > 0 && error <= tolerance * largest);
    if (error > tolerance * largest) printf("%.200s: %g of the largest\n", options, error / largest);
    if (error / largest > worst) worst = error / largest;
    OK(gradpath_close(scores));
  }
  fclose(file);
  printf("largest difference from a golden: %.1e of the largest score\n", worst);
  OK(gradpath_close(prompts));
  OK(gradpath_close(model));
  OK(gradpath_close(device));
  return finish("goldens");
}
