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

// d = E[token] at this step.
//   operand 0 d, 1 E (vocabulary, n); size 0 n
KERNEL(lookup) {
  V *d = (V *)OPERAND(0);
  const REAL *table = (const REAL *)instruction->operand[1].base;
  int64_t n = SIZE(0);
  const int32_t *tokens = context->tokens + step * context->rows + context->first_row;
  if (n < MS_LANES) {
    V rows[MS_LANES];
    for (int64_t lane = 0; lane < MS_LANES; lane++)
      rows[lane] =
          lane < context->lanes ? NAME(load_part)(table + tokens[lane] * n, n) : NAME(zeros);
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
      rows[lane] = lane < context->lanes ? table + tokens[lane] * n + f : (const REAL *)&NAME(zeros);
    NAME(transpose_rows)(rows, d + f);
  }
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

// dE[token] += dy at this step.
//   operand 0 dE, 1 dy; size 0 n
KERNEL(lookup_gradient) {
  REAL *table = (REAL *)instruction->operand[0].base;
  const V *dy = (const V *)OPERAND(1);
  int64_t n = SIZE(0), f = 0;
  const int32_t *tokens = context->tokens + step * context->rows + context->first_row;
  for (; f + MS_LANES <= n; f += MS_LANES)
    NAME(add_to_rows)(table, n, tokens, context->lanes, dy, f, MS_LANES);
  if (f < n) NAME(add_to_rows)(table, n, tokens, context->lanes, dy, f, n - f);
}
