// The derivative of matrix_memory.h. dA is one buffer that is carried backwards through the steps in
// place: at step t it turns from dL/dA' into dL/dA.

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
    if (kind == ROWS) row[r].dgate += g * aj;
    if (kind == GATED) {
      V dc = g * aj;
      product = dc * row[r].gate * column;
      dc *= p->c.learned[(at + r * m + j) * p->c.learned_step];
      row[r].dgate += dc * column;
      dcolumn += dc * row[r].gate;
    }
    if (kind == SQUASHED) {
      V z = p->c.column[j], t = NAME(tanh_lanes)(row[r].gate * z);
      V dz = g * aj * p->c.constant * ((REAL)1 - t * t);
      row[r].dgate += dz * z;
      dcolumn += dz * row[r].gate;
      g *= t * p->c.constant + p->c.offset;
    } else if (kind != NO_CARRY) g *= NAME(coefficient_at)(kind, &p->c, row[r].gate, at + r * m + j, j);
    if (read != NO_READ) g += row[r].left * right;
    if (kind != NO_CARRY || read != NO_READ) d[r * m + j] = g;
    if (read == READ) share += aj * row[r].left;
    if (read == TRANSPOSED) row[r].sum += aj * right;
  }
  if (read == READ) p->ds[j] += share;
  if (kind == GATED || kind == SQUASHED) p->dcolumn[j * p->column_step] += dcolumn;
  return product;
}

static inline __attribute__((always_inline)) void NAME(carry_rows)(
    const int rows, const int kind, const int read, const int waits, const int is_learned,
    const NAME(carry) *p, int64_t i, int64_t m) {
  NAME(carry_row) row[2];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    row[r].gate = NAME(row_gate)(kind, &p->c, i + r);
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
    if (kind == GATED || kind == ROWS)
      p->drow[(i + r) * p->row_step] += row[r].dgate * p->c.constant;
    if (kind == SQUASHED) p->drow[(i + r) * p->row_step] += row[r].dgate;
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
//     is of A^T, 5 whether C is (4); scalar 0 constant, 1 offset
KERNEL(matrix_carry_backward) {
  V unread;
  NAME(carry) p = {.d = (V *)OPERAND(0), .a = (const V *)OPERAND(1)};
  int kind = NAME(coefficient_kind)(&p.c, OPERAND(2), OPERAND(4), OPERAND(6), SIZE(2), SIZE(5),
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
  CASE(CONSTANT, NO_READ) CASE(LEARNED, NO_READ) CASE(GATED, NO_READ) CASE(SQUASHED, NO_READ)
  CASE(ROWS, NO_READ)
  CASE(NO_CARRY, READ) CASE(CONSTANT, READ) CASE(LEARNED, READ) CASE(GATED, READ)
  CASE(SQUASHED, READ) CASE(ROWS, READ)
  CASE(NO_CARRY, TRANSPOSED) CASE(CONSTANT, TRANSPOSED) CASE(LEARNED, TRANSPOSED)
  CASE(GATED, TRANSPOSED) CASE(SQUASHED, TRANSPOSED)
  CASE(ROWS, TRANSPOSED)
#undef CASE
}

#undef NO_CARRY
#undef CONSTANT
#undef LEARNED
#undef GATED
#undef SQUASHED
#undef ROWS
#undef NO_READ
#undef READ
#undef TRANSPOSED
#undef BLOCKS_OF_LANES
