// The products of flat.h by vectors; flat_tiles.h has them by the processor's matrix unit.

// Rows of `length` elements that come to `near` of them: whole blocks.
static inline int64_t NAME(rows_near)(int64_t length, int64_t near) {
  int64_t blocks = near / (length * BLOCK);
  return (blocks < 1 ? 1 : blocks) * BLOCK;
}

// Rows of a group, each of `length` elements, that stay near: processors with wider vectors have
// larger caches.
static inline int64_t NAME(group_rows)(int64_t length, __attribute__((unused)) int64_t others) {
  return NAME(rows_near)(length, PAIRS ? MS_FLAT_NEAR : MS_FLAT_NEAR / 2);
}

// Classes whose gradients exist at a time. All of dx is gone through for each group of them, so that
// larger groups are better than near ones.
static inline int64_t NAME(class_group)(int64_t k, const ms_context *context) {
  int64_t rows = context->steps * MS_LANES;
  return NAME(rows_near)(rows > k ? rows : k, MS_FLAT_NEAR);
}

// Elements of the panels of `rows` outputs of k inputs.
static inline int64_t NAME(panel_elements)(int64_t rows, int64_t k) {
  return rows * k / MS_LANES * MS_LANES + MS_LANES;
}

// Panels of n rows of weights, the distances in elements from row to row and from column to column.
static void NAME(weight_panels)(REAL *restrict panels, const REAL *restrict w, int64_t n,
                                int64_t columns, int64_t row, int64_t column,
                                __attribute__((unused)) const REAL *bias) {
  NAME(pack_panels)(panels, w, n, columns, row, column);
}

// x is read where it stands.
static inline int64_t NAME(input_elements)(__attribute__((unused)) int64_t k,
                                           __attribute__((unused)) int has_bias) {
  return 0;
}
static inline void NAME(input_panels)(__attribute__((unused)) REAL *panels,
                                      __attribute__((unused)) const char *x,
                                      __attribute__((unused)) int64_t x_stride,
                                      __attribute__((unused)) int64_t vectors,
                                      __attribute__((unused)) int64_t k,
                                      __attribute__((unused)) int has_bias) {}

// `count` rows of d (+)= W x from their panels, for `vectors` vectors of x.
static void NAME(multiply_group)(char *d, int64_t d_stride, const char *x, int64_t x_stride,
                                 __attribute__((unused)) const REAL *inputs, int64_t vectors,
                                 const REAL *panels, int64_t count, int64_t k, const REAL *bias,
                                 int add) {
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

// Rows that a sum over rows takes.
static inline int64_t NAME(summed_rows)(const ms_context *context) {
  return context->steps * MS_LANES;
}

// Sums over rows take them in this order: those of each shard, step by step. A table has the place of
// every row, and -1 for those beyond the batch.
static inline void NAME(place_rows)(int32_t *place, const ms_context *context) {
  int64_t whole = NAME(batch_rows)(context) / (context->shards ? context->shards : 1);
  for (int64_t row = 0; row < NAME(summed_rows)(context); row++)
    place[row] = (int32_t)NAME(place_of_row)(row, whole, context);
}

// Elements of the gradients of `count` outputs, sorted, and of the places of all rows and k columns
// of them.
static inline int64_t NAME(block_elements)(int64_t count, const ms_context *context) {
  return count * NAME(summed_rows)(context);
}
static inline int64_t NAME(column_elements)(int64_t k, const ms_context *context) {
  int64_t width = (1 + PAIRS) * MS_LANES;
  return ((k + width - 1) / width * width + 1) * NAME(summed_rows)(context);
}

// The places of the rows, then x (k) in their order with columns along the lanes: (1 + PAIRS)
// vectors of columns of every row, then the next columns; zero beyond k.
static void NAME(columns_of_rows)(V *restrict panels, const char *x, int64_t x_stride, int64_t k,
                                  const ms_context *context) {
  int64_t rows = NAME(summed_rows)(context);
  int32_t *place = (int32_t *)panels;
  NAME(place_rows)(place, context);
  panels += rows / MS_LANES;
  for (int64_t column = 0; column < k; column += MS_LANES) {
    int64_t width = k - column < MS_LANES ? k - column : MS_LANES, part = column / MS_LANES;
    V *panel = panels + part / (1 + PAIRS) * (1 + PAIRS) * rows + part % (1 + PAIRS);
    for (int64_t row = 0; row < rows; row += MS_LANES) {
      const V *xv = (const V *)(x + row / MS_LANES * x_stride) + column;
      V a[MS_LANES];
      for (int64_t j = 0; j < MS_LANES; j++) a[j] = j < width ? xv[j] : (V){0};
      NAME(transpose)(a);
      for (int64_t j = 0; j < MS_LANES && place[row + j] >= 0; j++)
        panel[place[row + j] * (1 + PAIRS)] = a[j];
    }
  }
}

// Adds what the first shards of a tree have, those that end with `shard`, to the sums of it, or keeps
// these for the next ones: the last shard has the sums of all.
static inline __attribute__((always_inline)) void NAME(join_shards)(
    const int rows, V *sum0, V *sum1, V *waiting, int64_t shard) {
  // [level][row][half]
  V *level = waiting;
  for (int64_t s = shard; s & 1; s >>= 1, level += (1 + PAIRS) * rows) {
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      sum0[r] = level[(1 + PAIRS) * r] + sum0[r];
      if (PAIRS) sum1[r] = level[(1 + PAIRS) * r + PAIRS] + sum1[r];
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    level[(1 + PAIRS) * r] = sum0[r];
    if (PAIRS) level[(1 + PAIRS) * r + PAIRS] = sum1[r];
  }
}

// The rows of C += dy x^T for the columns of one panel, dy as the `rows` outputs of one row of the
// batch after the other. Sums are over the rows of each shard, and then over shards, as shards.h
// has it. Without `add`, C is taken for zero.
static inline __attribute__((always_inline)) void NAME(outer_block)(
    const int rows, REAL *restrict c, int64_t row_stride, int64_t width, const V *restrict panel,
    const REAL *restrict dy, int add, const ms_context *context) {
  V sum0[BLOCK], sum1[BLOCK], waiting[SHARD_LEVELS * (1 + PAIRS) * BLOCK];
  int64_t shards = context->shards ? context->shards : 1;
  int64_t count = NAME(batch_rows)(context) / shards;
  // C is far away, and every block needs other lines of it.
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    __builtin_prefetch(c + r * row_stride, 1);
    if (PAIRS) __builtin_prefetch(c + r * row_stride + MS_LANES, 1);
    __builtin_prefetch(c + r * row_stride + (1 + PAIRS) * MS_LANES - 1, 1);
  }
  for (int64_t shard = 0; shard < shards; shard++) {
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum0[r] = sum1[r] = (V){0};
#pragma clang loop unroll_count(4)
    for (int64_t i = 0; i < count; i++, panel += 1 + PAIRS, dy += rows) {
      V a = panel[0], b = panel[PAIRS];
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        sum0[r] += a * dy[r];
        if (PAIRS) sum1[r] += b * dy[r];
      }
    }
    if (shards > 1) NAME(join_shards)(rows, sum0, sum1, waiting, shard);
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    NAME(take_part)(c + r * row_stride, sum0[r], width, add);
    if (PAIRS && width > MS_LANES)
      NAME(take_part)(c + r * row_stride + MS_LANES, sum1[r], width - MS_LANES, add);
  }
}

// The gradients of `rows` outputs each of some blocks, from `some` vectors of rows of the batch to
// where these have their places.
static inline __attribute__((always_inline)) void NAME(place_gradients)(
    const int rows, REAL *restrict block, int64_t block_size, const char *dy, int64_t dy_stride,
    int64_t some, int64_t blocks, const int32_t *place) {
  const int64_t ahead = 2, together = BLOCKS_TURNED(rows);
  for (int64_t b = 0; b < blocks; b += together, block += together * block_size) {
    int64_t few = blocks - b < together ? blocks - b : together;
    for (int64_t v = 0; v < some; v++) {
      const V *rows_of_block = (const V *)(dy + v * dy_stride) + b * rows;
      const int32_t *to = place + v * MS_LANES;
      const REAL *from[MS_LANES];
      NAME(rows_turned)(rows, from, (const REAL *)rows_of_block, few, MS_LANES);
      for (int64_t r = 0; r < few * rows && v + ahead < some; r++)
        __builtin_prefetch((const char *)(rows_of_block + r) + ahead * dy_stride);
      for (int64_t q = 0; q < MS_LANES / 4; q++) {
        V turned[4];
        NAME(load_columns)(from, q, turned);
#pragma clang loop unroll(full)
        for (int64_t i = 0; i < 4; i++)
          if (to[4 * q + i] >= 0)
            NAME(store_turned)(rows, block + to[4 * q + i] * rows, block_size, turned[i], few);
      }
    }
  }
}

// Vectors first ..< first + some of dy, for `count` outputs, sorted into blocks of outputs: those of
// one row after the other, in the order of the places that lie before `columns`.
static void NAME(gradient_panels)(V *restrict blocks, const char *dy, int64_t dy_stride,
                                  int64_t first, int64_t some, int64_t count, const V *columns,
                                  const ms_context *context) {
  int64_t all = NAME(summed_rows)(context);
  const int32_t *place = (const int32_t *)columns + first * MS_LANES;
  // Blocks with a row more come first.
  for (int64_t b = 0, m = 0, end; b < BLOCKS(count); b = end) {
    int64_t n = ROWS_OF(count, b);
    end = b == 0 && count % BLOCKS(count) ? count % BLOCKS(count) : BLOCKS(count);
    WITH_ROWS(n, NAME(place_gradients)(rows, (REAL *)blocks + m * all, n * all, dy + m * sizeof(V),
                                       dy_stride, some, end - b, place))
    m += (end - b) * n;
  }
}

// `count` rows of C (+)= dy x^T, dy from `gradient_panels` and x from `columns_of_rows`.
static void NAME(outer_group)(REAL *c, const V *blocks, const V *panels, int64_t count, int64_t k,
                              int add, const ms_context *context) {
  int64_t columns = (1 + PAIRS) * MS_LANES, vectors = context->steps;
  panels += vectors;
  for (int64_t column = 0; column < k; column += columns) {
    for (int64_t b = 0, m = 0; b < BLOCKS(count); b++) {
      int64_t n = ROWS_OF(count, b);
      WITH_ROWS(n, NAME(outer_block)(rows, c + m * k + column, k, k - column, panels,
                                     (const REAL *)(blocks + m * vectors), add, context))
      m += n;
    }
    panels += (1 + PAIRS) * MS_LANES * vectors;
  }
}
