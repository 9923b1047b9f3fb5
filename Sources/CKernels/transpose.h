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

// The sums over lanes of a(0) ... a(15), one a lane: a tree whose level of distance k keeps of each
// pair of vectors the lanes with bit k clear from the one, set from the other.
static inline __attribute__((always_inline)) V NAME(lane_sums)(const V *restrict a) {
  V b[MS_LANES];
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) {
    V x = a[2 * i], y = a[2 * i + 1];
    b[i] = __builtin_shufflevector(x, y, 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31) +
           __builtin_shufflevector(x, y, 1, 16, 3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15, 30);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    V x = b[2 * i], y = b[2 * i + 1];
    b[i] = __builtin_shufflevector(x, y, 0, 1, 18, 19, 4, 5, 22, 23, 8, 9, 26, 27, 12, 13, 30, 31) +
           __builtin_shufflevector(x, y, 2, 3, 16, 17, 6, 7, 20, 21, 10, 11, 24, 25, 14, 15, 28, 29);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 2; i++) {
    V x = b[2 * i], y = b[2 * i + 1];
    b[i] = __builtin_shufflevector(x, y, 0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29, 30, 31) +
           __builtin_shufflevector(x, y, 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27);
  }
  return __builtin_shufflevector(b[0], b[1], 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31) +
         __builtin_shufflevector(b[0], b[1], 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
}
