// Products of a parameter matrix with a vector of each of a few sequences, fewer than fill the lanes
// of their tiles: vectors run over the outputs instead, so that only sequences that exist cost
// anything. The sums are those of `linear`, k strictly in order: the same bits.

#define NARROW_NAME NAME(narrow_vectors)
#define LANES_NAME NAME(narrow_lanes)
enum { NARROW_NAME = NARROW_VECTORS, LANES_NAME = BLOCK < 8 ? BLOCK : 8 };

// Sequences of a tile are taken in groups of LANES_NAME at most, as even as can be.
#define NARROW_WIDTH (NARROW_NAME * MS_LANES)
// How many columns a panel is fetched ahead.
#define NARROW_AHEAD 32

// The sums of `rows` sequences for 16 `vectors` outputs: sums[v * MS_LANES + row].
static inline __attribute__((always_inline)) void NAME(narrow_block)(
    const int rows, const int vectors, V *restrict sums, const V *restrict panel,
    const REAL *restrict x, int64_t count) {
  V sum[LANES_NAME][NARROW_NAME];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[r][v] = sums[v * MS_LANES + r];
#pragma clang loop unroll(disable)
  for (int64_t k = 0; k < count; k++, panel += vectors, x += MS_LANES) {
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[r][v] += panel[v] * x[r];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sums[v * MS_LANES + r] = sum[r][v];
}

// 16 outputs of a tile as rows; those from `width` on are `spare`.
static inline __attribute__((always_inline)) void NAME(output_rows)(REAL **row, V *d, int64_t width,
                                                                    V *spare) {
#pragma clang loop unroll(full)
  for (int64_t f = 0; f < MS_LANES; f++) row[f] = (REAL *)(f < width ? d + f : spare);
}

// `width` outputs of one tile, of which `lanes` sequences exist. Other lanes are left as they are
// where the sum is added, else zero.
static inline __attribute__((always_inline)) void NAME(narrow_tile)(
    const int vectors, V *d, const V *panel, const V *x, int64_t count, int64_t lanes,
    int64_t width, const REAL *bias, int add) {
  V sums[NARROW_NAME * MS_LANES], spare = {0};
  REAL *row[MS_LANES];
  int64_t quarters = (lanes + 3) / 4;
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    V *part = sums + v * MS_LANES;
    int64_t first = v * MS_LANES;
    if (add) {
      NAME(output_rows)(row, d + first, width - first, &spare);
      for (int64_t q = 0; q < quarters; q++)
        NAME(load_columns)((const REAL *const *)row, q, part + 4 * q);
    } else {
      V start = bias ? NAME(load_part)(bias + first, width - first) : (V){0};
      for (int64_t lane = 0; lane < 4 * quarters; lane++) part[lane] = lane < lanes ? start : (V){0};
    }
  }
  int64_t groups = (lanes + LANES_NAME - 1) / LANES_NAME;
  for (int64_t group = 0, lane = 0; group < groups; group++) {
    int64_t some = lanes / groups + (group < lanes % groups);
    switch (some) {
#define NARROW_CASE(n)                                                                      \
  case n: {                                                                                 \
    enum { rows = (n) <= LANES_NAME ? (n) : 1 };                                            \
    NAME(narrow_block)(rows, vectors, sums + lane, panel, (const REAL *)x + lane, count);   \
    break;                                                                                  \
  }
      NARROW_CASE(1) NARROW_CASE(2) NARROW_CASE(3) NARROW_CASE(4)
      NARROW_CASE(5) NARROW_CASE(6) NARROW_CASE(7) NARROW_CASE(8)
#undef NARROW_CASE
    }
    lane += some;
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    int64_t first = v * MS_LANES;
    NAME(output_rows)(row, d + first, width - first, &spare);
    for (int64_t q = 0; q < quarters; q++) NAME(store_columns)(row, q, sums + first + 4 * q);
    for (int64_t q = quarters; q < MS_LANES / 4 && !add; q++)
#pragma clang loop unroll(full)
      for (int64_t f = 0; f < MS_LANES; f++) ((NAME(quarter) *)row[f])[q] = (NAME(quarter)){0};
  }
}

// Some outputs of a tile all of whose sequences exist, with vectors over the sequences: the panel is
// read by broadcasts, and nothing has to be turned.
static inline __attribute__((always_inline)) void NAME(narrow_full_block)(
    const int rows, V *restrict d, const REAL *restrict panel, const V *restrict x, int64_t count,
    const REAL *bias, int add) {
  V sum[BLOCK];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = add ? d[r] : bias ? (V){0} + bias[r] : (V){0};
#pragma clang loop unroll(disable)
  for (int64_t k = 0; k < count; k++, panel += MS_LANES) {
    V xk = x[k];
    // Panels come from far away, one after the other.
    __builtin_prefetch(panel + NARROW_AHEAD * MS_LANES);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] += xk * panel[r];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) d[r] = sum[r];
}
static inline __attribute__((always_inline)) void NAME(narrow_full_tile)(
    V *d, const REAL *panel, const V *x, int64_t count, int64_t width, const REAL *bias, int add) {
  for (int64_t b = 0, m = 0; b < BLOCKS(width); b++) {
    int64_t n = ROWS_OF(width, b);
    WITH_ROWS(n, NAME(narrow_full_block)(rows, d + m, panel + m, x, count, bias ? bias + m : 0, add))
    m += n;
  }
}

// `linear` with W from `pack_narrow`, for all tiles that go through the steps together.
//   operand 0 d (m), 1 x (k), 2 panels, 3 bias or null; size 0 m, 1 k, 2 add
KERNEL(linear_narrow) {
  const V *panel = (const V *)instruction->operand[2].base;
  const REAL *bias = (const REAL *)instruction->operand[3].base;
  int64_t m = SIZE(0), k = SIZE(1);
  int add = (int)SIZE(2);
  for (int64_t f = 0; f < m; f += NARROW_WIDTH) {
    int64_t width = m - f < NARROW_WIDTH ? m - f : NARROW_WIDTH;
    int64_t vectors = (width + MS_LANES - 1) / MS_LANES;
    for (int64_t tile = 0; tile < context->tiles; tile++) {
      int64_t left = context->sequences - context->first_row - tile * MS_LANES;
      int64_t lanes = left < MS_LANES ? left : MS_LANES;
      V *d = (V *)(OPERAND(0) + tile * context->tile_stride) + f;
      const V *x = (const V *)(OPERAND(1) + tile * context->tile_stride);
      const REAL *b = bias ? bias + f : 0;
      if (NARROW_NAME == 1 && lanes == MS_LANES)
        NAME(narrow_full_tile)(d, (const REAL *)panel, x, k, width, b, add);
      else if (vectors == 1) NAME(narrow_tile)(1, d, panel, x, k, lanes, width, b, add);
      if (NARROW_NAME > 1 && vectors == 2)
        NAME(narrow_tile)(NARROW_NAME > 1 ? 2 : 1, d, panel, x, k, lanes, width, b, add);
      if (NARROW_NAME > 2 && vectors == 3)
        NAME(narrow_tile)(NARROW_NAME > 2 ? 3 : 1, d, panel, x, k, lanes, width, b, add);
    }
    panel += vectors * k;
  }
}

// W as `linear_narrow` reads it: for each block of rows, one column after the other, rounded up to
// whole vectors.
//   operand 0 panels, 1 W; size 0 m, 1 k, 2 elements from row to row of W, 3 from column to column;
//   one of them is 1
KERNEL(pack_narrow) {
  V *panel = (V *)instruction->operand[0].base;
  const REAL *w = (const REAL *)instruction->operand[1].base;
  int64_t m = SIZE(0), k = SIZE(1), row = SIZE(2), column = SIZE(3);
  for (int64_t f = 0; f < m; f += NARROW_WIDTH) {
    int64_t width = m - f < NARROW_WIDTH ? m - f : NARROW_WIDTH;
    int64_t vectors = (width + MS_LANES - 1) / MS_LANES;
    for (int64_t v = 0; v < vectors; v++) {
      const REAL *part = w + (f + v * MS_LANES) * row;
      int64_t rows = width - v * MS_LANES < MS_LANES ? width - v * MS_LANES : MS_LANES;
      if (row == 1) {
        for (int64_t j = 0; j < k; j++)
          panel[j * vectors + v] = NAME(load_part)(part + j * column, rows);
        continue;
      }
      for (int64_t j = 0; j < k; j += MS_LANES) {
        int64_t columns = k - j < MS_LANES ? k - j : MS_LANES;
        V block[MS_LANES];
        for (int64_t r = 0; r < MS_LANES; r++)
          block[r] = r < rows ? NAME(load_part)(part + r * row + j, columns) : (V){0};
        NAME(transpose)(block);
        for (int64_t i = 0; i < columns; i++) panel[(j + i) * vectors + v] = block[i];
      }
    }
    panel += vectors * k;
  }
}

#undef NARROW_NAME
#undef LANES_NAME
#undef NARROW_WIDTH
#undef NARROW_AHEAD
