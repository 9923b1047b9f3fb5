// Products of a parameter matrix with a vector of every sequence of a tile, and their gradients.
//
// A block of rows keeps its sums in registers, k strictly in order, so that a row's result does not
// depend on the rows beside it.

static inline __attribute__((always_inline)) void NAME(linear_block)(
    const int rows, V *restrict d, const REAL *restrict w, int64_t row_stride, int64_t k_stride,
    const V *restrict x, int64_t count, const REAL *bias, int add) {
  V sum[BLOCK];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = add ? d[r] : bias ? (V){0} + bias[r] : (V){0};
  for (int64_t k = 0; k < count; k++) {
    V xk = x[k];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] += xk * w[r * row_stride + k * k_stride];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) d[r] = sum[r];
}

// d (+)= W x, or d = W x + b: also dx (+)= W^T dy with the strides exchanged.
//   operand 0 d (m), 1 x (k), 2 W, 3 bias or null
//   size 0 m, 1 k, 2 elements from row to row of W, 3 from column to column, 4 add
KERNEL(linear) {
  V *d = (V *)OPERAND(0);
  const V *x = (const V *)OPERAND(1);
  const REAL *w = (const REAL *)OPERAND(2);
  const REAL *bias = instruction->operand[3].base ? (const REAL *)OPERAND(3) : 0;
  int64_t m = 0, n = SIZE(0), k = SIZE(1), row = SIZE(2), column = SIZE(3);
  int add = (int)SIZE(4);
  for (int64_t b = 0; b < BLOCKS(n); b++) {
    int64_t count = ROWS_OF(n, b);
    WITH_ROWS(count, NAME(linear_block)(rows, d + m, w + m * row, row, column, x, k,
                                        bias ? bias + m : 0, add))
    m += count;
  }
}

// The same for two vectors of x with one weight from memory for both, from a panel of `rows` rows.
static inline __attribute__((always_inline)) void NAME(linear_pair)(
    const int rows, V *restrict d0, V *restrict d1, const REAL *restrict panel,
    const V *restrict x0, const V *restrict x1, int64_t count, const REAL *bias, int add) {
  V sum0[BLOCK], sum1[BLOCK];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    V start = bias ? (V){0} + bias[r] : (V){0};
    sum0[r] = add ? d0[r] : start;
    sum1[r] = add ? d1[r] : start;
    if (!add) {
      __builtin_prefetch(d0 + r, 1);
      __builtin_prefetch(d1 + r, 1);
    }
  }
  for (int64_t k = 0; k < count; k++) {
    V a = x0[k], b = x1[k];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      sum0[r] += a * panel[k * rows + r];
      sum1[r] += b * panel[k * rows + r];
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    d0[r] = sum0[r];
    d1[r] = sum1[r];
  }
}

// A block of d (+)= W x from its panel, for `vectors` vectors at the given distances in bytes.
static inline __attribute__((always_inline)) void NAME(linear_vectors)(
    const int rows, char *d, int64_t d_stride, const char *x, int64_t x_stride, int64_t vectors,
    const REAL *restrict panel, int64_t count, const REAL *bias, int add) {
  int64_t v = 0;
  for (; PAIRS && v + 1 < vectors; v += 2)
    NAME(linear_pair)(rows, (V *)(d + v * d_stride), (V *)(d + (v + 1) * d_stride), panel,
                      (const V *)(x + v * x_stride), (const V *)(x + (v + 1) * x_stride), count,
                      bias, add);
  for (; v < vectors; v++)
    NAME(linear_block)(rows, (V *)(d + v * d_stride), panel, 1, rows,
                       (const V *)(x + v * x_stride), count, bias, add);
}

// Blocks of `rows` rows are turned as many together as a vector has room for, each in half of it or in
// all of it.
#define BLOCKS_TURNED(rows) ((rows) <= MS_LANES / 2 ? 2 : 1)

// Where those rows begin, `row` elements from one to the next: of `some` blocks, and any for the rest.
static inline __attribute__((always_inline)) void NAME(rows_turned)(
    const int rows, const REAL **from, const REAL *first, int64_t some, int64_t row) {
  const int together = BLOCKS_TURNED(rows), room = MS_LANES / together;
#pragma clang loop unroll(full)
  for (int r = 0; r < MS_LANES; r++)
    from[r] = first + (r % room < rows && r / room < some ? r / room * rows + r % room : 0) * row;
}

// A column of them, to that of each block.
static inline __attribute__((always_inline)) void NAME(store_turned)(
    const int rows, REAL *restrict column, int64_t block_size, V turned, int64_t some) {
  if (BLOCKS_TURNED(rows) == 1) {
    memcpy(column, &turned, rows * sizeof(REAL));
    return;
  }
  NAME(half) first = __builtin_shufflevector(turned, turned, 0, 1, 2, 3, 4, 5, 6, 7);
  memcpy(column, &first, rows * sizeof(REAL));
  if (some == 1) return;
  NAME(half) second = __builtin_shufflevector(turned, turned, 8, 9, 10, 11, 12, 13, 14, 15);
  memcpy(column + block_size, &second, rows * sizeof(REAL));
}

// Panels of blocks of `rows` rows that lie one after the other, four columns at a time.
static inline __attribute__((always_inline)) void NAME(pack_rows)(
    const int rows, REAL *restrict panel, const REAL *restrict w, int64_t blocks, int64_t columns,
    int64_t row) {
  const int64_t together = BLOCKS_TURNED(rows);
  for (int64_t b = 0; b < blocks; b += together, w += together * rows * row) {
    int64_t some = blocks - b < together ? blocks - b : together, k = 0;
    const REAL *from[MS_LANES];
    NAME(rows_turned)(rows, from, w, some, row);
    for (; k + 4 <= columns; k += 4) {
      V turned[4];
      // The rows after these, which are far away.
      for (int64_t r = 0; r < some * rows && k % MS_LANES == 0; r++)
        __builtin_prefetch(w + (together * rows + r) * row + k);
      NAME(load_columns)(from, k / 4, turned);
#pragma clang loop unroll(full)
      for (int64_t i = 0; i < 4; i++)
        NAME(store_turned)(rows, panel + (k + i) * rows, columns * rows, turned[i], some);
    }
    for (; k < columns; k++)
      for (int64_t r = 0; r < some * rows; r++)
        panel[(r / rows * columns + k) * rows + r % rows] = w[r * row + k];
    panel += some * rows * columns;
  }
}

// The same where columns lie one after the other, for a few blocks at a time.
static inline __attribute__((always_inline)) void NAME(pack_columns)(
    const int rows, REAL *restrict panel, const REAL *restrict w, int64_t blocks, int64_t columns,
    int64_t column) {
  const int64_t together = 16, ahead = 8;
  for (int64_t b = 0; b < blocks; b += together, w += together * rows) {
    int64_t some = blocks - b < together ? blocks - b : together;
    for (int64_t k = 0; k < columns; k++) {
      for (int64_t r = 0; r < some * rows; r += MS_LANES)
        __builtin_prefetch(w + (k + ahead) * column + r);
      for (int64_t j = 0; j < some; j++)
        memcpy(panel + (j * columns + k) * rows, w + k * column + j * rows, rows * sizeof(REAL));
    }
    panel += some * rows * columns;
  }
}

// W (n x columns) as panels: for each block of rows, one column after the other. One of the
// distances in elements from row to row and from column to column is 1.
static void NAME(pack_panels)(REAL *restrict panel, const REAL *restrict w, int64_t n,
                              int64_t columns, int64_t row, int64_t column) {
  // The first blocks may have a row more than the others.
  int64_t larger = n % BLOCKS(n), size = n / BLOCKS(n);
  for (int64_t run = 0; run < 2; run++) {
    int64_t count = run ? size : size + 1, blocks = run ? BLOCKS(n) - larger : larger;
    if (blocks == 0) continue;
    if (column == 1) {
      WITH_ROWS(count, NAME(pack_rows)(rows, panel, w, blocks, columns, row))
    } else {
      WITH_ROWS(count, NAME(pack_columns)(rows, panel, w, blocks, columns, column))
    }
    panel += blocks * count * columns;
    w += blocks * count * row;
  }
}

// W as `linear_packed` reads it.
//   operand 0 panels (m k), 1 W
//   size 0 m, 1 k, 2 elements from row to row of W, 3 from column to column; one of them is 1
KERNEL(pack_weights) {
  NAME(pack_panels)((REAL *)instruction->operand[0].base,
                    (const REAL *)instruction->operand[1].base, SIZE(0), SIZE(1), SIZE(2), SIZE(3));
}

// `linear` with W from `pack_weights`: the same bits. For all tiles that go through the steps
// together, so that weights come from memory once.
//   operand 0 d (m), 1 x (k), 2 panels, 3 bias or null; size 0 m, 1 k, 2 add
KERNEL(linear_packed) {
  char *d = OPERAND(0);
  const char *x = OPERAND(1);
  const REAL *panel = (const REAL *)instruction->operand[2].base;
  const REAL *bias = (const REAL *)instruction->operand[3].base;
  int64_t n = SIZE(0), k = SIZE(1), next = context->tile_stride;
  int add = (int)SIZE(2);
  for (int64_t b = 0; b < BLOCKS(n); b++) {
    int64_t count = ROWS_OF(n, b);
    WITH_ROWS(count, NAME(linear_vectors)(rows, d, next, x, next, context->tiles, panel, k, bias,
                                          add))
    d += count * sizeof(V);
    panel += count * k;
    if (bias) bias += count;
  }
}

// The rows of C += dy x^T for up to MS_LANES columns, x from a panel whose vectors run over columns.
static inline __attribute__((always_inline)) void NAME(gradient_block)(
    const int rows, REAL *restrict c, int64_t row_stride, int64_t width, const V *restrict panel,
    const char *restrict dy, int64_t dy_stride, int64_t steps) {
  V sum[BLOCK];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = (V){0};
  for (int64_t t = 0; t < steps; t++) {
    const REAL *g = (const REAL *)(dy + t * dy_stride);
    // The rows of the next step are far away.
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
      __builtin_prefetch((const char *)(g + r * MS_LANES) + dy_stride);
    for (int lane = 0; lane < MS_LANES; lane++) {
      V xl = panel[t * MS_LANES + lane];
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) sum[r] += xl * g[r * MS_LANES + lane];
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) NAME(add_part)(c + r * row_stride, sum[r], width);
}

// The same for one column, as dot products over lanes.
static inline __attribute__((always_inline)) void NAME(gradient_column)(
    const int rows, REAL *restrict c, int64_t row_stride, const char *restrict x, int64_t x_stride,
    const char *restrict dy, int64_t dy_stride, int64_t steps) {
  V sum[BLOCK];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = (V){0};
  for (int64_t t = 0; t < steps; t++) {
    V xt = *(const V *)(x + t * x_stride);
    const V *g = (const V *)(dy + t * dy_stride);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] += xt * g[r];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) c[r * row_stride] += NAME(sum_of_lanes)(sum[r]);
}

// C += sum over steps and lanes of dy x^T: the gradient of W in y = W x.
//
// MS_LANES columns of x at a time are turned into a panel whose vectors run over columns, so
// that the sum over the batch is a sum of outer products and needs no horizontal sums. A few
// columns that are left over are dot products: a panel would be mostly empty.
//   operand 0 C, 1 dy (m), 2 x (k), 3 panel: GRADIENT_STEPS x MS_LANES vectors
//   size 0 m, 1 k, 2 whether over all steps of the tile (deferred) or this one
KERNEL(linear_gradient) {
  REAL *c = (REAL *)instruction->operand[0].base;
  V *panel = (V *)instruction->operand[3].base;
  int64_t n = SIZE(0), columns = SIZE(1);
  int64_t dy_stride = instruction->operand[1].stride, x_stride = instruction->operand[2].stride;
  int64_t first = SIZE(2) ? 0 : step, last = SIZE(2) ? context->steps : step + 1;
  for (int64_t t0 = first; t0 < last; t0 += MS_GRADIENT_STEPS) {
    int64_t steps = last - t0 < MS_GRADIENT_STEPS ? last - t0 : MS_GRADIENT_STEPS;
    const char *dy = instruction->operand[1].base + t0 * dy_stride;
    const char *x0 = instruction->operand[2].base + t0 * x_stride;
    for (int64_t k = 0; k < columns; k += MS_LANES) {
      int64_t width = columns - k < MS_LANES ? columns - k : MS_LANES;
      const char *x = x0 + k * sizeof(V);
      if (width <= 4) {
        for (int64_t b = 0, m = 0; b < BLOCKS(n); b++) {
          int64_t count = ROWS_OF(n, b);
          for (int64_t j = 0; j < width; j++) {
            WITH_ROWS(count, NAME(gradient_column)(rows, c + m * columns + k + j, columns,
                                                   x + j * sizeof(V), x_stride,
                                                   dy + m * sizeof(V), dy_stride, steps))
          }
          m += count;
        }
        continue;
      }
      for (int64_t t = 0; t < steps; t++) {
        V a[MS_LANES];
        const V *xt = (const V *)(x + t * x_stride);
        for (int64_t j = 0; j < MS_LANES; j++) a[j] = j < width ? xt[j] : (V){0};
        NAME(transpose)(a);
        memcpy(panel + t * MS_LANES, a, sizeof a);
      }
      for (int64_t b = 0, m = 0; b < BLOCKS(n); b++) {
        int64_t count = ROWS_OF(n, b);
        WITH_ROWS(count, NAME(gradient_block)(rows, c + m * columns + k, columns, width, panel,
                                              dy + m * sizeof(V), dy_stride, steps))
        m += count;
      }
    }
  }
}

// d (+)= b: a bias on its own.
//   operand 0 d, 1 b; size 0 n, 1 add
KERNEL(bias) {
  V *d = (V *)OPERAND(0);
  const REAL *b = (const REAL *)instruction->operand[1].base;
  for (int64_t f = 0; f < SIZE(0); f++) d[f] = SIZE(1) ? d[f] + b[f] : (V){0} + b[f];
}

// g += sum over steps and lanes of dy: the gradient of a bias.
//   operand 0 g, 1 dy; size 0 n, 1 whether over all steps of the tile (deferred) or this one
KERNEL(bias_gradient) {
  REAL *g = (REAL *)instruction->operand[0].base;
  int64_t first = SIZE(1) ? 0 : step, last = SIZE(1) ? context->steps : step + 1;
  for (int64_t f = 0; f < SIZE(0); f++) {
    V sum = {0};
    for (int64_t t = first; t < last; t++)
      sum += ((const V *)(instruction->operand[1].base + t * instruction->operand[1].stride))[f];
    g[f] += NAME(sum_of_lanes)(sum);
  }
}

// g += sum over lanes of the sums that a tile's backward pass kept in lanes.
//   operand 0 g, 1 sums; size 0 n
KERNEL(reduce_lanes) {
  REAL *g = (REAL *)instruction->operand[0].base;
  const V *sums = (const V *)instruction->operand[1].base;
  for (int64_t f = 0; f < SIZE(0); f++) g[f] += NAME(sum_of_lanes)(sums[f]);
}
