// The products of flat.h by the matrix unit, see tiles.h; flat_vectors.h has them without.
//
// Panels are left tiles of the outputs' rows. A bias is one more column of the weights, of an input
// that is always 1.

// Rows of a group, each of `length` elements, that stay near: whole pairs of tiles. Every group goes
// through `others` elements: where these do not stay near, fewer groups are better.
static inline int64_t NAME(group_rows)(int64_t length, int64_t others) {
  int64_t near = others > MS_FLAT_FAR ? 2 * MS_FLAT_NEAR : MS_FLAT_NEAR;
  int64_t rows = near / (TILES_OF(length + 1) * TILE_DEPTH);
  return rows < 2 * TILE_ROWS ? 2 * TILE_ROWS : rows / (2 * TILE_ROWS) * (2 * TILE_ROWS);
}

// Panels of n rows of weights, the distances in elements from row to row and from column to column.
static void NAME(weight_panels)(REAL *restrict panels, const REAL *restrict w, int64_t n,
                                int64_t columns, int64_t row, int64_t column, const REAL *bias) {
  int64_t tiles = TILES_OF(columns + (bias != 0));
  char *tile = (char *)panels;
  for (int64_t f = 0; f < n; f += TILE_ROWS)
    for (int64_t t = 0; t < tiles; t++, tile += PARTS_BYTES) {
      int64_t start = t * TILE_DEPTH, width = n - f;
      if (column != 1) {
        NAME(left_columns)(tile, w + f + start * column, column, columns - start, width,
                           bias ? bias + f : 0);
        continue;
      }
      for (int64_t r = 0; r < TILE_ROWS; r++) {
        REAL part[TILE_DEPTH] = {0};
        const REAL *from = part;
        if (columns - start >= TILE_DEPTH && r < width) {
          from = w + (f + r) * row + start;
        } else if (r < width) {
          memcpy(part, w + (f + r) * row + start, (columns - start) * sizeof(REAL));
          if (bias) part[columns - start] = bias[f + r];
        }
        NAME(left_row)(tile, r, *(const V *)from, *(const V *)(from + MS_LANES));
      }
    }
}

// Elements of the panels of `rows` outputs of k inputs.
static inline int64_t NAME(panel_elements)(int64_t rows, int64_t k) {
  return (rows + TILE_ROWS - 1) / TILE_ROWS * TILES_OF(k + 1) * PARTS_ELEMENTS;
}

// Elements of a vector of k inputs as `input_panels` leaves it.
static inline int64_t NAME(input_elements)(int64_t k, int has_bias) {
  return TILES_OF(k + has_bias) * PARTS_ELEMENTS;
}

// Right tiles of x (k), and of the 1 that a bias is multiplied with.
static void NAME(input_panels)(REAL *panels, const char *x, int64_t x_stride, int64_t vectors,
                               int64_t k, int has_bias) {
  int64_t tiles = TILES_OF(k + has_bias), whole = k / TILE_DEPTH;
  char *tile = (char *)panels;
  for (int64_t v = 0; v < vectors; v++) {
    const V *xv = (const V *)(x + v * x_stride);
    for (int64_t t = 0; t < tiles; t++, tile += PARTS_BYTES, xv += TILE_DEPTH) {
      V last[TILE_DEPTH];
      const V *from = xv;
      if (t >= whole) {
        int64_t left = k - t * TILE_DEPTH;
        for (int64_t i = 0; i < TILE_DEPTH; i++)
          last[i] = i < left ? xv[i] : (V){0} + (REAL)(i == left && has_bias);
        from = last;
      }
      for (int64_t r = 0; r < TILE_ROWS; r++)
        NAME(right_row)(tile, r, from[2 * r], from[2 * r + 1]);
    }
  }
}

// `count` rows of d (+)= W x for `vectors` vectors of x, from the panels of both.
static void NAME(multiply_group)(char *d, int64_t d_stride,
                                 __attribute__((unused)) const char *x,
                                 __attribute__((unused)) int64_t x_stride, const REAL *inputs,
                                 int64_t vectors, const REAL *panels, int64_t count, int64_t k,
                                 const REAL *bias, int add) {
  int64_t tiles = TILES_OF(k + (bias != 0)), block = tiles * PARTS_BYTES;
  int64_t blocks = (count + TILE_ROWS - 1) / TILE_ROWS;
  const char *right = (const char *)inputs;
  NAME(tiles_begin)();
  for (int64_t v = 0; v < vectors; v += 2, right += 2 * block) {
    int64_t some = vectors - v < 2 ? vectors - v : 2;
    const char *left = (const char *)panels;
    for (int64_t b = 0; b < blocks; b += 2, left += 2 * block) {
      int64_t few = blocks - b < 2 ? blocks - b : 2, first = b * TILE_ROWS;
      char *c = d + v * d_stride + first * sizeof(V);
      if (first + few * TILE_ROWS <= count) {
        WITH_BLOCKS(few, some, NAME(tile_block)(rows, columns, c, TILE_BYTES, d_stride, 64, left,
                                                block, right, block, tiles, add))
        continue;
      }
      V sums[2][2 * TILE_ROWS] __attribute__((aligned(64)));
      int64_t bytes = (count - first) * sizeof(V);
      for (int64_t i = 0; add && i < some; i++) memcpy(sums[i], c + i * d_stride, bytes);
      WITH_BLOCKS(few, some, NAME(tile_block)(rows, columns, (char *)sums, TILE_BYTES,
                                              sizeof sums[0], 64, left, block, right, block, tiles,
                                              add))
      for (int64_t i = 0; i < some; i++) memcpy(c + i * d_stride, sums[i], bytes);
    }
  }
  TILES_END;
}

// Sums over rows take them in this order: those of each shard, step by step, and -1 up to whole
// tiles. Gives how many, and only that without `order`.
static int64_t NAME(order_rows)(int32_t *order, const ms_context *context) {
  int64_t all = NAME(batch_rows)(context), shards = context->shards ? context->shards : 1;
  int64_t whole = TILES_OF(all / shards) * TILE_DEPTH;
  if (!order) return shards * whole;
  for (int64_t i = 0; i < shards * whole; i++) order[i] = -1;
  for (int64_t row = 0; row < context->steps * MS_LANES; row++) {
    int64_t place = NAME(place_of_row)(row, whole, context);
    if (place >= 0) order[place] = (int32_t)row;
  }
  return shards * whole;
}

static inline int64_t NAME(summed_rows)(const ms_context *context) {
  return NAME(order_rows)(0, context);
}

// Classes whose gradients exist at a time.
static inline int64_t NAME(class_group)(int64_t k, const ms_context *context) {
  int64_t rows = NAME(summed_rows)(context);
  return NAME(group_rows)(rows > k ? rows : k, rows * k);
}

// Elements of the gradients of `count` outputs over all rows as left tiles, and of k columns of all
// rows as right ones after the order.
static inline int64_t NAME(block_elements)(int64_t count, const ms_context *context) {
  return (count + TILE_ROWS - 1) / TILE_ROWS * TILES_OF(NAME(summed_rows)(context)) * PARTS_ELEMENTS;
}
static inline int64_t NAME(column_elements)(int64_t k, const ms_context *context) {
  return NAME(summed_rows)(context) + NAME(block_elements)(k, context);
}

// The rows' order, then x (k) of the rows in order as right tiles.
static void NAME(columns_of_rows)(V *restrict panels, const char *x, int64_t x_stride, int64_t k,
                                  const ms_context *context) {
  int32_t *order = (int32_t *)panels;
  int64_t depth = NAME(order_rows)(order, context);
  char *tile = (char *)(order + depth);
  const __m512i features = _mm512_mullo_epi32(
      _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
      _mm512_set1_epi32(MS_LANES));
  for (int64_t f = 0; f < k; f += TILE_ROWS) {
    __mmask16 exist = (__mmask16)(k - f < TILE_ROWS ? (1u << (k - f)) - 1 : 0xffff);
    for (int64_t start = 0; start < depth; start += TILE_DEPTH, tile += PARTS_BYTES)
      for (int64_t r = 0; r < TILE_ROWS; r++) {
        V both[2];
        for (int64_t i = 0; i < 2; i++) {
          int32_t row = order[start + 2 * r + i];
          const REAL *from = (const REAL *)(x + row / MS_LANES * x_stride) + f * MS_LANES;
          both[i] = row < 0 ? (V){0}
                            : (V)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), exist, features,
                                                          from + row % MS_LANES, 4);
        }
        NAME(right_row)(tile, r, both[0], both[1]);
      }
  }
}

// Left tiles of dy for `count` outputs from 32 rows, of which the last 16 may be missing.
static inline __attribute__((always_inline)) void NAME(gradient_tile)(
    char *tile, const V *dy, const V *next, int64_t count) {
  for (int64_t r = 0; r < TILE_ROWS; r++)
    NAME(left_row)(tile, r, r < count ? dy[r] : (V){0}, next && r < count ? next[r] : (V){0});
}

// The same from 32 rows in order.
static inline __attribute__((always_inline)) void NAME(gathered_tile)(
    char *tile, const V *dy, int64_t dy_stride, const int32_t *order, int64_t count) {
  __m512i place[2];
  __mmask16 exist[2];
  for (int i = 0; i < 2; i++) {
    __m512i row = _mm512_loadu_si512(order + i * MS_LANES);
    __m512i vector = _mm512_srai_epi32(row, 4), lane = _mm512_and_si512(row, _mm512_set1_epi32(15));
    exist[i] = _mm512_cmpge_epi32_mask(row, _mm512_setzero_si512());
    place[i] = _mm512_add_epi32(
        _mm512_mullo_epi32(vector, _mm512_set1_epi32((int)(dy_stride / 4))), lane);
  }
  for (int64_t r = 0; r < TILE_ROWS; r++) {
    V both[2] = {{0}, {0}};
    for (int i = 0; i < 2 && r < count; i++)
      both[i] = (V)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), exist[i], place[i], dy + r, 4);
    NAME(left_row)(tile, r, both[0], both[1]);
  }
}

// Vectors first ..< first + some of dy, for `count` outputs, as left tiles; `first` is even. By
// shards, all vectors at once.
static void NAME(gradient_panels)(V *restrict blocks, const char *dy, int64_t dy_stride,
                                  int64_t first, int64_t some, int64_t count, const V *columns,
                                  const ms_context *context) {
  int64_t depth = NAME(summed_rows)(context), block = TILES_OF(depth) * PARTS_BYTES;
  char *panel = (char *)blocks + TILES_OF(first * MS_LANES) * PARTS_BYTES;
  for (int64_t f = 0; f < count; f += TILE_ROWS, panel += block) {
    const V *from = (const V *)dy + f;
    char *tile = panel;
    if (context->shards)
      for (int64_t start = 0; start < depth; start += TILE_DEPTH, tile += PARTS_BYTES)
        NAME(gathered_tile)(tile, from, dy_stride, (const int32_t *)columns + start, count - f);
    else
      for (int64_t v = 0; v < some; v += 2, tile += PARTS_BYTES) {
        const V *at = (const V *)((const char *)from + v * dy_stride);
        const V *next = v + 1 < some ? (const V *)((const char *)at + dy_stride) : 0;
        NAME(gradient_tile)(tile, at, next, count - f);
      }
  }
}

// `count` rows of C (+)= dy x^T, dy from `gradient_panels` and x from `columns_of_rows`.
static void NAME(outer_group)(REAL *c, const V *blocks, const V *panels, int64_t count, int64_t k,
                              int add, const ms_context *context) {
  const int32_t *order = (const int32_t *)panels;
  int64_t depth = NAME(summed_rows)(context), block = TILES_OF(depth) * PARTS_BYTES;
  int64_t shards = context->shards ? context->shards : 1, tiles = TILES_OF(depth) / shards;
  const char *right = (const char *)(order + depth);
  NAME(tiles_begin)();
  for (int64_t f = 0; f < k; f += 2 * TILE_ROWS, right += 2 * block) {
    const char *left = (const char *)blocks;
    for (int64_t m = 0; m < count; m += 2 * TILE_ROWS, left += 2 * block) {
      int64_t height = count - m < 2 * TILE_ROWS ? count - m : 2 * TILE_ROWS;
      // C is far away, and every block needs other lines of it.
      for (int64_t r = 0; r < height; r++) {
        __builtin_prefetch(c + (m + r) * k + f, 1);
        __builtin_prefetch(c + (m + r) * k + f + MS_LANES, 1);
        __builtin_prefetch(c + (m + r) * k + f + 2 * MS_LANES - 1, 1);
      }
      // [left block][right block][row]
      V sums[4 * TILE_ROWS] __attribute__((aligned(64))), waiting[SHARD_LEVELS][4 * TILE_ROWS];
      for (int64_t shard = 0; shard < shards; shard++) {
        int64_t from = shard * tiles * PARTS_BYTES;
        WITH_BLOCKS((height + TILE_ROWS - 1) / TILE_ROWS, k - f > TILE_ROWS ? 2 : 1,
                    NAME(tile_block)(rows, columns, (char *)sums, 2 * TILE_BYTES, TILE_BYTES, 64,
                                     left + from, block, right + from, block, tiles, 0))
        int level = 0;
        for (int64_t s = shard; s & 1; s >>= 1, level++)
          for (int r = 0; r < 4 * TILE_ROWS; r++) sums[r] = waiting[level][r] + sums[r];
        if (shard + 1 < shards) memcpy(waiting[level], sums, sizeof sums);
      }
      for (int64_t r = 0; r < height; r++) {
        const V *sum = sums + r / TILE_ROWS * 2 * TILE_ROWS + r % TILE_ROWS;
        NAME(take_part)(c + (m + r) * k + f, sum[0], k - f, add);
        if (k - f > TILE_ROWS)
          NAME(take_part)(c + (m + r) * k + f + TILE_ROWS, sum[TILE_ROWS], k - f - TILE_ROWS, add);
      }
    }
  }
  TILES_END;
}
