// Transposes and sums across lanes by shuffles of whole vectors.

#define LOW_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31

// a(i)(j) becomes a(j)(i): to interleave vector i with vector i + 8 turns the eight bits of the
// two indices by one place, and four turns exchange the indices.
static inline __attribute__((always_inline)) void NAME(transpose)(V *restrict a) {
  V b[MS_LANES];
#pragma clang loop unroll(full)
  for (int round = 0; round < 2; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < MS_LANES / 2; i++) {
      b[2 * i] = __builtin_shufflevector(a[i], a[i + 8], LOW_HALVES);
      b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 8], HIGH_HALVES);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < MS_LANES / 2; i++) {
      a[2 * i] = __builtin_shufflevector(b[i], b[i + 8], LOW_HALVES);
      a[2 * i + 1] = __builtin_shufflevector(b[i], b[i + 8], HIGH_HALVES);
    }
  }
}

#undef LOW_HALVES
#undef HIGH_HALVES

// The sum of the lanes, as a tree.
static inline __attribute__((always_inline)) REAL NAME(sum_of_lanes)(V x) {
  x += __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  x += __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  x += __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  return x[0];
}

// `width` elements at p, zero beyond.
static inline __attribute__((always_inline)) V NAME(load_part)(const REAL *p, int64_t width) {
  if (width >= MS_LANES) return *(const V *)p;
  V x = {0};
  memcpy(&x, p, width * sizeof(REAL));
  return x;
}

// Adds the first `width` elements of x to those at p.
static inline __attribute__((always_inline)) void NAME(add_part)(REAL *p, V x, int64_t width) {
  if (width >= MS_LANES) {
    *(V *)p += x;
  } else {
    REAL part[MS_LANES];
    memcpy(part, &x, sizeof part);
    for (int64_t j = 0; j < width; j++) p[j] += part[j];
  }
}
