/* Every function of gradpath.h, on the demo model: functions MODEL FOLDER */
#include <stdint.h>

#include "check.h"

static char buffer[1 << 20];

static int count_calls(void *user, uint64_t done, uint64_t total, const char *stage) {
  CHECK(done <= total && total > 0 && stage != NULL);
  ++*(int *)user;
  return 0;
}

/* The logit difference of the first ids of the pairs' answers. */
struct answers {
  int32_t right[2], wrong[2];
};

static int difference(void *user, size_t pair, const float *logits, const float *clean_logits, size_t vocabulary, float *gradient,
                      double *value) {
  const struct answers *a = (const struct answers *)user;
  CHECK(pair < 2 && vocabulary == 2543 && clean_logits != NULL);
  *value = logits[a->right[pair]] - logits[a->wrong[pair]];
  if (gradient) {
    gradient[a->right[pair]] = 1;
    gradient[a->wrong[pair]] = -1;
  }
  return 0;
}

static void library(void) {
  size_t length = 0;
  CHECK(gradpath_abi() == GRADPATH_ABI);
  OK(gradpath_version(buffer, sizeof buffer, &length));
  CHECK(length == strlen(buffer) && buffer[0] >= '0' && buffer[0] <= '9');
  OK(gradpath_catalog(buffer, sizeof buffer, NULL));
  CHECK(strstr(buffer, "\"eap-gp\"") && strstr(buffer, "\"acdc\"") && strstr(buffer, "\"logit-diff\"") && strstr(buffer, "\"ioi\""));
  OK(gradpath_graph_names(4, 8, buffer, sizeof buffer, NULL));
  CHECK(strstr(buffer, "\"a3.h7<v>\"") && strstr(buffer, "\"n_edges\":1519"));
}

static void tokenizer(const char *path) {
  gradpath_tokenizer t;
  int32_t ids[16];
  size_t count = 0, length = 0;
  OK(gradpath_tokenizer_open(path, Z, &t));
  OK(gradpath_tokenizer_encode(t, "When Mary and John", Z, NULL, 0, &count));
  CHECK(count == 4);
  OK(gradpath_tokenizer_encode(t, "When Mary and John", Z, ids, 16, &count));
  OK(gradpath_tokenizer_decode(t, ids, count, buffer, sizeof buffer, &length));
  CHECK(length == 18 && !strcmp(buffer, "When Mary and John"));
  OK(gradpath_tokenizer_encode(t, "", 0, ids, 16, &count));
  CHECK(count == 0);
  CHECK(says(t, "\"n_vocabulary\""));
  OK(gradpath_close(t));
}

/* The same two pairs as texts and as ids give the same scores, also with the logit difference as a metric of the caller's. */
static void prompts(gradpath_model model, const char *path) {
  static const char rows[] =
      "[{\"clean\":\"When Mary and John went to the store, John gave a drink to\","
      "\"corrupted\":\"When Mary and John went to the store, Paul gave a drink to\",\"answers\":[\" Mary\"],\"wrong_answers\":[\" John\"]},"
      "{\"clean\":\"When Tom and Anna went to the store, Anna gave a drink to\","
      "\"corrupted\":\"When Tom and Anna went to the store, Paul gave a drink to\",\"answers\":[\" Tom\"],\"wrong_answers\":[\" Anna\"]}]";
  gradpath_prompts texts, ids;
  gradpath_tokenizer t;
  OK(gradpath_prompts_parse(model, rows, Z, NULL, 0, &texts));
  CHECK(says(texts, "\"n_pairs\":2"));

  static const char *const clean[] = {"<|endoftext|>When Mary and John went to the store, John gave a drink to",
                                      "<|endoftext|>When Tom and Anna went to the store, Anna gave a drink to"};
  static const char *const corrupted[] = {"<|endoftext|>When Mary and John went to the store, Paul gave a drink to",
                                          "<|endoftext|>When Tom and Anna went to the store, Paul gave a drink to"};
  static const char *const right[] = {" Mary", " Tom"}, *const wrong[] = {" John", " Anna"};
  int32_t all[64], other[64];
  uint32_t lengths[2], ones[2] = {1, 1};
  struct answers a;
  size_t n = 0, m = 0, count;
  OK(gradpath_tokenizer_open(path, Z, &t));
  for (int i = 0; i < 2; i++) {
    OK(gradpath_tokenizer_encode(t, clean[i], Z, all + n, 64 - n, &count));
    lengths[i] = (uint32_t)count;
    n += count;
    OK(gradpath_tokenizer_encode(t, corrupted[i], Z, other + m, 64 - m, &count));
    m += count;
    OK(gradpath_tokenizer_encode(t, right[i], Z, a.right + i, 1, &count));
    OK(gradpath_tokenizer_encode(t, wrong[i], Z, a.wrong + i, 1, &count));
  }
  OK(gradpath_close(t));
  gradpath_pairs pairs;
  memset(&pairs, 0, sizeof pairs);
  pairs.size = sizeof pairs;
  pairs.count = 2;
  pairs.lengths = lengths;
  pairs.clean = all;
  pairs.corrupted = other;
  pairs.n_ids = n;
  pairs.answer_counts = pairs.wrong_counts = ones;
  pairs.answers = a.right;
  pairs.wrong = a.wrong;
  pairs.n_answers = pairs.n_wrong = 2;
  OK(gradpath_prompts_from_ids(model, &pairs, NULL, 0, &ids));

  OK(gradpath_prompts_ids(texts, buffer, sizeof buffer, &count));
  char first[64];
  snprintf(first, sizeof first, "{\"clean_ids\":[%d,%d,", all[0], all[1]);
  CHECK(count == strlen(buffer) && !strncmp(buffer, first, strlen(first)));

  gradpath_scores by_text, by_ids, by_metric;
  gradpath_run run = new_run();
  const float *x, *y, *z;
  size_t size;
  OK(gradpath_score(model, texts, NULL, 0, NULL, &by_text));
  OK(gradpath_score(model, ids, NULL, 0, NULL, &by_ids));
  run.metric = difference;
  run.user = &a;
  run.metric_name = "own-difference";
  run.metric_name_length = Z;
  OK(gradpath_score(model, ids, NULL, 0, &run, &by_metric));
  CHECK(says(by_metric, "own-difference"));
  OK(gradpath_scores_data(by_text, &x, &size));
  OK(gradpath_scores_data(by_ids, &y, NULL));
  OK(gradpath_scores_data(by_metric, &z, NULL));
  double largest = 0, error = 0;
  for (size_t i = 0; i < size; i++) {
    if (fabs(x[i]) > largest) largest = fabs(x[i]);
    if (fabs(x[i] - z[i]) > error) error = fabs(x[i] - z[i]);
  }
  CHECK(size == 37 * 101 && !memcmp(x, y, size * sizeof *x));
  CHECK(largest > 0 && error < 1e-5 * largest);
  OK(gradpath_close(by_text));
  OK(gradpath_close(by_ids));
  OK(gradpath_close(by_metric));
  OK(gradpath_close(texts));
  OK(gradpath_close(ids));
}

static void scores_and_circuits(gradpath_model model, const char *folder) {
  gradpath_prompts prompts, again;
  gradpath_scores scores, loaded, made, own;
  gradpath_circuit circuit, pruned, whole, read, rebuilt;
  gradpath_result result;
  size_t count = 0, size = 37 * 101;
  int calls = 0;
  char path[4096];
  float *values = (float *)malloc(size * sizeof *values), *copy = (float *)malloc(size * sizeof *copy);
  uint8_t *edges = (uint8_t *)malloc(size), *others = (uint8_t *)malloc(size);
  const float *data;

  OK(gradpath_prompts_load(model, "{\"task\": \"ioi\", \"limit\": 10, \"seed\": 3}", Z, NULL, &prompts));
  CHECK(says(prompts, "\"n_pairs\":10"));
  snprintf(path, sizeof path, "%s/prompts.jsonl", folder);
  OK(gradpath_prompts_save(prompts, path, Z));
  char options[4200];
  snprintf(options, sizeof options, "{\"data\": \"%s\"}", path);
  OK(gradpath_prompts_load(model, options, Z, NULL, &again));
  CHECK(says(again, "\"n_pairs\":10"));

  gradpath_run run = new_run();
  run.progress = count_calls;
  run.user = &calls;
  OK(gradpath_score(model, prompts, "{\"method\": \"eap-gp\", \"steps\": 3}", Z, &run, &scores));
  CHECK(calls > 2);
  CHECK(says(scores, "\"method\":\"eap-gp\"") && says(scores, "\"steps\":3"));
  OK(gradpath_scores_values(scores, NULL, 0, &count));
  CHECK(count == size);
  OK(gradpath_scores_values(scores, values, size, &count));
  OK(gradpath_scores_data(scores, &data, &count));
  CHECK(count == size && !memcmp(values, data, size * sizeof *values));
  float nodes[37];
  OK(gradpath_scores_nodes(scores, nodes, 37, &count));
  CHECK(count == 37);

  snprintf(path, sizeof path, "%s/scores.safetensors", folder);
  OK(gradpath_scores_save(scores, path, Z));
  OK(gradpath_scores_open(path, Z, &loaded));
  OK(gradpath_scores_values(loaded, copy, size, NULL));
  CHECK(!memcmp(values, copy, size * sizeof *values));
  OK(gradpath_scores_from_values(4, 8, values, size, &made));
  OK(gradpath_scores_values(made, copy, size, NULL));
  CHECK(!memcmp(values, copy, size * sizeof *values));

  OK(gradpath_circuit_select(scores, "{\"top_n\": 50, \"prune\": false}", Z, &circuit));
  CHECK(says(circuit, "\"n_edges\":50"));
  OK(gradpath_circuit_prune(circuit, &pruned));
  OK(gradpath_circuit_select(scores, "{\"top-n\": 50}", Z, &whole));
  OK(gradpath_circuit_edges(pruned, edges, size, &count));
  OK(gradpath_circuit_edges(whole, others, size, NULL));
  CHECK(count == size && !memcmp(edges, others, size));
  OK(gradpath_circuit_from_edges(4, 8, edges, size, scores, &rebuilt));
  OK(gradpath_circuit_scores(rebuilt, &own));
  OK(gradpath_scores_values(own, copy, size, NULL));
  CHECK(!memcmp(values, copy, size * sizeof *values));
  snprintf(path, sizeof path, "%s/circuit.json", folder);
  OK(gradpath_circuit_save(pruned, path, Z));
  OK(gradpath_circuit_open(path, Z, &read));
  OK(gradpath_circuit_edges(read, others, size, NULL));
  CHECK(!memcmp(edges, others, size));
  OK(gradpath_circuit_draw(pruned, NULL, 0, buffer, sizeof buffer, NULL));
  CHECK(strstr(buffer, "<svg") && strstr(buffer, "</svg>"));
  OK(gradpath_circuit_draw(pruned, "{\"format\": \"dot\", \"title\": \"mine\"}", Z, buffer, sizeof buffer, NULL));
  CHECK(strstr(buffer, "digraph \"mine\""));
  OK(gradpath_circuit_draw(pruned, "{\"format\": \"html\"}", Z, buffer, sizeof buffer, NULL));
  CHECK(strstr(buffer, "<!DOCTYPE html>"));

  gradpath_circuit several[2] = {circuit, pruned};
  OK(gradpath_evaluate(model, again, several, 2, "{\"ablation\": \"patching\"}", Z, NULL, &result));
  CHECK(says(result, "\"faithfulness\"") && says(result, "\"items\"") && says(result, "\"n_edges\":50"));
  OK(gradpath_close(result));
  gradpath_scores two[2] = {scores, loaded};
  OK(gradpath_curve(model, prompts, two, 2, "{\"fractions\": [0.05, 0.5, 1]}", Z, NULL, &result));
  CHECK(says(result, "\"cpr\"") && says(result, "\"cmd\"") && says(result, "\"fraction\":0.05"));
  OK(gradpath_close(result));

  static const struct {
    const char *name, *options;
    int takes_scores;
  } searches[] = {{"acdc", "{\"tau\": 0.05}", 1},
                  {"edge-prune", "{\"steps\": 10}", 1},
                  {"hap", "{\"steps\": 10, \"keep\": 0.4}", 1},
                  {"path-patch", "{\"top_n\": 3, \"rounds\": 2}", 0}};
  for (size_t i = 0; i < sizeof searches / sizeof *searches; i++) {
    gradpath_circuit found;
    OK(gradpath_search(model, prompts, searches[i].name, Z, searches[i].options, Z, NULL, NULL, &found, &result));
    CHECK(says(result, searches[i].name) && says(found, "\"n_edges\""));
    OK(gradpath_close(result));
    OK(gradpath_close(found));
    if (!searches[i].takes_scores) continue;
    OK(gradpath_search(model, prompts, searches[i].name, Z, searches[i].options, Z, scores, NULL, &found, NULL));
    OK(gradpath_close(found));
  }
  void *all[] = {prompts, again, scores, loaded, made, own, circuit, pruned, whole, read, rebuilt};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) OK(gradpath_close(all[i]));
  free(values);
  free(copy);
  free(edges);
  free(others);
}

/* A model of one layer and one head whose weights are here. */
static void weights(gradpath_device device, const char *vocabulary) {
  static const char config[] =
      "{\"n_layer\": 1, \"n_head\": 1, \"n_embd\": 4, \"n_inner\": 8, \"n_positions\": 5, \"vocab_size\": 7}";
  static const struct {
    const char *name;
    uint64_t shape[2];
    size_t rank;
  } layout[] = {{"wte.weight", {7, 4}, 2},
                {"wpe.weight", {5, 4}, 2},
                {"h.0.ln_1.weight", {4, 0}, 1},
                {"h.0.ln_1.bias", {4, 0}, 1},
                {"h.0.attn.c_attn.weight", {4, 12}, 2},
                {"h.0.attn.c_attn.bias", {12, 0}, 1},
                {"h.0.attn.c_proj.weight", {4, 4}, 2},
                {"h.0.attn.c_proj.bias", {4, 0}, 1},
                {"h.0.ln_2.weight", {4, 0}, 1},
                {"h.0.ln_2.bias", {4, 0}, 1},
                {"h.0.mlp.c_fc.weight", {4, 8}, 2},
                {"h.0.mlp.c_fc.bias", {8, 0}, 1},
                {"transformer.h.0.mlp.c_proj.weight", {8, 4}, 2},
                {"h.0.mlp.c_proj.bias", {4, 0}, 1},
                {"ln_f.weight", {4, 0}, 1},
                {"ln_f.bias", {4, 0}, 1}};
  enum { N = sizeof layout / sizeof *layout };
  gradpath_tensor tensors[N];
  float data[N][48];
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < 48; j++) data[i][j] = (float)sin(i * 50 + j);
    tensors[i].name = layout[i].name;
    tensors[i].name_length = strlen(layout[i].name);
    tensors[i].data = data[i];
    tensors[i].shape = layout[i].shape;
    tensors[i].rank = layout[i].rank;
  }
  gradpath_model model;
  gradpath_prompts prompts;
  gradpath_scores scores;
  OK(gradpath_model_from_weights(device, config, Z, tensors, N, "mine", Z, NULL, &model));
  CHECK(says(model, "\"name\":\"mine\"") && says(model, "\"n_edges\":8"));
  OK(gradpath_prompts_parse(model, "{\"clean_ids\":[1,2,3],\"corrupted_ids\":[1,4,3],\"answer_ids\":[5],\"wrong_answer_ids\":[6]}", Z, NULL,
                            0, &prompts));
  OK(gradpath_score(model, prompts, "{\"method\": \"exact\"}", Z, NULL, &scores));
  CHECK(says(scores, "\"model\":\"mine\""));
  OK(gradpath_close(scores));
  OK(gradpath_close(prompts));
  FAILS(GRADPATH_ERROR_INPUT, "vocabulary", gradpath_prompts_parse(model, "{\"clean\":\"a\",\"corrupted\":\"b\"}", Z, NULL, 0, &prompts));
  OK(gradpath_close(model));
  gradpath_tokenizer tokenizer;
  OK(gradpath_tokenizer_open(vocabulary, Z, &tokenizer));
  OK(gradpath_model_from_weights(device, config, Z, tensors, N, "mine", Z, tokenizer, &model));
  CHECK(says(model, "\"has_vocabulary\":true"));
  OK(gradpath_close(tokenizer));
  OK(gradpath_close(model));
  FAILS(GRADPATH_ERROR_INPUT, "ln_f.bias", gradpath_model_from_weights(device, config, Z, tensors, N - 1, NULL, 0, NULL, &model));
  tensors[4].shape = layout[1].shape;
  FAILS(GRADPATH_ERROR_INPUT, "c_attn.weight", gradpath_model_from_weights(device, config, Z, tensors, N, NULL, 0, NULL, &model));
  tensors[4].shape = layout[4].shape;
  data[3][2] = NAN;
  FAILS(GRADPATH_ERROR_INPUT, "ln_1.bias", gradpath_model_from_weights(device, config, Z, tensors, N, NULL, 0, NULL, &model));
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  gradpath_device device;
  gradpath_model model;
  gradpath_stop stop;
  library();
  tokenizer(argv[1]);
  OK(gradpath_device_open("cpu", 3, "{\"threads\": 2, \"memory\": 1073741824}", Z, &device));
  CHECK(says(device, "\"memory\":1073741824") && says(device, "2 threads"));
  OK(gradpath_model_open(device, argv[1], Z, NULL, &model));
  CHECK(says(model, "\"n_layers\":4") && says(model, "\"n_vocabulary\":2543"));
  prompts(model, argv[1]);
  scores_and_circuits(model, argv[2]);
  weights(device, argv[1]);
  OK(gradpath_stop_open(&stop));
  CHECK(says(stop, "false"));
  OK(gradpath_stop_signal(stop));
  CHECK(says(stop, "true"));
  OK(gradpath_close(stop));
  OK(gradpath_close(device)); /* the model keeps it */
  CHECK(says(model, "\"name\""));
  OK(gradpath_close(model));
  OK(gradpath_close(NULL));
  CHECK(gradpath_open_handles() == 0);
  return finish("functions");
}
