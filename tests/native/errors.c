#define _GNU_SOURCE
/* Every kind of wrong use ends in an error and a message: errors MODEL FOLDER */
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int stops(void *user, uint64_t done, uint64_t total, const char *stage) {
  (void)user, (void)done, (void)total, (void)stage;
  return 1;
}

/* A callback that begins a run of its own. */
struct nested {
  gradpath_model model;
  gradpath_prompts prompts;
  int calls;
};

static int nests(void *user, uint64_t done, uint64_t total, const char *stage) {
  struct nested *n = (struct nested *)user;
  gradpath_scores scores;
  (void)done, (void)total, (void)stage;
  if (n->calls++) return 0;
  FAILS(GRADPATH_ERROR_BUSY, "a callback", gradpath_score(n->model, n->prompts, NULL, 0, NULL, &scores));
  CHECK(says(n->prompts, "\"n_pairs\":4"));
  return 0;
}

static int breaks(void *user, size_t pair, const float *logits, const float *clean_logits, size_t vocabulary, float *gradient,
                  double *value) {
  (void)pair, (void)logits, (void)clean_logits, (void)vocabulary, (void)gradient;
  *value = NAN;
  return *(int *)user;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  char small[4], path[4096];
  size_t n = 0, size = 37 * 101;
  float *values = (float *)calloc(size + 1, sizeof *values);
  uint8_t *edges = (uint8_t *)calloc(size + 1, 1);
  gradpath_device device, none = NULL, made;
  gradpath_model model, no_model;
  gradpath_prompts prompts, no_prompts;
  gradpath_scores scores, no_scores;
  gradpath_circuit circuit, no_circuit;
  gradpath_result result;
  gradpath_stop stop;
  gradpath_tokenizer tokenizer;
  int32_t ids[4] = {0, 1, -1, 99999};
  OK(gradpath_device_open("cpu", Z, NULL, 0, &device));
  OK(gradpath_model_open(device, argv[1], Z, NULL, &model));
  OK(gradpath_prompts_load(model, "{\"task\": \"ioi\", \"limit\": 4}", Z, NULL, &prompts));
  OK(gradpath_score(model, prompts, "{\"method\": \"eap\"}", Z, NULL, &scores));
  OK(gradpath_circuit_select(scores, "{\"top-n\": 40}", Z, &circuit));
  OK(gradpath_tokenizer_open(argv[1], Z, &tokenizer));
  OK(gradpath_stop_open(&stop));

  /* Handles. */
  FAILS(GRADPATH_ERROR_HANDLE, "model is NULL", gradpath_score(NULL, prompts, NULL, 0, NULL, &no_scores));
  CHECK(no_scores == NULL);
  FAILS(GRADPATH_ERROR_HANDLE, "kind prompts; one of kind model", gradpath_score((gradpath_model)prompts, prompts, NULL, 0, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_HANDLE, "not a handle", gradpath_score((gradpath_model)&n, prompts, NULL, 0, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_HANDLE, "not a handle", gradpath_describe((void *)(intptr_t)-5, small, sizeof small, &n));
  FAILS(GRADPATH_ERROR_HANDLE, "not a handle", gradpath_close((void *)(intptr_t)7));
  FAILS(GRADPATH_ERROR_HANDLE, "stop is NULL", gradpath_stop_signal(NULL));
  gradpath_stop closed = stop;
  OK(gradpath_close(stop));
  FAILS(GRADPATH_ERROR_HANDLE, "was closed", gradpath_close(closed));
  FAILS(GRADPATH_ERROR_HANDLE, "was closed", gradpath_stop_signal(closed));
  OK(gradpath_stop_open(&stop)); /* in the same place */
  CHECK(stop != closed);
  FAILS(GRADPATH_ERROR_HANDLE, "was closed", gradpath_stop_signal(closed));
  gradpath_run run = new_run();
  run.stop = closed;
  FAILS(GRADPATH_ERROR_HANDLE, "run.stop", gradpath_score(model, prompts, NULL, 0, &run, &no_scores));

  /* Null and lengths. */
  FAILS(GRADPATH_ERROR_ARGUMENT, "device is NULL", gradpath_device_open("cpu", Z, NULL, 0, NULL));
  FAILS(GRADPATH_ERROR_ARGUMENT, "name is NULL", gradpath_device_open(NULL, 3, NULL, 0, &made));
  FAILS(GRADPATH_ERROR_ARGUMENT, "name is empty", gradpath_device_open("", 0, NULL, 0, &made));
  FAILS(GRADPATH_ERROR_ARGUMENT, "zero byte", gradpath_device_open("cpu", 4, NULL, 0, &made));
  FAILS(GRADPATH_ERROR_ARGUMENT, "options is NULL", gradpath_device_open("cpu", 3, NULL, 9, &made));
  FAILS(GRADPATH_ERROR_ARGUMENT, "scores is NULL", gradpath_score(model, prompts, NULL, 0, NULL, NULL));
  FAILS(GRADPATH_ERROR_ARGUMENT, "both NULL", gradpath_version(NULL, 0, NULL));
  FAILS(GRADPATH_ERROR_ARGUMENT, "both NULL", gradpath_scores_values(scores, NULL, 0, NULL));
  FAILS(GRADPATH_ERROR_ARGUMENT, "circuits is NULL", gradpath_evaluate(model, prompts, NULL, 2, NULL, 0, NULL, &result));
  FAILS(GRADPATH_ERROR_ARGUMENT, "at least one", gradpath_evaluate(model, prompts, &circuit, 0, NULL, 0, NULL, &result));
  FAILS(GRADPATH_ERROR_HANDLE, "circuits[0]", gradpath_evaluate(model, prompts, (gradpath_circuit *)&none, 1, NULL, 0, NULL, &result));
  FAILS(GRADPATH_ERROR_ARGUMENT, "json is NULL", gradpath_prompts_parse(model, NULL, 0, NULL, 0, &no_prompts));
  FAILS(GRADPATH_ERROR_ARGUMENT, "values is NULL", gradpath_scores_from_values(4, 8, NULL, size, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "37 x 101", gradpath_scores_from_values(4, 8, values, size + 1, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "from 1 on", gradpath_scores_from_values(0, 8, values, size, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "layers and heads", gradpath_scores_from_values(4000000000u, 2, values, size, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "37 x 101", gradpath_circuit_from_edges(4, 8, edges, 3, NULL, &no_circuit));
  edges[5] = 2;
  FAILS(GRADPATH_ERROR_ARGUMENT, "edges[5] is 2", gradpath_circuit_from_edges(4, 8, edges, size, NULL, &no_circuit));
  edges[5] = 0;
  edges[36 * 101] = 1;
  FAILS(GRADPATH_ERROR_ARGUMENT, "does not feed", gradpath_circuit_from_edges(4, 8, edges, size, NULL, &no_circuit));
  edges[36 * 101] = 0;
  values[36 * 101] = 1;
  FAILS(GRADPATH_ERROR_INPUT, "does not feed", gradpath_scores_from_values(4, 8, values, size, &no_scores));
  values[36 * 101] = 0;
  values[0] = INFINITY;
  FAILS(GRADPATH_ERROR_INPUT, "not a finite number", gradpath_scores_from_values(4, 8, values, size, &no_scores));

  /* Buffers. */
  n = 0;
  FAILS(GRADPATH_ERROR_BUFFER, "the buffer holds 4 bytes", gradpath_version(small, sizeof small, &n));
  CHECK(n >= 5);
  FAILS(GRADPATH_ERROR_BUFFER, "3737 are needed", gradpath_scores_values(scores, values, 10, &n));
  CHECK(n == size);
  FAILS(GRADPATH_ERROR_BUFFER, "edges", gradpath_circuit_edges(circuit, edges, 10, &n));
  FAILS(GRADPATH_ERROR_BUFFER, "ids", gradpath_tokenizer_encode(tokenizer, "one two three four five", Z, ids, 2, &n));
  FAILS(GRADPATH_ERROR_ARGUMENT, "-1", gradpath_tokenizer_decode(tokenizer, ids, 3, small, sizeof small, &n));

  /* Texts and options. */
  FAILS(GRADPATH_ERROR_ARGUMENT, "not UTF-8", gradpath_device_open("\xff\xfe", Z, NULL, 0, &made));
  FAILS(GRADPATH_ERROR_ARGUMENT, "not UTF-8", gradpath_tokenizer_encode(tokenizer, "\xed\xa0\x80", 3, ids, 4, &n));
  FAILS(GRADPATH_ERROR_ARGUMENT, "not UTF-8", gradpath_score(model, prompts, "{\"method\": \"\xff\"}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "not valid JSON", gradpath_score(model, prompts, "{\"method\"", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "a JSON object is needed", gradpath_score(model, prompts, "[1]", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "twice", gradpath_score(model, prompts, "{\"batch-size\": 1, \"batch_size\": 1}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "did you mean steps", gradpath_score(model, prompts, "{\"stepz\": 3}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "did you mean eap-gp", gradpath_score(model, prompts, "{\"method\": \"eap-gq\"}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "steps is 0", gradpath_score(model, prompts, "{\"steps\": 0}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "steps is \"5\"", gradpath_score(model, prompts, "{\"steps\": \"5\"}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "steps", gradpath_score(model, prompts, "{\"method\": \"eap\", \"steps\": 3}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "path-start", gradpath_score(model, prompts, "{\"path-start\": \"clean\"}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "preset", gradpath_score(model, prompts, "{\"preset\": \"published\"}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "no such metric", gradpath_score(model, prompts, "{\"metric\": \"loss\"}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "threads", gradpath_device_open("cpu", Z, "{\"threads\": 1000000}", Z, &made));
  FAILS(GRADPATH_ERROR_ARGUMENT, "eap has no scores for it", gradpath_score(model, prompts, "{\"method\": \"eap\", \"metric\": \"kl\"}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "of is empty", gradpath_score(model, prompts, "{\"method\": \"ensemble\", \"of\": []}", Z, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_INPUT, ".jsonl", gradpath_prompts_save(prompts, "prompts.txt", Z));
  FAILS(GRADPATH_ERROR_ARGUMENT, "no such device", gradpath_device_open("gpu", Z, NULL, 0, &made));
  FAILS(GRADPATH_ERROR_ARGUMENT, "precision", gradpath_device_open("cpu", Z, "{\"precision\": \"bf16\"}", Z, &made));
  FAILS(GRADPATH_ERROR_ARGUMENT, "memory", gradpath_device_open("cpu", Z, "{\"memory\": 9223372036854775807}", Z, &made));
  FAILS(GRADPATH_ERROR_ARGUMENT, "say one way", gradpath_circuit_select(scores, NULL, 0, &no_circuit));
  FAILS(GRADPATH_ERROR_ARGUMENT, "top-n and greedy", gradpath_circuit_select(scores, "{\"top-n\": 1, \"greedy\": 2}", Z, &no_circuit));
  FAILS(GRADPATH_ERROR_ARGUMENT, "1519", gradpath_circuit_select(scores, "{\"top-n\": 5000}", Z, &no_circuit));
  FAILS(GRADPATH_ERROR_ARGUMENT, "did you mean acdc", gradpath_search(model, prompts, "acdk", Z, NULL, 0, NULL, NULL, &no_circuit, NULL));
  FAILS(GRADPATH_ERROR_ARGUMENT, "scores", gradpath_search(model, prompts, "path-patch", Z, NULL, 0, scores, NULL, &no_circuit, NULL));
  FAILS(GRADPATH_ERROR_ARGUMENT, "no such sender",
        gradpath_search(model, prompts, "path-patch", Z, "{\"senders\": [\"a9.h9\"]}", Z, NULL, NULL, &no_circuit, NULL));
  FAILS(GRADPATH_ERROR_ARGUMENT, "sparsity", gradpath_search(model, prompts, "hap", Z, "{\"sparsity\": 2}", Z, NULL, NULL, &no_circuit, NULL));
  FAILS(GRADPATH_ERROR_ARGUMENT, "fraction", gradpath_curve(model, prompts, &scores, 1, "{\"fractions\": [2]}", Z, NULL, &result));
  FAILS(GRADPATH_ERROR_ARGUMENT, "format", gradpath_circuit_draw(circuit, "{\"format\": \"png\"}", Z, small, 4, &n));

  /* Files, models and prompts. */
  FAILS(GRADPATH_ERROR_INPUT, "no model 'nowhere'", gradpath_model_open(device, "nowhere", Z, NULL, &no_model));
  FAILS(GRADPATH_ERROR_INPUT, "no-such", gradpath_scores_open("no-such.json", Z, &no_scores));
  FAILS(GRADPATH_ERROR_INPUT, ".json", gradpath_scores_save(scores, "scores.txt", Z));
  FAILS(GRADPATH_ERROR_INPUT, "/nowhere", gradpath_scores_save(scores, "/nowhere/scores.json", Z));
  FAILS(GRADPATH_ERROR_INPUT, "no-such", gradpath_circuit_open("no-such.json", Z, &no_circuit));
  snprintf(path, sizeof path, "%s/scores.json", argv[2]);
  OK(gradpath_scores_save(scores, path, Z));
  FAILS(GRADPATH_ERROR_INPUT, "no circuit", gradpath_circuit_open(path, Z, &no_circuit));
  FAILS(GRADPATH_ERROR_INPUT, "element 1", gradpath_prompts_parse(model, "[{\"clean\": \"a\"}]", Z, NULL, 0, &no_prompts));
  FAILS(GRADPATH_ERROR_INPUT, "pair 2: there is no answer",
        gradpath_prompts_parse(model,
                               "[{\"clean_ids\":[1,2],\"corrupted_ids\":[1,3],\"answer_ids\":[4],\"wrong_answer_ids\":[5]},"
                               "{\"clean_ids\":[1,2],\"corrupted_ids\":[1,3]}]",
                               Z, NULL, 0, &no_prompts));
  OK(gradpath_prompts_parse(model, "[{\"clean_ids\":[1,2],\"corrupted_ids\":[1,3]}]", Z, NULL, 0, &no_prompts));
  CHECK(says(no_prompts, "no pair has right and wrong answers"));
  FAILS(GRADPATH_ERROR_ARGUMENT, "kl, which the prompts have", gradpath_score(model, no_prompts, "{\"method\": \"eap\"}", Z, NULL, &no_scores));
  OK(gradpath_close(no_prompts));
  FAILS(GRADPATH_ERROR_INPUT, "no prompts", gradpath_prompts_parse(model, "[]", Z, NULL, 0, &no_prompts));
  FAILS(GRADPATH_ERROR_ARGUMENT, "task or data", gradpath_prompts_load(model, NULL, 0, NULL, &no_prompts));
  FAILS(GRADPATH_ERROR_ARGUMENT, "no such task", gradpath_prompts_load(model, "{\"task\": \"ioy\"}", Z, NULL, &no_prompts));
  FAILS(GRADPATH_ERROR_INPUT, "nowhere.jsonl", gradpath_prompts_load(model, "{\"data\": \"nowhere.jsonl\"}", Z, NULL, &no_prompts));
  gradpath_pairs pairs;
  memset(&pairs, 0, sizeof pairs);
  FAILS(GRADPATH_ERROR_ARGUMENT, "pairs is NULL", gradpath_prompts_from_ids(model, NULL, NULL, 0, &no_prompts));
  FAILS(GRADPATH_ERROR_ARGUMENT, "sizeof(gradpath_pairs)", gradpath_prompts_from_ids(model, &pairs, NULL, 0, &no_prompts));
  uint32_t lengths[2] = {2, 3};
  pairs.size = sizeof pairs;
  pairs.count = 2;
  pairs.lengths = lengths;
  pairs.clean = pairs.corrupted = ids;
  pairs.n_ids = 4;
  FAILS(GRADPATH_ERROR_ARGUMENT, "pair 1 asks for ids 2 to 4", gradpath_prompts_from_ids(model, &pairs, NULL, 0, &no_prompts));
  lengths[1] = 1;
  FAILS(GRADPATH_ERROR_ARGUMENT, "come to 3 ids", gradpath_prompts_from_ids(model, &pairs, NULL, 0, &no_prompts));
  lengths[1] = 2;
  FAILS(GRADPATH_ERROR_INPUT, "token id", gradpath_prompts_from_ids(model, &pairs, NULL, 0, &no_prompts));
  uint64_t extents[2] = {7, 4};
  gradpath_tensor tensor = {"wte.weight", Z, NULL, extents, 2};
  FAILS(GRADPATH_ERROR_INPUT, "config", gradpath_model_from_weights(device, "{}", Z, &tensor, 1, NULL, 0, NULL, &no_model));
  tensor.rank = 1000;
  FAILS(GRADPATH_ERROR_ARGUMENT, "rank is 1000",
        gradpath_model_from_weights(device, "{\"n_layer\":1,\"n_head\":1,\"n_embd\":4,\"n_positions\":5,\"vocab_size\":7}", Z, &tensor, 1, NULL,
                                    0, NULL, &no_model));
  tensor.rank = 2;
  FAILS(GRADPATH_ERROR_ARGUMENT, "data is NULL",
        gradpath_model_from_weights(device, "{\"n_layer\":1,\"n_head\":1,\"n_embd\":4,\"n_positions\":5,\"vocab_size\":7}", Z, &tensor, 1, NULL,
                                    0, NULL, &no_model));

  /* Stops and callbacks. */
  run = new_run();
  run.progress = stops;
  FAILS(GRADPATH_ERROR_STOPPED, "stopped", gradpath_score(model, prompts, NULL, 0, &run, &no_scores));
  CHECK(no_scores == NULL);
  FAILS(GRADPATH_ERROR_STOPPED, "stopped", gradpath_search(model, prompts, "acdc", Z, NULL, 0, NULL, &run, &no_circuit, &result));
  CHECK(no_circuit == NULL && result == NULL);
  struct nested nested = {model, prompts, 0};
  run = new_run();
  run.progress = nests;
  run.user = &nested;
  OK(gradpath_score(model, prompts, "{\"method\": \"eap\"}", Z, &run, &no_scores));
  CHECK(nested.calls > 0);
  OK(gradpath_close(no_scores));
  run = new_run();
  run.stop = stop;
  OK(gradpath_stop_signal(stop));
  FAILS(GRADPATH_ERROR_STOPPED, "stopped", gradpath_model_open(device, argv[1], Z, &run, &no_model));
  FAILS(GRADPATH_ERROR_STOPPED, "stopped", gradpath_prompts_load(model, "{\"task\": \"ioi\"}", Z, &run, &no_prompts));
  FAILS(GRADPATH_ERROR_STOPPED, "stopped", gradpath_evaluate(model, prompts, &circuit, 1, NULL, 0, &run, &result));
  run = new_run();
  int how = 7;
  run.metric = breaks;
  run.user = &how;
  FAILS(GRADPATH_ERROR_ARGUMENT, "no use for a metric", gradpath_model_open(device, argv[1], Z, &run, &no_model));
  FAILS(GRADPATH_ERROR_CALLBACK, "failed with 7", gradpath_score(model, prompts, NULL, 0, &run, &no_scores));
  how = 0;
  FAILS(GRADPATH_ERROR_CALLBACK, "finite", gradpath_score(model, prompts, NULL, 0, &run, &no_scores));
  FAILS(GRADPATH_ERROR_ARGUMENT, "beside a metric", gradpath_score(model, prompts, "{\"metric\": \"kl\"}", Z, &run, &no_scores));
  run.metric_traits = 9;
  FAILS(GRADPATH_ERROR_ARGUMENT, "metric_traits", gradpath_score(model, prompts, NULL, 0, &run, &no_scores));
  run = new_run();
  run.size = 0;
  FAILS(GRADPATH_ERROR_ARGUMENT, "run.size", gradpath_score(model, prompts, NULL, 0, &run, &no_scores));
  struct {
    gradpath_run known;
    uint64_t more;
  } newer;
  memset(&newer, 0, sizeof newer);
  newer.known.size = sizeof newer;
  OK(gradpath_score(model, prompts, "{\"method\": \"eap\"}", Z, &newer.known, &no_scores));
  OK(gradpath_close(no_scores));
  newer.more = 1;
  FAILS(GRADPATH_ERROR_ARGUMENT, "must be 0", gradpath_score(model, prompts, NULL, 0, &newer.known, &no_scores));

  /* A child that has forked. */
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    gradpath_status status = gradpath_describe(model, small, sizeof small, &n);
    int good = status == GRADPATH_ERROR_UNUSABLE && strstr(gradpath_last_error(), "has forked") && gradpath_abi() == 0;
    _exit(good ? 0 : 1);
  }
  int ended = -1;
  waitpid(child, &ended, 0);
  CHECK(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
  CHECK(says(model, "\"n_layers\":4"));

  /* After close. */
  void *all[] = {stop, tokenizer, circuit, scores, prompts, model, device};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    OK(gradpath_close(all[i]));
    FAILS(GRADPATH_ERROR_HANDLE, "was closed", gradpath_close(all[i]));
    FAILS(GRADPATH_ERROR_HANDLE, "was closed", gradpath_describe(all[i], small, sizeof small, &n));
  }
  FAILS(GRADPATH_ERROR_HANDLE, "was closed", gradpath_score(model, prompts, NULL, 0, NULL, &no_scores));
  FAILS(GRADPATH_ERROR_HANDLE, "was closed", gradpath_model_open(device, argv[1], Z, NULL, &no_model));
  CHECK(gradpath_open_handles() == 0);
  free(values);
  free(edges);
  return finish("errors");
}
