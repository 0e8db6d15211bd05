/* Two threads on two devices, two on one, a stop and a close from another thread: threads MODEL */
#include <pthread.h>
#include <stdint.h>

#include "check.h"

enum { SIZE = 37 * 101 };

struct job {
  const char *path;
  float values[SIZE];
  gradpath_status status;
  char error[256];
};

static void *score_alone(void *argument) {
  struct job *job = (struct job *)argument;
  gradpath_device device = NULL;
  gradpath_model model = NULL;
  gradpath_prompts prompts = NULL;
  gradpath_scores scores = NULL;
  job->status = gradpath_device_open("cpu", Z, "{\"threads\": 1}", Z, &device);
  if (!job->status) job->status = gradpath_model_open(device, job->path, Z, NULL, &model);
  if (!job->status) job->status = gradpath_prompts_load(model, "{\"task\": \"ioi\", \"limit\": 10}", Z, NULL, &prompts);
  if (!job->status) job->status = gradpath_score(model, prompts, NULL, 0, NULL, &scores);
  if (!job->status) job->status = gradpath_scores_values(scores, job->values, SIZE, NULL);
  if (job->status) snprintf(job->error, sizeof job->error, "%s", gradpath_last_error());
  gradpath_close(scores);
  gradpath_close(prompts);
  gradpath_close(model);
  gradpath_close(device);
  return NULL;
}

struct race {
  gradpath_model model;
  gradpath_prompts prompts;
  gradpath_stop stop;
  int inside, seen;
};

/* While the main thread is inside a run: a second run, a close and a stop from another thread. */
static void *interfere(void *argument) {
  struct race *race = (struct race *)argument;
  gradpath_scores scores;
  FAILS(GRADPATH_ERROR_BUSY, "run", gradpath_score(race->model, race->prompts, "{\"method\": \"eap\"}", Z, NULL, &scores));
  FAILS(GRADPATH_ERROR_BUSY, "in use", gradpath_close(race->model));
  FAILS(GRADPATH_ERROR_BUSY, "in use", gradpath_close(race->prompts));
  CHECK(says(race->model, "\"n_layers\":4"));
  OK(gradpath_stop_signal(race->stop));
  return NULL;
}

static int on_progress(void *user, uint64_t done, uint64_t total, const char *stage) {
  struct race *race = (struct race *)user;
  (void)done, (void)total, (void)stage;
  if (race->seen++) return 0;
  pthread_t other;
  pthread_create(&other, NULL, interfere, race);
  pthread_join(other, NULL);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  static struct job jobs[3];
  pthread_t threads[2];
  for (int i = 0; i < 3; i++) jobs[i].path = argv[1];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, score_alone, &jobs[i]);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  score_alone(&jobs[2]);
  for (int i = 0; i < 3; i++) {
    CHECK(jobs[i].status == GRADPATH_OK);
    if (jobs[i].status) printf("%s\n", jobs[i].error);
  }
  CHECK(!memcmp(jobs[0].values, jobs[2].values, sizeof jobs[0].values));
  CHECK(!memcmp(jobs[1].values, jobs[2].values, sizeof jobs[0].values));

  struct race race;
  memset(&race, 0, sizeof race);
  gradpath_device device;
  gradpath_scores scores;
  OK(gradpath_device_open("cpu", Z, NULL, 0, &device));
  OK(gradpath_model_open(device, argv[1], Z, NULL, &race.model));
  OK(gradpath_prompts_load(race.model, "{\"task\": \"ioi\", \"limit\": 10}", Z, NULL, &race.prompts));
  OK(gradpath_stop_open(&race.stop));
  gradpath_run run = new_run();
  run.progress = on_progress;
  run.user = &race;
  run.stop = race.stop;
  FAILS(GRADPATH_ERROR_STOPPED, "stopped", gradpath_score(race.model, race.prompts, "{\"method\": \"exact\"}", Z, &run, &scores));
  OK(gradpath_score(race.model, race.prompts, "{\"method\": \"eap\"}", Z, NULL, &scores));
  OK(gradpath_close(scores));
  OK(gradpath_close(race.stop));
  OK(gradpath_close(race.prompts));
  OK(gradpath_close(race.model));
  OK(gradpath_close(device));
  CHECK(gradpath_open_handles() == 0);
  return finish("threads");
}
