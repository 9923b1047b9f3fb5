// A memory of n x m numbers a sequence, kept as a matrix [n][m][lanes]:
//
//     A' = C . A + sum of c . u v^T                                               (1)
//     y  = A s,   or   y = A^T s                                                  (2)
//     C(i,j) = offset + constant learned(i,j) row(i) column(j)                    (3)
//
// `learned` is a parameter, `row` and `column` are gates of the sequence: vectors, or for `row` a
// scalar. Each factor of (3) may be missing. dA is one buffer that is carried backwards through the
// steps in place: at step t it turns from dL/dA' into dL/dA.
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

// For the m elements of a row: AT(k, product) makes the product of element first + k with every
// lane; their sums over lanes are added to those at p. Products of a full block stay in registers.
#define BLOCKS_OF_LANES(m, p, AT)                                              \
  int64_t first = 0;                                                           \
  for (; first + MS_LANES <= (m); first += MS_LANES) {                         \
    V products[MS_LANES];                                                      \
    _Pragma("clang loop unroll(full)") for (int k = 0; k < MS_LANES; k++)      \
        AT(k, products[k])                                                     \
    *(V *)((p) + first) += NAME(lane_sums)(products);                          \
  }                                                                            \
  for (int64_t k = 0; first + k < (m); k++) {                                  \
    V product;                                                                 \
    AT(k, product)                                                             \
    (p)[first + k] += NAME(sum_of_lanes)(product);                             \
  }

// The kinds of C that are worth loops of their own; NO_CARRY leaves dA as it is.
#define NO_CARRY 0
#define CONSTANT 1
#define LEARNED 2
#define GATED 3

static inline __attribute__((always_inline)) int NAME(coefficient_kind)(
    NAME(coefficient) *c, const char *learned, const char *row, const char *column,
    int64_t row_step, double constant, double offset) {
  c->ones = (V){0} + (REAL)1;
  c->learned = learned ? (const REAL *)learned : (const REAL *)&c->ones;
  c->row = row ? (const V *)row : &c->ones;
  c->column = column ? (const V *)column : &c->ones;
  c->learned_step = learned != 0;
  c->row_step = row ? row_step : 0;
  c->column_step = column != 0;
  c->constant = (REAL)constant;
  c->offset = (REAL)offset;
  if (row || column) return GATED;
  if (learned) return constant == 1 && offset == 0 ? LEARNED : GATED;
  c->constant += c->offset;
  return CONSTANT;
}

// C(i,j) for i = at / m.
static inline __attribute__((always_inline)) V NAME(coefficient_at)(
    const int kind, const NAME(coefficient) *c, V row, int64_t at, int64_t j) {
  if (kind == CONSTANT) return (V){0} + c->constant;
  if (kind == LEARNED) return (V){0} + c->learned[at];
  return row * c->column[j * c->column_step] * c->learned[at * c->learned_step] + c->offset;
}

// (1) with one term: A' = C . A + c u v^T, or A' = C . A without u.
static inline __attribute__((always_inline)) void NAME(update_rows)(
    const int kind, V *restrict d, const V *restrict a, const NAME(coefficient) *c,
    const V *restrict u, const V *restrict v, const REAL *rate, REAL constant, int64_t n,
    int64_t m) {
  for (int64_t i = 0; i < n; i++) {
    V row = kind == GATED ? c->row[i * c->row_step] * c->constant : (V){0};
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
//   size 0 n, 1 m, 2 whether row has n elements, not 1; scalar 0 constant, 1 offset, 2 the constant c
KERNEL(matrix_update) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1), *u = (const V *)OPERAND(5), *v = (const V *)OPERAND(6);
  const REAL *rate = (const REAL *)OPERAND(7);
  REAL constant = (REAL)instruction->scalar[2];
  int64_t n = SIZE(0), m = SIZE(1);
  NAME(coefficient) c;
  int kind = NAME(coefficient_kind)(&c, OPERAND(2), OPERAND(3), OPERAND(4), SIZE(2),
                                    instruction->scalar[0], instruction->scalar[1]);
  if (kind == CONSTANT)
    NAME(update_rows)(CONSTANT, d, a, &c, u, v, rate, constant, n, m);
  else if (kind == LEARNED)
    NAME(update_rows)(LEARNED, d, a, &c, u, v, rate, constant, n, m);
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

// What a read of A' adds to dA', left right^T, where that is left to the passes over dA' that come
// next; null if nothing is.
typedef struct { const V *left, *right; } NAME(waiting);

// The derivative of a term c . u v^T with a constant c, for the rows from i on: with M = c dA',
// du += M v, dv += M^T u.
static inline __attribute__((always_inline)) void NAME(write_backward_rows)(
    const int rows, const int waits, const V *restrict d, NAME(waiting) waiting,
    const V *restrict u, const V *restrict v, REAL constant, V *du, V *dv, int64_t i, int64_t m) {
  V ui[2], sum[2], left[2];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    ui[r] = u[i + r] * constant;
    left[r] = waits ? waiting.left[i + r] : (V){0};
    sum[r] = (V){0};
  }
  d += i * m;
  for (int64_t j = 0; j < m; j++) {
    V vj = v[j], share = {0};
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      V g = d[r * m + j];
      if (waits) g += left[r] * waiting.right[j];
      sum[r] += g * vj;
      share += g * ui[r];
    }
    dv[j] += share;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) du[i + r] += sum[r] * constant;
}

// The same with a learned c, for a row: also dc += sum over lanes of dA' . u v^T.
static inline __attribute__((always_inline)) void NAME(write_backward_learned)(
    const int waits, const V *restrict d, V left, const V *right, V ui, const V *restrict v, const REAL *restrict c, V *du, V *dv,
    REAL *restrict dc, int64_t m) {
  V sum = {0};
#define AT(k, product)                      \
  {                                         \
    int64_t j = first + (k);                \
    V g = d[j], vj = v[j];                  \
    if (waits) g += left * right[j];        \
    V share = g * ui;                       \
    sum += g * (vj * c[j]);                 \
    dv[j] += share * c[j];                  \
    product = share * vj;                   \
  }
  BLOCKS_OF_LANES(m, dc, AT)
#undef AT
  *du += sum;
}

static inline __attribute__((always_inline)) void NAME(write_backward_all)(
    const int waits, const V *d, NAME(waiting) waiting, const V *u, const V *v, const REAL *c,
    REAL constant, V *du, V *dv, REAL *dc, int64_t n, int64_t m) {
  int64_t i = 0;
  if (c)
    for (; i < n; i++)
      NAME(write_backward_learned)(waits, d + i * m, waits ? waiting.left[i] : (V){0},
                                   waiting.right, u[i], v, c + i * m, du + i, dv, dc + i * m, m);
  for (; i + 2 <= n; i += 2)
    NAME(write_backward_rows)(2, waits, d, waiting, u, v, constant, du, dv, i, m);
  if (i < n) NAME(write_backward_rows)(1, waits, d, waiting, u, v, constant, du, dv, i, m);
}

// The derivative of a term c . u v^T of (1).
//   operand 0 dA', 1 u, 2 v, 3 c or null, 4 du, 5 dv, 6 dc, 7 waiting left or null, 8 waiting right
//   size 0 n, 1 m; scalar 0 the constant c
KERNEL(matrix_write_backward) {
  NAME(waiting) waiting = {(const V *)OPERAND(7), (const V *)OPERAND(8)};
  if (waiting.left)
    NAME(write_backward_all)(1, (const V *)OPERAND(0), waiting, (const V *)OPERAND(1),
                             (const V *)OPERAND(2), (const REAL *)OPERAND(3),
                             (REAL)instruction->scalar[0], (V *)OPERAND(4), (V *)OPERAND(5),
                             (REAL *)OPERAND(6), SIZE(0), SIZE(1));
  else
    NAME(write_backward_all)(0, (const V *)OPERAND(0), waiting, (const V *)OPERAND(1),
                             (const V *)OPERAND(2), (const REAL *)OPERAND(3),
                             (REAL)instruction->scalar[0], (V *)OPERAND(4), (V *)OPERAND(5),
                             (REAL *)OPERAND(6), SIZE(0), SIZE(1));
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

// What the backward pass over dA does with the read of A: nothing, y = A s or y = A^T s.
#define NO_READ 0
#define READ 1
#define TRANSPOSED 2

typedef struct {
  V *d;
  const V *a;
  NAME(coefficient) c;
  REAL *dlearned;        // or null
  V *drow, *dcolumn;     // or a place that nobody reads
  int64_t row_step, column_step;
  const V *left, *right; // the read adds left right^T to dA
  V *ds;
  NAME(waiting) waiting; // dA' is what stands there and this
} NAME(carry);

// What rows keep while their columns pass.
typedef struct { V gate, left, waiting, sum, dgate; } NAME(carry_row);

// Column j of rows i ..< i + rows: dA = C . dA' + left right^T, and what the element adds to
// ds = A^T left (READ) or A right (TRANSPOSED) and, as dC = dA' . A, to the factors of C. Gives
// what the last of the rows adds to the learned factor.
static inline __attribute__((always_inline)) V NAME(carry_at)(
    const int rows, const int kind, const int read, const int waits, const NAME(carry) *p, NAME(carry_row) *row,
    V *restrict d, const V *restrict a, int64_t at, int64_t j, int64_t m) {
  V right = read != NO_READ ? p->right[j] : (V){0}, share = {0}, dcolumn = {0}, product = {0};
  V column = kind == GATED ? p->c.column[j * p->c.column_step] : (V){0};
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    V g = d[r * m + j];
    if (waits) g += row[r].waiting * p->waiting.right[j];
    V aj = read != NO_READ || kind >= LEARNED ? a[r * m + j] : (V){0};
    if (kind == LEARNED) product = g * aj;
    if (kind == GATED) {
      V dc = g * aj;
      product = dc * row[r].gate * column;
      dc *= p->c.learned[(at + r * m + j) * p->c.learned_step];
      row[r].dgate += dc * column;
      dcolumn += dc * row[r].gate;
    }
    if (kind != NO_CARRY) g *= NAME(coefficient_at)(kind, &p->c, row[r].gate, at + r * m + j, j);
    if (read != NO_READ) g += row[r].left * right;
    if (kind != NO_CARRY || read != NO_READ) d[r * m + j] = g;
    if (read == READ) share += aj * row[r].left;
    if (read == TRANSPOSED) row[r].sum += aj * right;
  }
  if (read == READ) p->ds[j] += share;
  if (kind == GATED) p->dcolumn[j * p->column_step] += dcolumn;
  return product;
}

static inline __attribute__((always_inline)) void NAME(carry_rows)(
    const int rows, const int kind, const int read, const int waits, const int is_learned,
    const NAME(carry) *p, int64_t i, int64_t m) {
  NAME(carry_row) row[2];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    row[r].gate = kind == GATED ? p->c.row[(i + r) * p->c.row_step] * p->c.constant : (V){0};
    row[r].left = read != NO_READ ? p->left[i + r] : (V){0};
    row[r].waiting = waits ? p->waiting.left[i + r] : (V){0};
    row[r].sum = row[r].dgate = (V){0};
  }
  V *restrict d = p->d + i * m;
  const V *restrict a = p->a + i * m;
  if (is_learned) {
#define AT(k, product) \
  product = NAME(carry_at)(rows, kind, read, waits, p, row, d, a, i * m, first + (k), m);
    BLOCKS_OF_LANES(m, p->dlearned + i * m, AT)
#undef AT
  } else {
    for (int64_t j = 0; j < m; j++) NAME(carry_at)(rows, kind, read, waits, p, row, d, a, i * m, j, m);
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    if (read == TRANSPOSED) p->ds[i + r] += row[r].sum;
    if (kind == GATED) p->drow[(i + r) * p->row_step] += row[r].dgate * p->c.constant;
  }
}

static inline __attribute__((always_inline)) void NAME(carry_all)(
    const int kind, const int read, const int waits, const NAME(carry) *p, int64_t n, int64_t m) {
  int64_t i = 0;
  if (kind >= LEARNED && p->dlearned)
    for (; i < n; i++) NAME(carry_rows)(1, kind, read, waits, 1, p, i, m);
  if (kind == LEARNED) return;
  for (; i + 2 <= n; i += 2) NAME(carry_rows)(2, kind, read, waits, 0, p, i, m);
  if (i < n) NAME(carry_rows)(1, kind, read, waits, 0, p, i, m);
}

// dL/dA' becomes dL/dA (1), and a read of A, if given, adds its part: one pass over dA and A.
//   operand 0 dA, 1 A, 2 learned, 3 its gradient, 4 row, 5 drow, 6 column, 7 dcolumn,
//     8 left (n) or null, 9 right (m), 10 ds: for y = A s left is dy and right s, for y = A^T s
//     left is s and right dy, 11 waiting left or null, 12 waiting right
//   size 0 n, 1 m, 2 whether row has n elements, not 1, 3 whether (1) is passed, 4 whether the read
//     is of A^T; scalar 0 constant, 1 offset
KERNEL(matrix_carry_backward) {
  V unread;
  NAME(carry) p = {.d = (V *)OPERAND(0), .a = (const V *)OPERAND(1)};
  int kind = NAME(coefficient_kind)(&p.c, OPERAND(2), OPERAND(4), OPERAND(6), SIZE(2),
                                    instruction->scalar[0], instruction->scalar[1]);
  if (!SIZE(3)) kind = NO_CARRY;
  p.dlearned = (REAL *)OPERAND(3);
  p.drow = OPERAND(5) ? (V *)OPERAND(5) : &unread;
  p.dcolumn = OPERAND(7) ? (V *)OPERAND(7) : &unread;
  p.row_step = OPERAND(5) ? SIZE(2) : 0;
  p.column_step = OPERAND(7) != 0;
  p.left = (const V *)OPERAND(8);
  p.right = (const V *)OPERAND(9);
  p.ds = (V *)OPERAND(10);
  p.waiting = (NAME(waiting)){(const V *)OPERAND(11), (const V *)OPERAND(12)};
  unread = (V){0};
  int64_t n = SIZE(0), m = SIZE(1);
  int read = !p.left ? NO_READ : SIZE(4) ? TRANSPOSED : READ;
#define CASE(k, r)                          \
  if (kind == k && read == r) {             \
    if (k != NO_CARRY && p.waiting.left)    \
      NAME(carry_all)(k, r, k != NO_CARRY, &p, n, m); \
    else                                    \
      NAME(carry_all)(k, r, 0, &p, n, m);   \
    return;                                 \
  }
  CASE(CONSTANT, NO_READ) CASE(LEARNED, NO_READ) CASE(GATED, NO_READ)
  CASE(NO_CARRY, READ) CASE(CONSTANT, READ) CASE(LEARNED, READ) CASE(GATED, READ)
  CASE(NO_CARRY, TRANSPOSED) CASE(CONSTANT, TRANSPOSED) CASE(LEARNED, TRANSPOSED)
  CASE(GATED, TRANSPOSED)
#undef CASE
}

#undef NO_CARRY
#undef CONSTANT
#undef LEARNED
#undef GATED
#undef NO_READ
#undef READ
#undef TRANSPOSED
#undef BLOCKS_OF_LANES
