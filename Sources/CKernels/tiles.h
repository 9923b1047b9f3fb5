// Products of float matrices by the processor's matrix unit (AMX), which multiplies 16 x 32 by
// 32 x 16 bfloat16 at a time and sums in float.
//
// A float is the sum of three bfloat16, x = x1 + x2 + x3, and exactly so: 24 bits are three times
// eight. Of the nine products of two such sums six are taken; those left out,
// x2 y3 + x3 y2 + x3 y3, come to less than 2^-25 |x y|, half of what a product of floats is rounded
// by. (Parts below the smallest normal float are zero: numbers under 1e-33 have fewer digits.) An
// element of a product takes its terms in an order that depends on the depth alone: neither the
// number of rows nor what stands beside it changes a bit.
#include <immintrin.h>

// A tile has 16 rows of 64 bytes. On the left, a row is 32 elements along the depth; on the right, it
// is 16 columns of two elements of the depth. The three parts of a tile lie one after the other.
#define TILE_ROWS 16
#define TILE_DEPTH MS_TILE_DEPTH
#define TILE_BYTES 1024
#define PARTS_BYTES (3 * TILE_BYTES)
#define PARTS_ELEMENTS (PARTS_BYTES / 4)
#define TILES_OF(depth) (((depth) + TILE_DEPTH - 1) / TILE_DEPTH)

typedef uint32_t NAME(words) __attribute__((vector_size(64), aligned(4)));
typedef uint16_t NAME(halves) __attribute__((vector_size(64), aligned(4)));

// Gets the unit ready; TILES_END leaves it, so that others need not save what it holds.
static inline void NAME(tiles_begin)(void) {
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } shape = {.palette = 1};
  for (int i = 0; i < 8; i++) {
    shape.row_bytes[i] = 64;
    shape.rows[i] = TILE_ROWS;
  }
  _tile_loadconfig(&shape);
}

#define TILES_END _tile_release()

// x as three words whose upper halves are its parts.
static inline __attribute__((always_inline)) void NAME(split)(V x, NAME(words) *part) {
#pragma clang loop unroll(full)
  for (int i = 0; i < 3; i++) {
    part[i] = i < 2 ? ((NAME(words))x + 0x8000u) & 0xffff0000u : (NAME(words))x;
    x -= (V)part[i];
  }
}

// Row r of a left tile: 16 elements and the 16 after them.
static inline __attribute__((always_inline)) void NAME(left_row)(char *tile, int64_t r, V low,
                                                                 V high) {
  NAME(words) a[3], b[3];
  NAME(split)(low, a);
  NAME(split)(high, b);
#pragma clang loop unroll(full)
  for (int i = 0; i < 3; i++)
    *(NAME(halves) *)(tile + i * TILE_BYTES + r * 64) = __builtin_shufflevector(
        (NAME(halves))a[i], (NAME(halves))b[i], 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27,
        29, 31, 33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63);
}

// 16 columns of two neighbours along the depth, as three words.
static inline __attribute__((always_inline)) void NAME(pair_words)(V even, V odd,
                                                                   NAME(words) *pair) {
  NAME(words) a[3], b[3];
  NAME(split)(even, a);
  NAME(split)(odd, b);
#pragma clang loop unroll(full)
  for (int i = 0; i < 3; i++) pair[i] = a[i] >> 16 | (b[i] & 0xffff0000u);
}

// Row r of a right tile.
static inline __attribute__((always_inline)) void NAME(right_row)(char *tile, int64_t r, V even,
                                                                  V odd) {
  NAME(words) pair[3];
  NAME(pair_words)(even, odd, pair);
#pragma clang loop unroll(full)
  for (int i = 0; i < 3; i++) *(NAME(words) *)(tile + i * TILE_BYTES + r * 64) = pair[i];
}

// A left tile of what is given by columns: 16 rows of 32 columns at `source`, `stride` elements
// apart, of which `width` rows exist and the columns from `columns` on are `last`, then zero.
static inline __attribute__((always_inline)) void NAME(left_columns)(
    char *tile, const REAL *source, int64_t stride, int64_t columns, int64_t width,
    const REAL *last) {
  V parts[3][TILE_ROWS], both[2];
  for (int64_t r = 0; r < TILE_ROWS; r++) {
    NAME(words) pair[3];
    for (int64_t i = 0; i < 2; i++) {
      const REAL *from = 2 * r + i < columns ? source + (2 * r + i) * stride
                         : 2 * r + i == columns ? last : 0;
      both[i] = from ? NAME(load_part)(from, width) : (V){0};
    }
    NAME(pair_words)(both[0], both[1], pair);
    for (int i = 0; i < 3; i++) parts[i][r] = (V)pair[i];
  }
  for (int i = 0; i < 3; i++) {
    NAME(transpose)(parts[i]);
    memcpy(tile + i * TILE_BYTES, parts[i], TILE_BYTES);
  }
}

// rows x columns (1 or 2 of each) blocks of 16 x 16 of C = A B, or C += A B: a block of C at
// c + i row_block + j column_block, its rows `stride` bytes apart. Neighbours in the order of the six
// products share an operand, and small products come first.
static inline __attribute__((always_inline)) void NAME(tile_block)(
    const int rows, const int columns, char *c, int64_t row_block, int64_t column_block,
    int64_t stride, const char *left, int64_t left_block, const char *right, int64_t right_block,
    int64_t tiles, int add) {
#define EACH_BLOCK(c00, c01, c10, c11)  \
  {                                     \
    c00;                                \
    if (columns > 1) c01;               \
    if (rows > 1) c10;                  \
    if (rows > 1 && columns > 1) c11;   \
  }
#define LEFT(part)                                                                     \
  EACH_BLOCK(, , _tile_loadd(5, left + left_block + (part) * TILE_BYTES, 64), )        \
  _tile_loadd(4, left + (part) * TILE_BYTES, 64);
#define RIGHT(part)                                                                    \
  EACH_BLOCK(, _tile_loadd(7, right + right_block + (part) * TILE_BYTES, 64), , )      \
  _tile_loadd(6, right + (part) * TILE_BYTES, 64);
// Multiplies, and loads other tiles as soon as nothing needs those that they replace.
#define MULTIPLY_THEN_LEFT(from)                                                       \
  EACH_BLOCK(_tile_dpbf16ps(0, 4, 6), _tile_dpbf16ps(1, 4, 7), , )                     \
  _tile_loadd(4, from, 64);                                                            \
  EACH_BLOCK(, , _tile_dpbf16ps(2, 5, 6), _tile_dpbf16ps(3, 5, 7))                     \
  if (rows > 1) _tile_loadd(5, (from) + left_block, 64);
#define MULTIPLY_THEN_RIGHT(from)                                                      \
  EACH_BLOCK(_tile_dpbf16ps(0, 4, 6), , _tile_dpbf16ps(2, 5, 6), )                     \
  _tile_loadd(6, from, 64);                                                            \
  EACH_BLOCK(, _tile_dpbf16ps(1, 4, 7), , _tile_dpbf16ps(3, 5, 7))                     \
  if (columns > 1) _tile_loadd(7, (from) + right_block, 64);
  char *below = c + row_block;
  if (add)
    EACH_BLOCK(_tile_loadd(0, c, stride), _tile_loadd(1, c + column_block, stride),
               _tile_loadd(2, below, stride), _tile_loadd(3, below + column_block, stride))
  else
    EACH_BLOCK(_tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3))
  LEFT(0)
  RIGHT(2)
  for (int64_t t = 0; t < tiles; t++) {
    // The last tiles load themselves again: there are none after them.
    int64_t next = t + 1 < tiles ? PARTS_BYTES : 0;
    MULTIPLY_THEN_RIGHT(right + TILE_BYTES)
    MULTIPLY_THEN_LEFT(left + TILE_BYTES)
    MULTIPLY_THEN_RIGHT(right)
    MULTIPLY_THEN_LEFT(left + 2 * TILE_BYTES)
    MULTIPLY_THEN_LEFT(left)
    left += next;
    MULTIPLY_THEN_RIGHT(right + next + 2 * TILE_BYTES)
    right += next;
    _tile_loadd(4, left, 64);
    if (rows > 1) _tile_loadd(5, left + left_block, 64);
  }
  EACH_BLOCK(_tile_stored(0, c, stride), _tile_stored(1, c + column_block, stride),
             _tile_stored(2, below, stride), _tile_stored(3, below + column_block, stride))
#undef EACH_BLOCK
#undef LEFT
#undef RIGHT
#undef MULTIPLY_THEN_LEFT
#undef MULTIPLY_THEN_RIGHT
}

// The statement with `rows` and `columns` as constants, 1 or 2.
#define WITH_BLOCKS(row_count, column_count, ...)                                    \
  {                                                                                  \
    if ((row_count) > 1 && (column_count) > 1) {                                     \
      enum { rows = 2, columns = 2 };                                                \
      __VA_ARGS__;                                                                   \
    } else if ((row_count) > 1) {                                                    \
      enum { rows = 2, columns = 1 };                                                \
      __VA_ARGS__;                                                                   \
    } else if ((column_count) > 1) {                                                 \
      enum { rows = 1, columns = 2 };                                                \
      __VA_ARGS__;                                                                   \
    } else {                                                                         \
      enum { rows = 1, columns = 1 };                                                \
      __VA_ARGS__;                                                                   \
    }                                                                                \
  }
