/* gradpath.h: edge scores, circuits and their faithfulness in GPT-2, from C and C++.
 *
 * gcc program.c -I. -L. -lgradpath -Wl,-rpath,'$ORIGIN'
 *
 * Rules
 * - Everything is a handle: a number in the form of a pointer, never an address. Open one, use it, close it with gradpath_close. Handles may
 *   be closed in any order; a model keeps its device. A wrong, closed or made-up handle is an error and never a crash.
 * - A function returns GRADPATH_OK or an error. gradpath_last_error then says what is wrong and what would be right, for this thread. A
 *   function that failed has set the handle that it was to make to NULL, and has changed nothing else.
 * - Texts are UTF-8 with a length in bytes; GRADPATH_ZERO_TERMINATED as the length means that a zero byte ends the text.
 * - Results go into buffers of the caller's. Each such function writes the number that it needs (*length, *count), also where the buffer is
 *   too small (GRADPATH_ERROR_BUFFER, nothing else is written). With the buffer NULL it writes that number alone.
 * - Options are a JSON object with the names of the command line (`gradpath score --help`), dashes or underscores; NULL and 0 for none. An
 *   option that is unknown, or does not apply, is an error.
 * - Matrices [F, K] are row-major: a row per writer (F), a column per reader (K); cells that are no edge are 0. gradpath_graph_names
 *   names both.
 * - Threads: any thread may call. A device takes one run at a time: a second one ends with GRADPATH_ERROR_BUSY. Two devices run in two
 *   threads. A handle that a call uses cannot be closed meanwhile (GRADPATH_ERROR_BUSY).
 * - Callbacks run on the calling thread. They must return, not throw and not longjmp. They may call the library, but not a function that
 *   takes a gradpath_run (GRADPATH_ERROR_BUSY).
 * - After fork the child cannot use the library, because the threads of its runtime are not there (GRADPATH_ERROR_UNUSABLE). Start a new
 *   process instead.
 */
#ifndef GRADPATH_H
#define GRADPATH_H

#include <stddef.h>
#include <stdint.h>

/* From C++17 on the compiler refuses a callback that may throw. */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define GRADPATH_NOEXCEPT noexcept
#else
#define GRADPATH_NOEXCEPT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface; gradpath_abi gives that of the library. They must be equal. */
#define GRADPATH_ABI 1u

#define GRADPATH_ZERO_TERMINATED ((size_t)-1)

/* What functions return. */
typedef int gradpath_status;
#define GRADPATH_OK 0
#define GRADPATH_ERROR_ARGUMENT 1 /* an argument or option cannot be used */
#define GRADPATH_ERROR_HANDLE 2   /* a handle is NULL, none, closed, or of another kind */
#define GRADPATH_ERROR_INPUT 3    /* a file, a model, prompts or scores cannot be used */
#define GRADPATH_ERROR_DEVICE 4   /* the device cannot do it */
#define GRADPATH_ERROR_MEMORY 5   /* memory ran out */
#define GRADPATH_ERROR_STOPPED 6  /* the call was stopped */
#define GRADPATH_ERROR_BUSY 7     /* another thread's call uses it */
#define GRADPATH_ERROR_BUFFER 8   /* the caller's buffer is too small */
#define GRADPATH_ERROR_CALLBACK 9 /* a callback failed */
#define GRADPATH_ERROR_INTERNAL 10 /* a fault of the library */
#define GRADPATH_ERROR_UNUSABLE 11 /* the library cannot be used here: no engine, or the process has forked */

/* Handles. */
typedef struct gradpath_device_s *gradpath_device;
typedef struct gradpath_model_s *gradpath_model;
typedef struct gradpath_tokenizer_s *gradpath_tokenizer;
typedef struct gradpath_prompts_s *gradpath_prompts;
typedef struct gradpath_scores_s *gradpath_scores;
typedef struct gradpath_circuit_s *gradpath_circuit;
typedef struct gradpath_result_s *gradpath_result;
typedef struct gradpath_stop_s *gradpath_stop;

/* Told how far a call is: done of total units, and the stage in words. Not 0 stops the call (GRADPATH_ERROR_STOPPED). */
typedef int (*gradpath_progress)(void *user, uint64_t done, uint64_t total, const char *stage) GRADPATH_NOEXCEPT;

/* A metric of the caller's, judged at the last position of prompt pair number `pair` (from 0).
 * logits, clean_logits: [vocabulary], those of the run and of the full model on the clean prompt. gradient: [vocabulary] zeros, into which
 * the derivative of the value by the logits is to be written; NULL where the value is enough. *value: the value. Not 0 fails the call
 * (GRADPATH_ERROR_CALLBACK). */
typedef int (*gradpath_metric)(void *user, size_t pair, const float *logits, const float *clean_logits, size_t vocabulary, float *gradient,
                               double *value) GRADPATH_NOEXCEPT;

#define GRADPATH_METRIC_LOSS 1u     /* less is better */
#define GRADPATH_METRIC_DISTANCE 2u /* a distance from the clean run: 0 there, and nowhere less */

/* What a long call is told beside its options; NULL for nothing. Reading models and prompts can be stopped, and reports no progress. Set it
 * to 0 and size to sizeof(gradpath_run) first. */
typedef struct gradpath_run {
  size_t size;
  gradpath_stop stop; /* gradpath_stop_signal stops the call from any thread; NULL for none */
  void *user;         /* handed to the functions */
  gradpath_progress progress;
  gradpath_metric metric;
  const char *metric_name; /* what result files call the metric; NULL for "custom" */
  size_t metric_name_length;
  uint32_t metric_traits;
} gradpath_run;

/* A tensor of a model that the caller has in memory: float32, row-major without gaps. */
typedef struct gradpath_tensor {
  const char *name; /* as in Hugging Face checkpoints: wte.weight, h.0.attn.c_attn.weight, ... */
  size_t name_length;
  const float *data;
  const uint64_t *shape;
  size_t rank;
} gradpath_tensor;

/* Prompt pairs as token ids, one pair behind the other. The model sees the ids as they are: put a begin token in front where the task has
 * one. Set it to 0 and size to sizeof(gradpath_pairs) first. */
typedef struct gradpath_pairs {
  size_t size;
  size_t count;
  const uint32_t *lengths; /* [count]: tokens of each pair's prompts */
  const int32_t *clean;    /* [n_ids] */
  const int32_t *corrupted; /* [n_ids] */
  size_t n_ids;
  const uint32_t *answer_counts; /* [count]: right answers of each pair; NULL for none at all */
  const int32_t *answers;        /* [n_answers] */
  size_t n_answers;
  const uint32_t *wrong_counts; /* the same for wrong answers */
  const int32_t *wrong;
  size_t n_wrong;
} gradpath_pairs;

/* The library. */

uint32_t gradpath_abi(void);

/* The message of this thread's last call that failed; empty where none has. Good until its next call that fails. */
const char *gradpath_last_error(void);

gradpath_status gradpath_version(char *buffer, size_t capacity, size_t *length);

/* JSON: the methods, searches, metrics, tasks and presets, each with name, title and summary; the fractions of a curve. */
gradpath_status gradpath_catalog(char *buffer, size_t capacity, size_t *length);

/* JSON: what there is to know of a handle of any kind; all of it for a result. */
gradpath_status gradpath_describe(void *handle, char *buffer, size_t capacity, size_t *length);

/* Closes a handle of any kind. NULL is nothing to close. */
gradpath_status gradpath_close(void *handle);

/* How many handles are open, for tests of leaks. */
size_t gradpath_open_handles(void);

gradpath_status gradpath_stop_open(gradpath_stop *stop);
gradpath_status gradpath_stop_signal(gradpath_stop stop);

/* JSON: the names of writers and readers of a model of so many layers and heads, and its number of edges. */
gradpath_status gradpath_graph_names(uint32_t layers, uint32_t heads, char *buffer, size_t capacity, size_t *length);

/* Devices, models, vocabularies. */

/* name: auto, cpu, cuda or cuda:N. Options: threads, memory (bytes), precision, gemm. */
gradpath_status gradpath_device_open(const char *name, size_t name_length, const char *options, size_t options_length, gradpath_device *device);

/* path: a directory with config.json and model.safetensors, or a name: demo, gpt2, openai-community/gpt2. */
gradpath_status gradpath_model_open(gradpath_device device, const char *path, size_t path_length, const gradpath_run *run,
                                    gradpath_model *model);

/* config: the text of a config.json. The values are copied. name: what result files call the model; NULL for "unnamed". tokenizer: the
 * model's vocabulary; NULL where prompts come as ids. */
gradpath_status gradpath_model_from_weights(gradpath_device device, const char *config, size_t config_length, const gradpath_tensor *tensors,
                                            size_t count, const char *name, size_t name_length, gradpath_tokenizer tokenizer,
                                            gradpath_model *model);

gradpath_status gradpath_tokenizer_open(const char *path, size_t path_length, gradpath_tokenizer *tokenizer);
gradpath_status gradpath_tokenizer_encode(gradpath_tokenizer tokenizer, const char *text, size_t text_length, int32_t *ids, size_t capacity,
                                          size_t *count);
gradpath_status gradpath_tokenizer_decode(gradpath_tokenizer tokenizer, const int32_t *ids, size_t count, char *buffer, size_t capacity,
                                          size_t *length);

/* Prompt pairs. Each is checked against the model. Options of all: metric, answer, bos (true), limit. */

/* Options: task (generated with seed where data is not given), data (a file of prompts), seed, hard-corruption. */
gradpath_status gradpath_prompts_load(gradpath_model model, const char *options, size_t options_length, const gradpath_run *run,
                                      gradpath_prompts *prompts);

/* json: an array of objects, or one object per line, as in files of prompts: clean, corrupted, answers, wrong_answers as texts, or
 * clean_ids, corrupted_ids, answer_ids, wrong_answer_ids. Option: name, what results call the task. */
gradpath_status gradpath_prompts_parse(gradpath_model model, const char *json, size_t json_length, const char *options,
                                       size_t options_length, gradpath_prompts *prompts);

gradpath_status gradpath_prompts_from_ids(gradpath_model model, const gradpath_pairs *pairs, const char *options, size_t options_length,
                                          gradpath_prompts *prompts);

/* JSON, one object per line: the pairs as the model sees them, with clean_ids, corrupted_ids, answer_ids and wrong_answer_ids; id, label and
 * positions where a pair has them. */
gradpath_status gradpath_prompts_ids(gradpath_prompts prompts, char *buffer, size_t capacity, size_t *length);

/* Writes a file of prompts: .jsonl. */
gradpath_status gradpath_prompts_save(gradpath_prompts prompts, const char *path, size_t path_length);

/* Scores. */

/* Options: those of `gradpath score`: method, metric, steps, ablation, ig-points, preset, path-*, normalization, batch-size, seed, of, by. */
gradpath_status gradpath_score(gradpath_model model, gradpath_prompts prompts, const char *options, size_t options_length,
                               const gradpath_run *run, gradpath_scores *scores);

/* [F, K], copied. */
gradpath_status gradpath_scores_values(gradpath_scores scores, float *buffer, size_t capacity, size_t *count);

/* [F, K] in place, to be read only; good until the handle is closed. */
gradpath_status gradpath_scores_data(gradpath_scores scores, const float **data, size_t *count);

/* [F]: scores of writers as nodes; none where the method gives none. */
gradpath_status gradpath_scores_nodes(gradpath_scores scores, float *buffer, size_t capacity, size_t *count);

gradpath_status gradpath_scores_from_values(uint32_t layers, uint32_t heads, const float *values, size_t count, gradpath_scores *scores);

/* Files: .json as the EAP-IG library's, or .safetensors. */
gradpath_status gradpath_scores_open(const char *path, size_t path_length, gradpath_scores *scores);
gradpath_status gradpath_scores_save(gradpath_scores scores, const char *path, size_t path_length);

/* Circuits. */

/* Options: one of top-n, greedy, nodes, threshold; signed, prune (true), fill. */
gradpath_status gradpath_circuit_select(gradpath_scores scores, const char *options, size_t options_length, gradpath_circuit *circuit);

/* The circuit without what lies on no path from the input to the logits. */
gradpath_status gradpath_circuit_prune(gradpath_circuit circuit, gradpath_circuit *pruned);

/* [F, K]: 1 where the edge is in the circuit, else 0. */
gradpath_status gradpath_circuit_edges(gradpath_circuit circuit, uint8_t *buffer, size_t capacity, size_t *count);

/* scores: kept beside the circuit, for its files; NULL for none. */
gradpath_status gradpath_circuit_from_edges(uint32_t layers, uint32_t heads, const uint8_t *edges, size_t count, gradpath_scores scores,
                                            gradpath_circuit *circuit);

/* The scores that the circuit was selected from, or that its search gave its edges. */
gradpath_status gradpath_circuit_scores(gradpath_circuit circuit, gradpath_scores *scores);

/* The circuit as text. Options: format, which is svg (a picture), dot (Graphviz) or html (a page in which it can be explored); title. */
gradpath_status gradpath_circuit_draw(gradpath_circuit circuit, const char *options, size_t options_length, char *buffer, size_t capacity,
                                      size_t *length);

gradpath_status gradpath_circuit_open(const char *path, size_t path_length, gradpath_circuit *circuit);
gradpath_status gradpath_circuit_save(gradpath_circuit circuit, const char *path, size_t path_length);

/* Evaluation and search. */

/* Options: metric, ablation, batch-size, seed (of the intervals). The result's JSON: circuits, each with faithfulness, faithfulness_ci,
 * full, circuit, empty, kl, exact_match, accuracy and items; and how it was made. */
gradpath_status gradpath_evaluate(gradpath_model model, gradpath_prompts prompts, const gradpath_circuit *circuits, size_t count,
                                  const char *options, size_t options_length, const gradpath_run *run, gradpath_result *result);

/* Options: fractions, greedy, seed, metric, ablation, batch-size. The result's JSON: curves, each with cpr, cmd and its points. */
gradpath_status gradpath_curve(gradpath_model model, gradpath_prompts prompts, const gradpath_scores *scores, size_t count,
                               const char *options, size_t options_length, const gradpath_run *run, gradpath_result *result);

/* name: acdc, edge-prune, hap or path-patch. Options: those of the verb of that name. scores: what the search starts from, for acdc (its
 * order), edge-prune (where masks start) and hap; NULL for none. result: what the search did on the way; NULL where that is not wanted. */
gradpath_status gradpath_search(gradpath_model model, gradpath_prompts prompts, const char *name, size_t name_length, const char *options,
                                size_t options_length, gradpath_scores scores, const gradpath_run *run, gradpath_circuit *circuit,
                                gradpath_result *result);

#ifdef __cplusplus
}
#endif

#endif
