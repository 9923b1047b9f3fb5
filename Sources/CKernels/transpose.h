// Transposes and sums across lanes by shuffles of whole vectors.

#define LOW_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31

// Within each quarter of four lanes.
#define LOW_PAIRS 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define HIGH_PAIRS 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define EVEN_PAIRS 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define ODD_PAIRS 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31

typedef REAL NAME(quarter) __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL))));
typedef REAL NAME(half) __attribute__((vector_size(8 * sizeof(REAL)), aligned(sizeof(REAL))));

// Turns each of the 4 x 4 blocks that lie side by side in four vectors.
static inline __attribute__((always_inline)) void NAME(transpose_blocks)(V *restrict a) {
  V low01 = __builtin_shufflevector(a[0], a[1], LOW_PAIRS);
  V high01 = __builtin_shufflevector(a[0], a[1], HIGH_PAIRS);
  V low23 = __builtin_shufflevector(a[2], a[3], LOW_PAIRS);
  V high23 = __builtin_shufflevector(a[2], a[3], HIGH_PAIRS);
  a[0] = __builtin_shufflevector(low01, low23, EVEN_PAIRS);
  a[1] = __builtin_shufflevector(low01, low23, ODD_PAIRS);
  a[2] = __builtin_shufflevector(high01, high23, EVEN_PAIRS);
  a[3] = __builtin_shufflevector(high01, high23, ODD_PAIRS);
}

// Four columns, from 4 j on, of 16 rows of elements that stand anywhere: out(i)(r) = row(r)(4 j + i).
// Quarters of rows are loaded to where they belong, so that only 4 x 4 blocks are left to turn.
static inline __attribute__((always_inline)) void NAME(load_columns)(
    const REAL *const *row, int64_t j, V *restrict out) {
#define QUARTER(r) ((const NAME(quarter) *)row[r])[j]
#pragma clang loop unroll(full)
  for (int r = 0; r < 4; r++) {
    NAME(half) low = __builtin_shufflevector(QUARTER(r), QUARTER(r + 4), 0, 1, 2, 3, 4, 5, 6, 7);
    NAME(half) high =
        __builtin_shufflevector(QUARTER(r + 8), QUARTER(r + 12), 0, 1, 2, 3, 4, 5, 6, 7);
    out[r] = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  }
#undef QUARTER
  NAME(transpose_blocks)(out);
}

// The inverse: columns 4 j ..< 4 j + 4 of 16 rows, from a, which is used up.
static inline __attribute__((always_inline)) void NAME(store_columns)(
    REAL *const *row, int64_t j, V *restrict a) {
  NAME(transpose_blocks)(a);
#define QUARTER(r) ((NAME(quarter) *)row[r])[j]
#pragma clang loop unroll(full)
  for (int r = 0; r < 4; r++) {
    QUARTER(r) = __builtin_shufflevector(a[r], a[r], 0, 1, 2, 3);
    QUARTER(r + 4) = __builtin_shufflevector(a[r], a[r], 4, 5, 6, 7);
    QUARTER(r + 8) = __builtin_shufflevector(a[r], a[r], 8, 9, 10, 11);
    QUARTER(r + 12) = __builtin_shufflevector(a[r], a[r], 12, 13, 14, 15);
  }
#undef QUARTER
}

// All columns of 16 elements: out(i)(j) = row(j)(i).
static inline __attribute__((always_inline)) void NAME(transpose_rows)(
    const REAL *const *row, V *restrict out) {
#pragma clang loop unroll(full)
  for (int j = 0; j < 4; j++) NAME(load_columns)(row, j, out + 4 * j);
}

// a(i)(j) becomes a(j)(i).
static inline __attribute__((always_inline)) void NAME(transpose)(V *restrict a) {
  V b[MS_LANES];
#if PAIRS
  // To interleave vector i with vector i + 8 turns the eight bits of the two indices by one place,
  // and four turns exchange the indices.
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
#else
  // Vectors of several registers: to interleave these whole takes five times as long.
  const REAL *row[MS_LANES];
  memcpy(b, a, sizeof b);
#pragma clang loop unroll(full)
  for (int i = 0; i < MS_LANES; i++) row[i] = (const REAL *)(b + i);
  NAME(transpose_rows)(row, a);
#endif
}

#undef LOW_HALVES
#undef HIGH_HALVES

#undef LOW_PAIRS
#undef HIGH_PAIRS
#undef EVEN_PAIRS
#undef ODD_PAIRS

// The sum of the lanes, as a tree.
static inline __attribute__((always_inline)) REAL NAME(sum_of_lanes)(V x) {
  x += __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  x += __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  x += __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  return x[0];
}

// The sums of the lanes of 16 vectors, the sum of a(i) in lane i, as trees; a is used up.
//
// Each round adds one half of a vector's blocks of lanes to the other, and puts two vectors into one.
static inline __attribute__((always_inline)) V NAME(sums_of_lanes)(V *restrict a) {
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++)
    a[i] = __builtin_shufflevector(a[i], a[i + 8], 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30,
                                   31) +
           __builtin_shufflevector(a[i], a[i + 8], 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                                   21, 22, 23);
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++)
    a[i] = __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29,
                                   30, 31) +
           __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25,
                                   26, 27);
#pragma clang loop unroll(full)
  for (int i = 0; i < 2; i++)
    a[i] = __builtin_shufflevector(a[i], a[i + 2], 0, 1, 18, 19, 4, 5, 22, 23, 8, 9, 26, 27, 12, 13,
                                   30, 31) +
           __builtin_shufflevector(a[i], a[i + 2], 2, 3, 16, 17, 6, 7, 20, 21, 10, 11, 24, 25, 14, 15,
                                   28, 29);
  return __builtin_shufflevector(a[0], a[1], 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14,
                                 31) +
         __builtin_shufflevector(a[0], a[1], 1, 16, 3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15,
                                 30);
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

// The same, or without `add` as if the elements at p were zero.
static inline __attribute__((always_inline)) void NAME(take_part)(REAL *p, V x, int64_t width,
                                                                  int add) {
  if (add) {
    NAME(add_part)(p, x, width);
    return;
  }
  x += (V){0};  // a sum with zero is never -0
  memcpy(p, &x, (width < MS_LANES ? width : MS_LANES) * sizeof(REAL));
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
