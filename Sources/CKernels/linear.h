// Products of a parameter matrix with a vector of every sequence of a tile, and their gradients.
//
// A block of BLOCK rows keeps its sums in registers: BLOCK x MS_LANES numbers, k strictly in
// order, so that a row's result does not depend on the rows beside it.

#define BLOCK NAME(block_rows)
enum { BLOCK = LINEAR_ROWS };

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
  int64_t m = 0, rows = SIZE(0), k = SIZE(1), row = SIZE(2), column = SIZE(3);
  int add = (int)SIZE(4);
  for (; m + BLOCK <= rows; m += BLOCK)
    NAME(linear_block)(BLOCK, d + m, w + m * row, row, column, x, k, bias ? bias + m : 0, add);
  for (; m + 4 <= rows && BLOCK > 4; m += 4)
    NAME(linear_block)(BLOCK > 4 ? 4 : 1, d + m, w + m * row, row, column, x, k,
                       bias ? bias + m : 0, add);
  for (; m < rows; m++)
    NAME(linear_block)(1, d + m, w + m * row, row, column, x, k, bias ? bias + m : 0, add);
}

static inline __attribute__((always_inline)) void NAME(gradient_block)(
    const int rows, REAL *restrict c, int64_t row_stride, int64_t columns, const V *restrict panel,
    const char *dy, int64_t dy_stride, int64_t steps) {
  V sum[BLOCK];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = (V){0};
  for (int64_t t = 0; t < steps; t++, dy += dy_stride) {
    const REAL *g = (const REAL *)dy;
    for (int lane = 0; lane < MS_LANES; lane++) {
      V xl = panel[t * MS_LANES + lane];
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) sum[r] += xl * g[r * MS_LANES + lane];
    }
  }
  if (columns == MS_LANES) {
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) *(V *)(c + r * row_stride) += sum[r];
  } else {
    for (int r = 0; r < rows; r++) {
      V total = sum[r];
      for (int64_t j = 0; j < columns; j++) c[r * row_stride + j] += total[j];
    }
  }
}

// C += sum over steps and lanes of dy x^T: the gradient of W in y = W x.
//
// MS_LANES columns of x at a time are turned into a panel whose vectors run over columns, so
// that the sum over the batch is a sum of outer products and needs no horizontal sums.
//   operand 0 C, 1 dy (m), 2 x (k), 3 panel: GRADIENT_STEPS x MS_LANES vectors
//   size 0 m, 1 k, 2 whether over all steps of the tile (deferred) or this one
KERNEL(linear_gradient) {
  REAL *c = (REAL *)instruction->operand[0].base;
  V *panel = (V *)instruction->operand[3].base;
  int64_t rows = SIZE(0), columns = SIZE(1);
  int64_t first = SIZE(2) ? 0 : step, last = SIZE(2) ? context->steps : step + 1;
  for (int64_t t0 = first; t0 < last; t0 += MS_GRADIENT_STEPS) {
    int64_t steps = last - t0 < MS_GRADIENT_STEPS ? last - t0 : MS_GRADIENT_STEPS;
    const char *dy = instruction->operand[1].base + t0 * instruction->operand[1].stride;
    for (int64_t k = 0; k < columns; k += MS_LANES) {
      int64_t width = columns - k < MS_LANES ? columns - k : MS_LANES;
      for (int64_t t = 0; t < steps; t++) {
        const REAL *x = (const REAL *)(instruction->operand[2].base +
                                       (t0 + t) * instruction->operand[2].stride) +
                        k * MS_LANES;
        REAL *p = (REAL *)(panel + t * MS_LANES);
        for (int64_t j = 0; j < width; j++)
          for (int lane = 0; lane < MS_LANES; lane++) p[lane * MS_LANES + j] = x[j * MS_LANES + lane];
        for (int64_t j = width; j < MS_LANES; j++)
          for (int lane = 0; lane < MS_LANES; lane++) p[lane * MS_LANES + j] = 0;
      }
      int64_t stride = instruction->operand[1].stride, m = 0;
      for (; m + BLOCK <= rows; m += BLOCK)
        NAME(gradient_block)(BLOCK, c + m * columns + k, columns, width, panel,
                             dy + m * sizeof(V), stride, steps);
      for (; m + 4 <= rows && BLOCK > 4; m += 4)
        NAME(gradient_block)(BLOCK > 4 ? 4 : 1, c + m * columns + k, columns, width, panel,
                             dy + m * sizeof(V), stride, steps);
      for (; m < rows; m++)
        NAME(gradient_block)(1, c + m * columns + k, columns, width, panel, dy + m * sizeof(V),
                             stride, steps);
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

static inline __attribute__((always_inline)) REAL NAME(sum_of_lanes)(V x) {
  REAL sum = 0;
  for (int i = 0; i < MS_LANES; i++) sum += x[i];
  return sum;
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

#undef BLOCK
