// Rows of a product are taken in blocks whose sums stay in registers: as few blocks as BLOCK rows
// allow, of sizes that differ by one at most, so that no block of one or two rows is left over.

#define BLOCK NAME(block_rows)
enum { BLOCK = LINEAR_ROWS };

// Blocks of n rows.
#define BLOCKS(n) (((n) + BLOCK - 1) / BLOCK)
// Rows of block b.
#define ROWS_OF(n, b) ((n) / BLOCKS(n) + ((b) < (n) % BLOCKS(n)))

#define ROWS_CASE_(n, ...)                        \
  case n: {                                       \
    enum { rows = (n) <= BLOCK ? (n) : 1 };       \
    if ((n) <= BLOCK) { __VA_ARGS__; }            \
    break;                                        \
  }

// The statement with `rows` as a constant: 1...16, the most that BLOCK can be.
#define WITH_ROWS(count, ...)                                                                   \
  switch (count) {                                                                              \
    ROWS_CASE_(1, __VA_ARGS__) ROWS_CASE_(2, __VA_ARGS__) ROWS_CASE_(3, __VA_ARGS__)            \
    ROWS_CASE_(4, __VA_ARGS__) ROWS_CASE_(5, __VA_ARGS__) ROWS_CASE_(6, __VA_ARGS__)            \
    ROWS_CASE_(7, __VA_ARGS__) ROWS_CASE_(8, __VA_ARGS__) ROWS_CASE_(9, __VA_ARGS__)            \
    ROWS_CASE_(10, __VA_ARGS__) ROWS_CASE_(11, __VA_ARGS__) ROWS_CASE_(12, __VA_ARGS__)         \
    ROWS_CASE_(13, __VA_ARGS__) ROWS_CASE_(14, __VA_ARGS__) ROWS_CASE_(15, __VA_ARGS__)         \
    ROWS_CASE_(16, __VA_ARGS__)                                                                 \
  }
