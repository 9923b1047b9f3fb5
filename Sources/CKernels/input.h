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

// d = E[token] at this step.
//   operand 0 d, 1 E (vocabulary, n); size 0 n
KERNEL(lookup) {
  V *d = (V *)OPERAND(0);
  const REAL *table = (const REAL *)instruction->operand[1].base;
  int64_t n = SIZE(0);
  const int32_t *tokens = context->tokens + step * context->rows + context->first_row;
  for (int64_t next = 0; next < n; next += MS_LANES) {
    // The last features again with some before them, where there are that many.
    int64_t f = next + MS_LANES > n && n > MS_LANES ? n - MS_LANES : next;
    int64_t width = n - f < MS_LANES ? n - f : MS_LANES;
    V rows[MS_LANES];
    for (int64_t lane = 0; lane < MS_LANES; lane++)
      rows[lane] =
          lane < context->lanes ? NAME(load_part)(table + tokens[lane] * n + f, width) : (V){0};
    NAME(transpose)(rows);
    memcpy(d + f, rows, width * sizeof(V));
  }
}

// dE[token] += d at this step.
//   operand 0 dE, 1 d; size 0 n
KERNEL(lookup_gradient) {
  REAL *table = (REAL *)instruction->operand[0].base;
  const V *d = (const V *)OPERAND(1);
  int64_t n = SIZE(0);
  const int32_t *tokens = context->tokens + step * context->rows + context->first_row;
  for (int64_t next = 0; next < n; next += MS_LANES) {
    // The last features with zeros for some before them, where there are that many.
    int64_t f = next + MS_LANES > n && n > MS_LANES ? n - MS_LANES : next;
    int64_t width = n - f < MS_LANES ? n - f : MS_LANES;
    V rows[MS_LANES];
    for (int64_t r = 0; r < MS_LANES; r++)
      rows[r] = f + r >= next && r < width ? d[f + r] : (V){0};
    NAME(transpose)(rows);
    for (int64_t lane = 0; lane < context->lanes; lane++)
      NAME(add_part)(table + tokens[lane] * n + f, rows[lane], width);
  }
}
