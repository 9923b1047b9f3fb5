// A memory of n x m numbers a sequence, kept as a matrix [n][m][lanes]:
//
//     A' = C . A + sum of c . u v^T                                               (1)
//     y  = A s,   or   y = A^T s                                                  (2)
//     C(i,j) = offset + constant learned(i,j) row(i) column(j)                    (3)
//   or C(i,j) = offset + constant tanh(row(i) column(j))                          (4)
//
// `learned` is a parameter, `row` and `column` are gates of the sequence: vectors, or for `row` a
// scalar. Each factor of (3) may be missing.
//
// A matrix is larger than the first cache, and storing it is what costs most: every kernel passes
// over it once, two rows at a time, and does there all that can be done.

// Where the factors of (3) stand; a missing one is a single 1 that steps of 0 come back to.
typedef struct {
  const REAL *learned;
  const V *row, *column;
  int64_t learned_step, row_step, column_step;
  REAL constant, offset;
  V ones;
} NAME(coefficient);

// The kinds of C that are worth loops of their own; NO_CARRY, for derivatives, leaves dA as it is.
#define NO_CARRY 0
#define CONSTANT 1
#define LEARNED 2
#define GATED 3
#define SQUASHED 4
#define ROWS 5  // gates of rows, or one for all, and nothing else

static inline __attribute__((always_inline)) int NAME(coefficient_kind)(
    NAME(coefficient) *c, const char *learned, const char *row, const char *column,
    int64_t row_step, int64_t is_squashed, double constant, double offset) {
  c->ones = (V){0} + (REAL)1;
  c->learned = learned ? (const REAL *)learned : (const REAL *)&c->ones;
  c->row = row ? (const V *)row : &c->ones;
  c->column = column ? (const V *)column : &c->ones;
  c->learned_step = learned != 0;
  c->row_step = row ? row_step : 0;
  c->column_step = column != 0;
  c->constant = (REAL)constant;
  c->offset = (REAL)offset;
  if (is_squashed) return SQUASHED;
  if (row && !column && !learned) return ROWS;
  if (row || column) return GATED;
  if (learned) return constant == 1 && offset == 0 ? LEARNED : GATED;
  c->constant += c->offset;
  return CONSTANT;
}

// C(i,j) for i = at / m; `row` is constant row(i), or row(i) for (4).
static inline __attribute__((always_inline)) V NAME(coefficient_at)(
    const int kind, const NAME(coefficient) *c, V row, int64_t at, int64_t j) {
  if (kind == CONSTANT) return (V){0} + c->constant;
  if (kind == LEARNED) return (V){0} + c->learned[at];
  if (kind == ROWS) return row + c->offset;
  if (kind == SQUASHED) return NAME(tanh_lanes)(row * c->column[j]) * c->constant + c->offset;
  return row * c->column[j * c->column_step] * c->learned[at * c->learned_step] + c->offset;
}

// What C(i,.) needs of the gate of row i.
static inline __attribute__((always_inline)) V NAME(row_gate)(
    const int kind, const NAME(coefficient) *c, int64_t i) {
  if (kind == SQUASHED) return c->row[i];
  return kind == GATED || kind == ROWS ? c->row[i * c->row_step] * c->constant : (V){0};
}

// (1) with one term: A' = C . A + c u v^T, or A' = C . A without u.
static inline __attribute__((always_inline)) void NAME(update_rows)(
    const int kind, V *restrict d, const V *restrict a, const NAME(coefficient) *c,
    const V *restrict u, const V *restrict v, const REAL *rate, REAL constant, int64_t n,
    int64_t m) {
  for (int64_t i = 0; i < n; i++) {
    V row = NAME(row_gate)(kind, c, i);
    V ui = u ? u[i] : (V){0};
    if (rate)
      for (int64_t j = 0; j < m; j++)
        d[i * m + j] = a[i * m + j] * NAME(coefficient_at)(kind, c, row, i * m + j, j) +
                       (ui * v[j]) * rate[i * m + j];
    else if (u)
      for (int64_t j = 0; j < m; j++)
        d[i * m + j] = a[i * m + j] * NAME(coefficient_at)(kind, c, row, i * m + j, j) +
                       (ui * constant) * v[j];
    else
      for (int64_t j = 0; j < m; j++)
        d[i * m + j] = a[i * m + j] * NAME(coefficient_at)(kind, c, row, i * m + j, j);
  }
}

// (1) with its first term, if it has one.
//   operand 0 A', 1 A, 2 learned, 3 row, 4 column, 5 u (n) or null, 6 v (m), 7 c or null
//   size 0 n, 1 m, 2 whether row has n elements, not 1, 3 whether C is (4)
//   scalar 0 constant, 1 offset, 2 the constant c
KERNEL(matrix_update) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1), *u = (const V *)OPERAND(5), *v = (const V *)OPERAND(6);
  const REAL *rate = (const REAL *)OPERAND(7);
  REAL constant = (REAL)instruction->scalar[2];
  int64_t n = SIZE(0), m = SIZE(1);
  NAME(coefficient) c;
  int kind = NAME(coefficient_kind)(&c, OPERAND(2), OPERAND(3), OPERAND(4), SIZE(2), SIZE(3),
                                    instruction->scalar[0], instruction->scalar[1]);
  if (kind == CONSTANT)
    NAME(update_rows)(CONSTANT, d, a, &c, u, v, rate, constant, n, m);
  else if (kind == LEARNED)
    NAME(update_rows)(LEARNED, d, a, &c, u, v, rate, constant, n, m);
  else if (kind == ROWS)
    NAME(update_rows)(ROWS, d, a, &c, u, v, rate, constant, n, m);
  else if (kind == SQUASHED)
    NAME(update_rows)(SQUASHED, d, a, &c, u, v, rate, constant, n, m);
  else
    NAME(update_rows)(GATED, d, a, &c, u, v, rate, constant, n, m);
}

// A further term of (1): A' += c . u v^T.
//   operand 0 A', 1 u (n), 2 v (m), 3 c or null; size 0 n, 1 m; scalar 0 the constant c
KERNEL(matrix_write) {
  V *restrict d = (V *)OPERAND(0);
  const V *u = (const V *)OPERAND(1), *v = (const V *)OPERAND(2);
  const REAL *c = (const REAL *)OPERAND(3);
  REAL constant = (REAL)instruction->scalar[0];
  int64_t m = SIZE(1);
  for (int64_t i = 0; i < SIZE(0); i++)
    if (c)
      for (int64_t j = 0; j < m; j++) d[i * m + j] += (u[i] * v[j]) * c[i * m + j];
    else
      for (int64_t j = 0; j < m; j++) d[i * m + j] += (u[i] * constant) * v[j];
}

// d = u (x) v, all products of two elements: d(i m + j) = u(i) v(j).
//   operand 0 d (n m), 1 u (n), 2 v (m); size 0 n, 1 m
KERNEL(kronecker) {
  V *restrict d = (V *)OPERAND(0);
  const V *u = (const V *)OPERAND(1), *v = (const V *)OPERAND(2);
  int64_t m = SIZE(1);
  for (int64_t i = 0; i < SIZE(0); i++)
    for (int64_t j = 0; j < m; j++) d[i * m + j] = u[i] * v[j];
}

// (2): y (+)= A s, four rows at a time.
//   operand 0 y (n), 1 A, 2 s (m); size 0 n, 1 m, 2 add
KERNEL(matrix_read) {
  V *y = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1), *s = (const V *)OPERAND(2);
  int64_t i = 0, n = SIZE(0), m = SIZE(1);
  for (; i + 4 <= n; i += 4, a += 4 * m) {
    V sum0 = {0}, sum1 = {0}, sum2 = {0}, sum3 = {0};
    if (SIZE(2)) {
      sum0 = y[i];
      sum1 = y[i + 1];
      sum2 = y[i + 2];
      sum3 = y[i + 3];
    }
    for (int64_t j = 0; j < m; j++) {
      V sj = s[j];
      sum0 += a[j] * sj;
      sum1 += a[m + j] * sj;
      sum2 += a[2 * m + j] * sj;
      sum3 += a[3 * m + j] * sj;
    }
    y[i] = sum0;
    y[i + 1] = sum1;
    y[i + 2] = sum2;
    y[i + 3] = sum3;
  }
  for (; i < n; i++, a += m) {
    V sum = SIZE(2) ? y[i] : (V){0};
    for (int64_t j = 0; j < m; j++) sum += a[j] * s[j];
    y[i] = sum;
  }
}

// (2): y (+)= A^T s.
//   operand 0 y (m), 1 A, 2 s (n); size 0 n, 1 m, 2 add
KERNEL(matrix_read_transposed) {
  V *restrict y = (V *)OPERAND(0);
  const V *restrict a = (const V *)OPERAND(1), *restrict s = (const V *)OPERAND(2);
  int64_t i = 0, n = SIZE(0), m = SIZE(1);
  if (!SIZE(2)) memset(y, 0, m * sizeof(V));
  for (; i + 4 <= n; i += 4, a += 4 * m)
    for (int64_t j = 0; j < m; j++)
      y[j] += (a[j] * s[i] + a[m + j] * s[i + 1]) + (a[2 * m + j] * s[i + 2] + a[3 * m + j] * s[i + 3]);
  for (; i < n; i++, a += m)
    for (int64_t j = 0; j < m; j++) y[j] += a[j] * s[i];
}
