#include "CKernels.h"
#include <string.h>

// Sixteen elements at a time: a plane of bytes is a shift and a narrowing.
typedef uint8_t plane __attribute__((vector_size(16), aligned(1)));

#define SHUFFLE(size, type)                                                                 \
  typedef type elements##size __attribute__((vector_size(16 * size), aligned(1)));          \
  static void shuffle##size(uint8_t *restrict d, const uint8_t *restrict s, int64_t n) {    \
    int64_t i = 0;                                                                          \
    for (; i + 16 <= n; i += 16) {                                                          \
      elements##size x = *(const elements##size *)(s + i * size);                           \
      for (int b = 0; b < size; b++)                                                        \
        *(plane *)(d + b * n + i) = __builtin_convertvector(x >> (8 * b), plane);           \
    }                                                                                       \
    for (; i < n; i++)                                                                      \
      for (int b = 0; b < size; b++) d[b * n + i] = s[i * size + b];                        \
  }                                                                                         \
  static void unshuffle##size(uint8_t *restrict d, const uint8_t *restrict s, int64_t n) {  \
    int64_t i = 0;                                                                          \
    for (; i + 16 <= n; i += 16) {                                                          \
      elements##size x = {0};                                                               \
      for (int b = 0; b < size; b++)                                                        \
        x |= __builtin_convertvector(*(const plane *)(s + b * n + i), elements##size)       \
             << (8 * b);                                                                    \
      *(elements##size *)(d + i * size) = x;                                                \
    }                                                                                       \
    for (; i < n; i++)                                                                      \
      for (int b = 0; b < size; b++) d[i * size + b] = s[b * n + i];                        \
  }

SHUFFLE(4, uint32_t)
SHUFFLE(8, uint64_t)

void ms_shuffle(void *destination, const void *source, int64_t count, int32_t size) {
  if (size == 4) shuffle4(destination, source, count);
  else if (size == 8) shuffle8(destination, source, count);
  else memcpy(destination, source, count * size);
}

void ms_unshuffle(void *destination, const void *source, int64_t count, int32_t size) {
  if (size == 4) unshuffle4(destination, source, count);
  else if (size == 8) unshuffle8(destination, source, count);
  else memcpy(destination, source, count * size);
}

// A sample of about 2^12 bytes: the sum of squares of their counts is n + n^2 / 256 if all are
// equally frequent.
int32_t ms_is_uneven(const void *bytes, int64_t count) {
  const uint8_t *s = bytes;
  int64_t step = count > 4096 ? count / 4096 : 1, n = 0, squares = 0, counts[256] = {0};
  for (int64_t i = 0; i < count; i += step, n++) counts[s[i]]++;
  for (int b = 0; b < 256; b++) squares += counts[b] * counts[b];
  return 4 * squares > 5 * (n + n * n / 256);
}
