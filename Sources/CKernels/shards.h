// Sums over the rows of a batch whose bits do not depend on how many ranks share its rows.
//
// A batch is cut into shards of equally many neighbouring sequences. What is summed over rows is
// first summed over the flat rows of each shard in order, step by step, and then over the shards as a
// binary tree of neighbours: a rank that has 2^n shards has a whole branch of it. Activations do not
// depend on the rows beside them, so that nothing else needs care.

// Partial sums of a tree over MS_SHARDS that wait for their neighbours.
#define SHARD_LEVELS 7

// Flat rows that exist.
static inline int64_t NAME(batch_rows)(const ms_context *context) {
  return (context->steps - 1) * MS_LANES + context->lanes;
}

// Of a vector of them.
static inline int64_t NAME(rows_of_vector)(int64_t vector, const ms_context *context) {
  return vector == context->steps - 1 ? context->lanes : MS_LANES;
}

// Ranks whose rows stand one after the other, each with as many rows and shards.
static inline int64_t NAME(parts)(const ms_context *context) {
  return context->parts ? context->parts : 1;
}

// Where a flat row stands when those of each shard lie together, step by step, each shard with room
// for `whole` rows; without shards they stand as they are. -1 for a row that does not exist.
static inline int64_t NAME(place_of_row)(int64_t row, int64_t whole, const ms_context *context) {
  int64_t rows = NAME(batch_rows)(context), parts = NAME(parts)(context);
  if (row >= rows) return -1;
  if (!context->shards) return row;
  int64_t part = row / (rows / parts), shards = context->shards / parts;
  row -= part * (rows / parts);
  int64_t size = context->sequences / shards, sequence = row % context->sequences;
  return (part * shards + sequence / size) * whole + row / context->sequences * size +
         sequence % size;
}

// The tree over one sum of each shard; it is left in the first.
static inline __attribute__((always_inline)) V NAME(shard_sum)(V *sums, int64_t shards) {
  for (int64_t width = 1; width < shards; width *= 2)
    for (int64_t s = 0; s + width < shards; s += 2 * width) sums[s] += sums[s + width];
  return sums[0];
}

// The sums of each shard += the rows of dy, for up to MS_LANES features, of the vector of rows that
// begins at `first`.
static inline __attribute__((always_inline)) void NAME(add_to_shards)(
    V *sums, const V *dy, int64_t width, int64_t first, const ms_context *context) {
  int64_t parts = NAME(parts)(context), shards = context->shards / parts;
  int64_t of_part = NAME(batch_rows)(context) / parts, part = first / of_part;
  int64_t row = first - part * of_part, size = context->sequences / shards;
  int64_t sequence = row % context->sequences;
  int64_t shard = sequence / size, left = size - sequence % size;
  int64_t count = NAME(rows_of_vector)(first / MS_LANES, context);
  sums += part * shards;
  V rows[MS_LANES];
  for (int64_t j = 0; j < MS_LANES; j++) rows[j] = j < width ? dy[j] : (V){0};
  NAME(transpose)(rows);
  for (int64_t lane = 0; lane < count; lane++) {
    sums[shard] += rows[lane];
    if (--left == 0) {
      left = size;
      if (++shard == shards) shard = 0;
    }
    // The next rank begins with its first shard.
    if (++row == of_part) {
      row = 0;
      sums += shards;
    }
  }
}

// g += sum over flat rows of dy: the gradient of a bias.
//   operand 0 g, 1 dy; size 0 n
KERNEL(shard_bias_gradient) {
  REAL *g = (REAL *)instruction->operand[0].base;
  int64_t n = SIZE(0), shards = context->shards;
  for (int64_t f = 0; f < n; f += MS_LANES) {
    V sums[MS_SHARDS];
    for (int64_t s = 0; s < shards; s++) sums[s] = (V){0};
    for (int64_t v = 0; v < context->steps; v++) {
      const V *dy = (const V *)(instruction->operand[1].base + v * instruction->operand[1].stride);
      NAME(add_to_shards)(sums, dy + f, n - f, v * MS_LANES, context);
    }
    NAME(add_part)(g + f, NAME(shard_sum)(sums, shards), n - f);
  }
}

// dE[token] += dy, for all flat rows at once: the rows that look up the same token are a list.
//   operand 0 dE, 1 dy, 2 scratch: a row of n elements, rounded up to whole vectors, for each flat
//     row, then an int32 for each of them and for each token
//   size 0 n, 1 room for flat rows
KERNEL(shard_lookup_gradient) {
  int64_t n = SIZE(0), whole = (n + MS_LANES - 1) / MS_LANES * MS_LANES;
  int64_t all = NAME(batch_rows)(context);
  REAL *table = (REAL *)instruction->operand[0].base, *rows = (REAL *)instruction->operand[2].base;
  int32_t *next = (int32_t *)(rows + whole * SIZE(1)), *first = next + SIZE(1);
  for (int64_t row = 0; row < all; row += MS_LANES) {
    const V *from = (const V *)(instruction->operand[1].base +
                                row / MS_LANES * instruction->operand[1].stride);
    for (int64_t f = 0; f < whole; f += MS_LANES) {
      V lanes[MS_LANES];
      for (int64_t j = 0; j < MS_LANES; j++) lanes[j] = f + j < n ? from[f + j] : (V){0};
      NAME(transpose)(lanes);
      for (int64_t j = 0; j < MS_LANES; j++) *(V *)(rows + (row + j) * whole + f) = lanes[j];
    }
  }
  for (int64_t row = 0; row < all; row++) first[context->tokens[row]] = -1;
  for (int64_t row = all - 1; row >= 0; row--) {
    next[row] = first[context->tokens[row]];
    first[context->tokens[row]] = (int32_t)row;
  }
  for (int64_t head = 0; head < all; head++) {
    int64_t token = context->tokens[head];
    if (first[token] != head) continue;
    for (int64_t f = 0; f < n; f += MS_LANES) {
      V sums[MS_SHARDS];
      for (int64_t s = 0; s < context->shards; s++) sums[s] = (V){0};
      for (int64_t row = head; row >= 0; row = next[row])
        sums[row % context->sequences * context->shards / context->sequences] +=
            *(const V *)(rows + row * whole + f);
      NAME(add_part)(table + token * n + f, NAME(shard_sum)(sums, context->shards),
                     n - f < MS_LANES ? n - f : MS_LANES);
    }
  }
}
