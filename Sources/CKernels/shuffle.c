#include "CKernels.h"
#include <string.h>

void ms_shuffle(void *destination, const void *source, int64_t count, int32_t size) {
  if (size == 4 || size == 8)
    ms_kernels_for(ms_best_level(), size)->shuffle(destination, source, count);
  else
    memcpy(destination, source, count * size);
}

void ms_unshuffle(void *destination, const void *source, int64_t count, int32_t size) {
  if (size == 4 || size == 8)
    ms_kernels_for(ms_best_level(), size)->unshuffle(destination, source, count);
  else
    memcpy(destination, source, count * size);
}

// A sample of about 2^11 bytes: the sum of squares of their counts is n + n^2 / 256 if all are
// equally frequent.
int32_t ms_is_uneven(const void *bytes, int64_t count) {
  const uint8_t *s = bytes;
  int64_t step = count > 2048 ? count / 2048 : 1, n = 0, squares = 0, counts[256] = {0};
  for (int64_t i = 0; i < count; i += step, n++) counts[s[i]]++;
  for (int b = 0; b < 256; b++) squares += counts[b] * counts[b];
  return 4 * squares > 5 * (n + n * n / 256);
}
