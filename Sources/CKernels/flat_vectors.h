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

// Elements of the gradients of `count` outputs, sorted, and of k columns of all rows.
static inline int64_t NAME(block_elements)(int64_t count, const ms_context *context) {
  return count * NAME(summed_rows)(context);
}
static inline int64_t NAME(column_elements)(int64_t k, const ms_context *context) {
  int64_t width = (1 + PAIRS) * MS_LANES;
  return (k + width - 1) / width * width * NAME(summed_rows)(context);
}

// x (k) of all vectors with columns along the lanes: (1 + PAIRS) vectors of columns of every row,
// then the next columns; zero beyond k. By shards, the rows are those of each shard, step by step.
static void NAME(columns_of_rows)(V *restrict panels, const char *x, int64_t x_stride, int64_t k,
                                  const ms_context *context) {
  int64_t vectors = context->steps, shards = context->shards, all = NAME(batch_rows)(context);
  int64_t size = shards ? context->sequences / shards : 0;
  int64_t whole = shards ? all / context->sequences * size : 0;
  for (int64_t column = 0; column < k; column += MS_LANES) {
    int64_t width = k - column < MS_LANES ? k - column : MS_LANES, part = column / MS_LANES;
    V *panel = panels + part / (1 + PAIRS) * (1 + PAIRS) * vectors * MS_LANES + part % (1 + PAIRS);
    int64_t place = 0, left = size;
    for (int64_t row = 0; row < vectors * MS_LANES; row += MS_LANES) {
      const V *xv = (const V *)(x + row / MS_LANES * x_stride) + column;
      V a[MS_LANES];
      for (int64_t j = 0; j < MS_LANES; j++) a[j] = j < width ? xv[j] : (V){0};
      NAME(transpose)(a);
      for (int64_t j = 0; j < MS_LANES; j++) {
        if (shards && row + j == all) break;
        panel[place++ * (1 + PAIRS)] = a[j];
        if (!shards || --left) continue;
        // The same step of the next shard, or the next step of the first.
        left = size;
        place += whole - size;
        if (place >= whole * shards) place += size - whole * shards;
      }
    }
  }
}

// The sums of `outer_block`, shard by shard, as shards.h has it.
static inline __attribute__((always_inline)) void NAME(outer_shards)(
    const int rows, V *sum0, V *sum1, const V *restrict panel, const REAL *restrict g,
    const ms_context *context) {
  // [level][row][half]
  V waiting[SHARD_LEVELS * (1 + PAIRS) * BLOCK];
  int64_t all = NAME(batch_rows)(context);
  for (int64_t shard = 0; shard < context->shards; shard++) {
    int64_t first = SHARD_START(shard), end = SHARD_START(shard + 1);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum0[r] = sum1[r] = (V){0};
    for (int64_t start = 0; start < all; start += context->sequences)
      for (int64_t row = start + first, some; row < start + end; row += some) {
        // The rows of one vector.
        int64_t lane = row % MS_LANES;
        some = start + end - row < MS_LANES - lane ? start + end - row : MS_LANES - lane;
        const REAL *dy = g + row / MS_LANES * rows * MS_LANES;
#pragma clang loop unroll(disable)
        for (const int64_t last = lane + some; lane < last; lane++, panel += 1 + PAIRS) {
          V a = panel[0], b = panel[PAIRS];
#pragma clang loop unroll(full)
          for (int r = 0; r < rows; r++) {
            sum0[r] += a * dy[r * MS_LANES + lane];
            if (PAIRS) sum1[r] += b * dy[r * MS_LANES + lane];
          }
        }
      }
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
#pragma clang loop unroll_count(4)
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

// Vectors first ..< first + some of dy, for `count` outputs, sorted into blocks of outputs.
static void NAME(gradient_panels)(V *restrict blocks, const char *dy, int64_t dy_stride,
                                  int64_t first, int64_t some, int64_t count,
                                  __attribute__((unused)) const V *columns,
                                  const ms_context *context) {
  for (int64_t b = 0, m = 0; b < BLOCKS(count); b++) {
    int64_t n = ROWS_OF(count, b);
    V *block = blocks + m * context->steps + first * n;
    for (int64_t v = 0; v < some; v++, block += n)
      memcpy(block, dy + v * dy_stride + m * sizeof(V), n * sizeof(V));
    m += n;
  }
}

// `count` rows of C += dy x^T, dy from `gradient_panels` and x from `columns_of_rows`.
static void NAME(outer_group)(REAL *c, const V *blocks, const V *panels, int64_t count, int64_t k,
                              const ms_context *context) {
  int64_t columns = (1 + PAIRS) * MS_LANES, vectors = context->steps;
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
