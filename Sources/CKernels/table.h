// Tables over a vocabulary, made once a batch: T = E W^T + b, so that a step looks up a row of T
// instead of a row of E and multiplies nothing. Everything here is row-major; nothing has lanes.

static inline __attribute__((always_inline)) void NAME(product_block)(
    const int rows, REAL *restrict c, int64_t c_stride, int64_t width, const REAL *restrict a,
    int64_t a_row, int64_t a_k, const V *restrict panel, int64_t count, V start, int add) {
  V sum[BLOCK];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = start;
  for (int64_t k = 0; k < count; k++) {
    V b = panel[k];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] += b * a[r * a_row + k * a_k];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    if (add) NAME(add_part)(c + r * c_stride, sum[r], width);
    else memcpy(c + r * c_stride, &sum[r], width * sizeof(REAL));
  }
}

// The product of `matrix_product`, below.
static void NAME(multiply_matrices)(REAL *c, const REAL *a, const REAL *b, const REAL *bias,
                                    V *panel, int64_t m, int64_t n, int64_t k, int a_transposed,
                                    int b_transposed, int add) {
  int64_t a_row = a_transposed ? 1 : k, a_k = a_transposed ? m : 1;
  for (int64_t j = 0; j < n; j += MS_LANES) {
    int64_t width = n - j < MS_LANES ? n - j : MS_LANES;
    if (b_transposed) {
      for (int64_t i = 0; i < k; i += MS_LANES) {
        int64_t height = k - i < MS_LANES ? k - i : MS_LANES;
        V rows[MS_LANES];
        for (int64_t r = 0; r < MS_LANES; r++)
          rows[r] = r < width ? NAME(load_part)(b + (j + r) * k + i, height) : (V){0};
        NAME(transpose)(rows);
        memcpy(panel + i, rows, height * sizeof(V));
      }
    } else {
      for (int64_t i = 0; i < k; i++) panel[i] = NAME(load_part)(b + i * n + j, width);
    }
    V start = bias ? NAME(load_part)(bias + j, width) : (V){0};
    for (int64_t block = 0, i = 0; block < BLOCKS(m); block++) {
      int64_t count = ROWS_OF(m, block);
      WITH_ROWS(count, NAME(product_block)(rows, c + i * n + j, n, width, a + i * a_row, a_row, a_k,
                                           panel, k, start, add))
      i += count;
    }
  }
}

// C (+)= A B, or C = A B + b in every row.
//   operand 0 C (m, n), 1 A (m, k) or (k, m), 2 B (k, n) or (n, k), 3 b (n) or null,
//   4 panel: k vectors
//   size 0 m, 1 n, 2 k, 3 whether A is stored (k, m), 4 whether B is stored (n, k), 5 add
KERNEL(matrix_product) {
  NAME(multiply_matrices)((REAL *)instruction->operand[0].base,
                          (const REAL *)instruction->operand[1].base,
                          (const REAL *)instruction->operand[2].base,
                          (const REAL *)instruction->operand[3].base,
                          (V *)instruction->operand[4].base, SIZE(0), SIZE(1), SIZE(2),
                          (int)SIZE(3), (int)SIZE(4), (int)SIZE(5));
}

// D (+)= S^T, or D = S^T + b in every row.
//   operand 0 D (n, m), 1 S (m, n), 2 b (m) or null; size 0 m, 1 n, 2 add
KERNEL(matrix_transpose) {
  REAL *d = (REAL *)instruction->operand[0].base;
  const REAL *s = (const REAL *)instruction->operand[1].base;
  const REAL *bias = (const REAL *)instruction->operand[2].base;
  int64_t m = SIZE(0), n = SIZE(1);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < m; j++) {
      REAL start = SIZE(2) ? d[i * m + j] : bias ? bias[j] : 0;
      d[i * m + j] = start + s[j * n + i];
    }
}

// g += sum of the rows of S.
//   operand 0 g (n), 1 S (m, n); size 0 m, 1 n
KERNEL(sum_of_rows) {
  REAL *restrict g = (REAL *)instruction->operand[0].base;
  const REAL *restrict s = (const REAL *)instruction->operand[1].base;
  for (int64_t i = 0; i < SIZE(0); i++)
    for (int64_t j = 0; j < SIZE(1); j++) g[j] += s[i * SIZE(1) + j];
}
