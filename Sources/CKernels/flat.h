// What does not recur, over all rows of a batch at once. A row is a sequence at a step; row after
// row, MS_LANES a vector, step by step, they fill their vectors whatever the number of sequences.
// Here `step` counts those vectors, of which context->steps hold the batch.

// Elements of weights, and of values beside them, that are worked on while they stay in the
// second-level cache.
#define FLAT_NEAR 131072
// The most columns of a product that are summed before the next ones.
#define FLAT_DEPTH 768

// Rows of a group, each of `length` elements, that stay near: whole blocks.
static inline int64_t NAME(group_rows)(int64_t length) {
  int64_t blocks = FLAT_NEAR / (length * BLOCK);
  return (blocks < 1 ? 1 : blocks) * BLOCK;
}

// `lanes` vectors of lanes from `source`, `shift` lanes further on, into lanes first ..< last of d.
static inline __attribute__((always_inline)) void NAME(move_lanes)(
    V *restrict d, const V *restrict source, int64_t shift, int64_t n, int64_t first, int64_t last,
    int add) {
  NAME(mask) inside;
  for (int lane = 0; lane < MS_LANES; lane++) inside[lane] = lane >= first && lane < last ? -1 : 0;
  const REAL *from = (const REAL *)source - shift;
  for (int64_t f = 0; f < n; f++) {
    V x = *(const V *)(from + f * MS_LANES);
    d[f] = SELECT(inside, add ? d[f] + x : x, d[f]);
  }
}

// The rows of this tile at a step, to where they stand in the batch. The last rows of a batch
// clear the lanes after them.
//   operand 0 rows (n) from vector 0, 1 values of the tile (n) of step 0
//   size 0 n, 1 add, 2 whether all steps of the tile (deferred) or this one
KERNEL(flatten) {
  int64_t n = SIZE(0), lanes = context->lanes, end = context->steps * context->rows;
  int64_t to_step = SIZE(2) ? context->steps : step + 1;
  for (int64_t t = SIZE(2) ? 0 : step; t < to_step; t++) {
    const V *source = (const V *)(instruction->operand[1].base + t * instruction->operand[1].stride);
    int64_t row = t * context->rows + context->first_row, first = row % MS_LANES;
    char *d = instruction->operand[0].base + row / MS_LANES * instruction->operand[0].stride;
    int64_t last = first + lanes < MS_LANES ? first + lanes : MS_LANES;
    NAME(move_lanes)((V *)d, source, first, n, first, last, (int)SIZE(1));
    if (first + lanes > MS_LANES) {
      d += instruction->operand[0].stride;
      last = first + lanes - MS_LANES;
      NAME(move_lanes)((V *)d, source, first - MS_LANES, n, 0, last, (int)SIZE(1));
    }
    if (row + lanes == end && !SIZE(1))
      for (int64_t f = 0; f < n; f++)
        for (int64_t lane = last; lane < MS_LANES; lane++) ((V *)d)[f][lane] = 0;
  }
}

// The inverse: lanes beyond the batch are zero.
//   operand 0 values of the tile (n), 1 rows (n) from vector 0; size 0 n, 1 add
KERNEL(unflatten) {
  V *d = (V *)OPERAND(0);
  int64_t n = SIZE(0), lanes = context->lanes;
  int64_t row = step * context->rows + context->first_row, first = row % MS_LANES;
  const char *source = instruction->operand[1].base + row / MS_LANES * instruction->operand[1].stride;
  if (!SIZE(1) && lanes < MS_LANES) memset(d, 0, n * sizeof(V));
  int64_t here = first + lanes < MS_LANES ? lanes : MS_LANES - first;
  NAME(move_lanes)(d, (const V *)source, -first, n, 0, here, (int)SIZE(1));
  if (here < lanes)
    NAME(move_lanes)(d, (const V *)(source + instruction->operand[1].stride), here, n, here, lanes,
                     (int)SIZE(1));
}

// `count` rows of d (+)= W x from their panels, for all vectors.
static void NAME(multiply_group)(char *d, int64_t d_stride, const char *x, int64_t x_stride,
                                 int64_t vectors, const REAL *panels, int64_t count, int64_t k,
                                 const REAL *bias, int add) {
  int64_t together = PAIRS + 1;
  for (int64_t v = 0; v < vectors; v += together) {
    int64_t some = vectors - v < together ? vectors - v : together;
    const REAL *panel = panels;
    for (int64_t b = 0, m = 0; b < BLOCKS(count); b++) {
      int64_t n = ROWS_OF(count, b);
      WITH_ROWS(n, NAME(linear_vectors)(rows, d + v * d_stride + m * sizeof(V), d_stride,
                                        x + v * x_stride, x_stride, some, panel, k,
                                        bias ? bias + m : 0, add))
      panel += n * k;
      m += n;
    }
  }
}

// d (+)= W x, or d = W x + b: also dx (+)= W^T dy with the strides exchanged.
//   operand 0 d (m), 1 x (k), 2 W, 3 bias or null, 4 scratch: `panels`
//   size 0 m, 1 k, 2 elements from row to row of W, 3 from column to column, 4 add
KERNEL(flat_product) {
  const REAL *w = (const REAL *)instruction->operand[2].base;
  const REAL *bias = (const REAL *)instruction->operand[3].base;
  REAL *panels = (REAL *)instruction->operand[4].base;
  int64_t m = SIZE(0), k = SIZE(1), row = SIZE(2), column = SIZE(3);
  int64_t parts = (k + FLAT_DEPTH - 1) / FLAT_DEPTH;
  for (int64_t part = 0, k0 = 0, depth; part < parts; part++, k0 += depth) {
    depth = k / parts + (part < k % parts);
    int64_t group = NAME(group_rows)(depth);
    for (int64_t g = 0; g < m; g += group) {
      int64_t count = m - g < group ? m - g : group;
      NAME(pack_panels)(panels, w + g * row + k0 * column, count, depth, row, column);
      NAME(multiply_group)(instruction->operand[0].base + g * sizeof(V),
                           instruction->operand[0].stride,
                           instruction->operand[1].base + k0 * sizeof(V),
                           instruction->operand[1].stride, context->steps, panels, count, depth,
                           bias && k0 == 0 ? bias + g : 0, SIZE(4) || k0 > 0);
    }
  }
}

// x (k) of all vectors with columns along the lanes: (1 + PAIRS) vectors of columns of every row,
// then the next columns; zero beyond k.
static void NAME(columns_of_rows)(V *restrict panels, const char *x, int64_t x_stride, int64_t k,
                                  int64_t vectors) {
  for (int64_t column = 0; column < k; column += MS_LANES) {
    int64_t width = k - column < MS_LANES ? k - column : MS_LANES, part = column / MS_LANES;
    V *panel = panels + part / (1 + PAIRS) * (1 + PAIRS) * vectors * MS_LANES + part % (1 + PAIRS);
    for (int64_t v = 0; v < vectors; v++) {
      const V *xv = (const V *)(x + v * x_stride) + column;
      V a[MS_LANES];
      for (int64_t j = 0; j < MS_LANES; j++) a[j] = j < width ? xv[j] : (V){0};
      NAME(transpose)(a);
      for (int64_t j = 0; j < MS_LANES; j++) panel[(v * MS_LANES + j) * (1 + PAIRS)] = a[j];
    }
  }
}

// The sums of `outer_block`, shard by shard, as shards.h has it.
static inline __attribute__((always_inline)) void NAME(outer_shards)(
    const int rows, V *sum0, V *sum1, const V *restrict panel, const REAL *restrict g,
    const ms_context *context) {
  V waiting[SHARD_LEVELS * 2 * BLOCK];
  int64_t all = NAME(batch_rows)(context);
  for (int64_t shard = 0; shard < context->shards; shard++) {
    int64_t first = SHARD_START(shard), end = SHARD_START(shard + 1);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum0[r] = sum1[r] = (V){0};
    for (int64_t start = 0; start < all; start += context->sequences) {
#pragma clang loop unroll(disable)
      for (int64_t row = start + first; row < start + end; row++) {
        V a = panel[row * (1 + PAIRS)], b = panel[row * (1 + PAIRS) + PAIRS];
        const REAL *dy = g + row / MS_LANES * rows * MS_LANES + row % MS_LANES;
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
          sum0[r] += a * dy[r * MS_LANES];
          if (PAIRS) sum1[r] += b * dy[r * MS_LANES];
        }
      }
    }
    V *level = waiting;
    for (int64_t s = shard; s & 1; s >>= 1, level += 2 * rows) {
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        sum0[r] = level[2 * r] + sum0[r];
        sum1[r] = level[2 * r + 1] + sum1[r];
      }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      level[2 * r] = sum0[r];
      level[2 * r + 1] = sum1[r];
    }
  }
}

// The rows of C += dy x^T for the columns of one panel, dy as the rows' vectors one after the other.
static inline __attribute__((always_inline)) void NAME(outer_block)(
    const int rows, REAL *restrict c, int64_t row_stride, int64_t width, const V *restrict panel,
    const REAL *restrict g, const ms_context *context) {
  V sum0[BLOCK], sum1[BLOCK];
  // C is far away, and every block needs other lines of it.
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    sum0[r] = sum1[r] = (V){0};
    __builtin_prefetch(c + r * row_stride, 1);
    if (PAIRS) __builtin_prefetch(c + r * row_stride + MS_LANES, 1);
    __builtin_prefetch(c + r * row_stride + (1 + PAIRS) * MS_LANES - 1, 1);
  }
  if (context->shards) {
    NAME(outer_shards)(rows, sum0, sum1, panel, g, context);
  } else {
    for (int64_t v = 0; v < context->steps; v++, g += rows * MS_LANES) {
#pragma clang loop unroll(disable)
      for (int lane = 0; lane < MS_LANES; lane++, panel += 1 + PAIRS) {
        V a = panel[0], b = panel[PAIRS];
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
          sum0[r] += a * g[r * MS_LANES + lane];
          if (PAIRS) sum1[r] += b * g[r * MS_LANES + lane];
        }
      }
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    NAME(add_part)(c + r * row_stride, sum0[r], width);
    if (PAIRS && width > MS_LANES)
      NAME(add_part)(c + r * row_stride + MS_LANES, sum1[r], width - MS_LANES);
  }
}

// `count` rows of C += dy x^T, x from `columns_of_rows`; dy is sorted into blocks of rows, for which
// `blocks` has room.
static void NAME(outer_group)(REAL *c, const char *dy, int64_t dy_stride, V *restrict blocks,
                              const V *panels, int64_t count, int64_t k,
                              const ms_context *context) {
  int64_t columns = (1 + PAIRS) * MS_LANES, vectors = context->steps;
  V *block = blocks;
  for (int64_t b = 0, m = 0; b < BLOCKS(count); b++) {
    int64_t n = ROWS_OF(count, b);
    for (int64_t v = 0; v < vectors; v++, block += n)
      memcpy(block, dy + v * dy_stride + m * sizeof(V), n * sizeof(V));
    m += n;
  }
  for (int64_t column = 0; column < k; column += columns) {
    for (int64_t b = 0, m = 0; b < BLOCKS(count); b++) {
      int64_t n = ROWS_OF(count, b);
      WITH_ROWS(n, NAME(outer_block)(rows, c + m * k + column, k, k - column, panels,
                                     (const REAL *)(blocks + m * vectors), context))
      m += n;
    }
    panels += (1 + PAIRS) * MS_LANES * vectors;
  }
}

// C += sum over rows of dy x^T: the gradient of W in y = W x.
//   operand 0 C, 1 dy (m), 2 x (k), 3 scratch: dy of a group, columns of all rows; size 0 m, 1 k
KERNEL(flat_gradient) {
  int64_t m = SIZE(0), k = SIZE(1), vectors = context->steps;
  int64_t group = NAME(group_rows)(vectors * MS_LANES);
  V *blocks = (V *)instruction->operand[3].base, *panels = blocks + group * vectors;
  NAME(columns_of_rows)(panels, instruction->operand[2].base, instruction->operand[2].stride, k,
                        vectors);
  for (int64_t g = 0; g < m; g += group)
    NAME(outer_group)((REAL *)instruction->operand[0].base + g * k,
                      instruction->operand[1].base + g * sizeof(V), instruction->operand[1].stride,
                      blocks, panels, m - g < group ? m - g : group, k, context);
}
