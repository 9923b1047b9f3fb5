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
  REAL *d = (REAL *)OPERAND(0);
  const REAL *table = (const REAL *)instruction->operand[1].base;
  int64_t n = SIZE(0);
  const int32_t *tokens = context->tokens + step * context->rows + context->first_row;
  if (context->lanes < MS_LANES) memset(d, 0, n * sizeof(V));
  for (int64_t lane = 0; lane < context->lanes; lane++) {
    const REAL *row = table + tokens[lane] * n;
    for (int64_t f = 0; f < n; f++) d[f * MS_LANES + lane] = row[f];
  }
}

// dE[token] += d at this step.
//   operand 0 dE, 1 d; size 0 n
KERNEL(lookup_gradient) {
  REAL *table = (REAL *)instruction->operand[0].base;
  const REAL *d = (const REAL *)OPERAND(1);
  int64_t n = SIZE(0);
  const int32_t *tokens = context->tokens + step * context->rows + context->first_row;
  for (int64_t lane = 0; lane < context->lanes; lane++) {
    REAL *row = table + tokens[lane] * n;
    for (int64_t f = 0; f < n; f++) row[f] += d[f * MS_LANES + lane];
  }
}
