/* A training step's two passes over an LSTM layer by libxsmm 1.17 (Debian: libxsmm-dev), on one thread:
 *
 *   libxsmm_lstm f32 128 28 28 256 64     type (f32 or bf16), batch, steps, features, hidden, and the largest block
 *
 * Prints the least milliseconds of processor time of the forward pass, and of backward pass and update, as JSON. Tensors are in the
 * blocked layout that libxsmm computes fastest, and stay in it: what a caller would take to convert them is not measured. */
#include <immintrin.h>
#include <libxsmm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALIGNMENT 2097152

static void check(libxsmm_dnn_err_t status) {
  if (status != LIBXSMM_DNN_SUCCESS) {
    fprintf(stderr, "libxsmm: %s\n", libxsmm_dnn_get_error(status));
    exit(1);
  }
}

static void* zeros(size_t bytes) {
  void* memory = libxsmm_aligned_malloc(bytes ? bytes : 64, ALIGNMENT);
  if (!memory) exit(1);
  memset(memory, 0, bytes);
  return memory;
}

/* Small numbers in both types: a bfloat16 number is the upper half of a float. */
static void fill(void* memory, size_t count, int isFloat) {
  static unsigned state = 1;
  size_t at;
  for (at = 0; at < count; ++at) {
    union {
      float value;
      unsigned bits;
    } number;
    state = state * 1664525u + 1013904223u;
    number.value = ((float)(state >> 8) / (1 << 24) - 0.5f) / 16;
    if (isFloat)
      ((float*)memory)[at] = number.value;
    else
      ((unsigned short*)memory)[at] = (unsigned short)(number.bits >> 16);
  }
}

static void bindTensor(libxsmm_dnn_rnncell* cell, libxsmm_dnn_tensor_type type) {
  libxsmm_dnn_err_t status;
  libxsmm_dnn_tensor_datalayout* layout = libxsmm_dnn_rnncell_create_tensor_datalayout(cell, type, &status);
  void* memory;
  libxsmm_dnn_tensor* tensor;
  check(status);
  memory = zeros(libxsmm_dnn_get_tensor_size(layout, &status));
  check(status);
  fill(memory, libxsmm_dnn_get_tensor_elements(layout, &status), layout->datatype == LIBXSMM_DNN_DATATYPE_F32);
  tensor = libxsmm_dnn_link_tensor(layout, memory, &status);
  check(status);
  libxsmm_dnn_destroy_tensor_datalayout(layout);
  check(libxsmm_dnn_rnncell_bind_tensor(cell, tensor, type));
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

/* The shortest time of at least five calls and a fifth of a second. */
static double best(libxsmm_dnn_rnncell* cell, libxsmm_dnn_compute_kind kind) {
  double least = 1e300, sum = 0;
  int times;
  for (times = 0; times < 5 || sum < 200; ++times) {
    const double began = now();
    double taken;
    check(libxsmm_dnn_rnncell_execute_st(cell, kind, 0, 0));
    taken = now() - began;
    if (taken < least) least = taken;
    sum += taken;
  }
  return least;
}

static int block(int size, int most) { return size % most == 0 ? most : size; }

int main(int count, char** words) {
  static const libxsmm_dnn_tensor_type tensors[] = {
      LIBXSMM_DNN_RNN_REGULAR_INPUT,        LIBXSMM_DNN_RNN_REGULAR_CS_PREV,
      LIBXSMM_DNN_RNN_REGULAR_HIDDEN_STATE_PREV, LIBXSMM_DNN_RNN_REGULAR_WEIGHT,
      LIBXSMM_DNN_RNN_REGULAR_RECUR_WEIGHT, LIBXSMM_DNN_RNN_REGULAR_WEIGHT_TRANS,
      LIBXSMM_DNN_RNN_REGULAR_RECUR_WEIGHT_TRANS, LIBXSMM_DNN_RNN_REGULAR_BIAS,
      LIBXSMM_DNN_RNN_REGULAR_CS,           LIBXSMM_DNN_RNN_REGULAR_HIDDEN_STATE,
      LIBXSMM_DNN_RNN_INTERNAL_I,           LIBXSMM_DNN_RNN_INTERNAL_F,
      LIBXSMM_DNN_RNN_INTERNAL_O,           LIBXSMM_DNN_RNN_INTERNAL_CI,
      LIBXSMM_DNN_RNN_INTERNAL_CO,          LIBXSMM_DNN_RNN_GRADIENT_INPUT,
      LIBXSMM_DNN_RNN_GRADIENT_CS_PREV,     LIBXSMM_DNN_RNN_GRADIENT_HIDDEN_STATE_PREV,
      LIBXSMM_DNN_RNN_GRADIENT_WEIGHT,      LIBXSMM_DNN_RNN_GRADIENT_RECUR_WEIGHT,
      LIBXSMM_DNN_RNN_GRADIENT_BIAS,        LIBXSMM_DNN_RNN_GRADIENT_CS,
      LIBXSMM_DNN_RNN_GRADIENT_HIDDEN_STATE};
  const libxsmm_dnn_compute_kind all = LIBXSMM_DNN_COMPUTE_KIND_ALL;
  libxsmm_dnn_rnncell_desc shape;
  libxsmm_dnn_rnncell* cell;
  libxsmm_dnn_err_t status;
  double forward, backward;
  size_t at;
  int most;
  if (count != 7) return 2;
  _mm_setcsr(_mm_getcsr() | 0x8040);
  libxsmm_init();
  most = atoi(words[6]);
  memset(&shape, 0, sizeof shape);
  shape.threads = 1;
  shape.N = atoi(words[2]);
  shape.max_T = atoi(words[3]);
  shape.C = atoi(words[4]);
  shape.K = atoi(words[5]);
  shape.bn = block(shape.N, most);
  shape.bc = block(shape.C, most);
  shape.bk = block(shape.K, most);
  shape.cell_type = LIBXSMM_DNN_RNNCELL_LSTM;
  shape.datatype_in = strcmp(words[1], "bf16") == 0 ? LIBXSMM_DNN_DATATYPE_BF16 : LIBXSMM_DNN_DATATYPE_F32;
  shape.datatype_out = shape.datatype_in;
  shape.buffer_format = LIBXSMM_DNN_TENSOR_FORMAT_NC;
  shape.filter_format = LIBXSMM_DNN_TENSOR_FORMAT_CKPACKED;
  cell = libxsmm_dnn_create_rnncell(shape, &status);
  check(status);
  check(libxsmm_dnn_rnncell_allocate_forget_bias(cell, 1.0f));
  for (at = 0; at < sizeof tensors / sizeof *tensors; ++at) bindTensor(cell, tensors[at]);
  check(libxsmm_dnn_rnncell_bind_scratch(cell, all, zeros(libxsmm_dnn_rnncell_get_scratch_size(cell, all, &status))));
  check(libxsmm_dnn_rnncell_bind_internalstate(
      cell, all, zeros(libxsmm_dnn_rnncell_get_internalstate_size(cell, all, &status))));
  forward = best(cell, LIBXSMM_DNN_COMPUTE_KIND_FWD);
  backward = best(cell, LIBXSMM_DNN_COMPUTE_KIND_BWDUPD);
  printf("{\"forward\": %.4g, \"backward\": %.4g}\n", forward, backward);
  return 0;
}
