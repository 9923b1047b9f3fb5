// From the batch's row-major arrays to lanes, and embeddings. Lanes beyond the batch are zero.

// d = the input vector at this step.
//   operand 0 d; size 0 n
KERNEL(load_features) {
  REAL *d = (REAL *)OPERAND(0);
  int64_t n = SIZE(0);
  const float *x = context->features + (step * context->rows + context->first_row) * n;
  for (int64_t f = 0; f < n; f++)
    for (int64_t lane = 0; lane < MS_LANES; lane++)
      d[f * MS_LANES + lane] = lane < context->lanes ? x[lane * n + f] : 0;
}

// d = the one-hot vector of the token at this step.
//   operand 0 d; size 0 n
KERNEL(load_one_hot) {
  REAL *d = (REAL *)OPERAND(0);
  const int32_t *tokens = context->tokens + step * context->rows + context->first_row;
  memset(d, 0, SIZE(0) * sizeof(V));
  for (int64_t lane = 0; lane < context->lanes; lane++) d[tokens[lane] * MS_LANES + lane] = 1;
}

static const V NAME(zeros) = {0};

// d = one row of a table of n columns for each of the first lanes.
static void NAME(load_rows)(V *d, const REAL *table, const int32_t *tokens, int64_t lanes,
                            int64_t n) {
  if (n < MS_LANES) {
    V rows[MS_LANES];
    for (int64_t lane = 0; lane < MS_LANES; lane++)
      rows[lane] = lane < lanes ? NAME(load_part)(table + tokens[lane] * n, n) : NAME(zeros);
    NAME(transpose)(rows);
    memcpy(d, rows, n * sizeof(V));
    return;
  }
  for (int64_t f = 0; f < n; f++) __builtin_prefetch(d + f, 1);
  for (int64_t next = 0; next < n; next += MS_LANES) {
    // The last features again with some before them.
    int64_t f = next + MS_LANES > n ? n - MS_LANES : next;
    const REAL *rows[MS_LANES];
    for (int64_t lane = 0; lane < MS_LANES; lane++)
      rows[lane] = lane < lanes ? table + tokens[lane] * n + f : (const REAL *)&NAME(zeros);
    NAME(transpose_rows)(rows, d + f);
  }
}

// d = E[token] at this step.
//   operand 0 d, 1 E (vocabulary, n); size 0 n
KERNEL(lookup) {
  NAME(load_rows)((V *)OPERAND(0), (const REAL *)instruction->operand[1].base,
                  context->tokens + step * context->rows + context->first_row, context->lanes,
                  SIZE(0));
}

// Adds features f ... f + count - 1 of dy to the gradients of the tokens' rows.
static inline __attribute__((always_inline)) void NAME(add_to_rows)(
    REAL *table, int64_t n, const int32_t *tokens, int64_t lanes, const V *dy, int64_t f,
    int64_t count) {
  const REAL *features[MS_LANES];
#pragma clang loop unroll(full)
  for (int64_t r = 0; r < MS_LANES; r++)
    features[r] = (const REAL *)(r < count ? dy + f + r : &NAME(zeros));
  V rows[MS_LANES];
  NAME(transpose_rows)(features, rows);
  for (int64_t lane = 0; lane < lanes; lane++)
    NAME(add_part)(table + tokens[lane] * n + f, rows[lane], count);
}

// Adds dy to a row of a table of n columns for each of the first lanes.
static void NAME(add_rows)(REAL *table, const V *dy, const int32_t *tokens, int64_t lanes,
                           int64_t n) {
  int64_t f = 0;
  for (; f + MS_LANES <= n; f += MS_LANES)
    NAME(add_to_rows)(table, n, tokens, lanes, dy, f, MS_LANES);
  if (f < n) NAME(add_to_rows)(table, n, tokens, lanes, dy, f, n - f);
}

// dE[token] += dy at this step.
//   operand 0 dE, 1 dy; size 0 n
KERNEL(lookup_gradient) {
  NAME(add_rows)((REAL *)instruction->operand[0].base, (const V *)OPERAND(1),
                 context->tokens + step * context->rows + context->first_row, context->lanes,
                 SIZE(0));
}

// The row of a table that each sequence draws at this step, uniformly among size 1. In training a
// function of the key, the update, the sequence's row in the whole batch (unless size 2 is set, and all
// draw the same), the step and size 3; outside of the step of the sequence and size 3 alone, so that a
// sequence is the same alone, beside others and in pieces.
static void NAME(draw_rows)(const ms_instruction *instruction, const ms_context *context,
                            int64_t step, int32_t *rows) {
  const uint32_t none[2] = {0};
  uint64_t update = context->training ? context->update : 0;
  int64_t isShared = SIZE(2) || !context->training;
  for (int64_t lane = 0; lane < MS_LANES; lane++) {
    int64_t row = step * context->rows + context->first_row + lane;
    uint32_t words[4] = {(uint32_t)(context->first_step + row / context->sequences),
                         isShared ? 0 : (uint32_t)(context->first_sequence + row % context->sequences),
                         (uint32_t)update,
                         (uint32_t)(update >> 32) ^ 1u << 31 ^ (uint32_t)SIZE(3)};
    ms_philox(words, context->training ? context->random_key : none);
    rows[lane] = (int32_t)((uint64_t)words[0] * (uint64_t)SIZE(1) >> 32);
  }
}

// d = E[drawn row] at this step.
//   operand 0 d, 1 E; size 0 n, 1 rows to draw among, 2 whether all sequences draw the same,
//     3 which draw of the step
KERNEL(drawn_row) {
  int32_t rows[MS_LANES];
  NAME(draw_rows)(instruction, context, step, rows);
  NAME(load_rows)((V *)OPERAND(0), (const REAL *)instruction->operand[1].base, rows,
                  context->lanes, SIZE(0));
}

// dE[drawn row] += dy at this step.
//   operand 0 dE, 1 dy; sizes as of drawn_row
KERNEL(drawn_row_gradient) {
  int32_t rows[MS_LANES];
  NAME(draw_rows)(instruction, context, step, rows);
  NAME(add_rows)((REAL *)instruction->operand[0].base, (const V *)OPERAND(1), rows,
                 context->lanes, SIZE(0));
}
