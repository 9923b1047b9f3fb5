// S x = b with S = (A + A^T) / 2 + diag d, for an n x n matrix of each sequence, by the factors
// S = L D L^T with ones on the diagonal of L. No square roots, and no pivots: S is to be positive.
//
// With U = L D, for j < i and in the order of rows:
//
//     U(i,j) = S(i,j) - sum over k < j of U(i,k) L(j,k),   L(i,j) = U(i,j) / D(j)     (1)
//     D(i)   = S(i,i) - sum over k < i of U(i,k) L(i,k)                               (2)

// Rows that are factored together: their sums over k, two a row, share the loads of L.
#define TOGETHER (PAIRS ? 4 : 2)

// Where row i of L starts; 1 / D stands behind the last row.
#define ROW(i) ((i) * ((i) - 1) / 2)

static inline __attribute__((always_inline)) V NAME(symmetric_part)(
    const V *a, int64_t i, int64_t j, int64_t n) {
  return (a[i * n + j] + a[j * n + i]) * (REAL)0.5;
}

// (1) for the columns before `first` of the rows from `first` on: two columns at a time, `first`
// being even. u is (rows, n).
static inline __attribute__((always_inline)) void NAME(factor_rows)(
    const int rows, const V *restrict a, const V *restrict l, V *restrict u, int64_t first,
    int64_t n) {
  for (int64_t j = 0; j < first; j += 2) {
    const V *l0 = l + ROW(j), *l1 = l + ROW(j + 1);
    V even[TOGETHER], odd[TOGETHER];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      even[r] = NAME(symmetric_part)(a, first + r, j, n);
      odd[r] = NAME(symmetric_part)(a, first + r, j + 1, n);
    }
    for (int64_t k = 0; k < j; k++)
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        even[r] -= u[r * n + k] * l0[k];
        odd[r] -= u[r * n + k] * l1[k];
      }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      u[r * n + j] = even[r];
      u[r * n + j + 1] = odd[r] - even[r] * l1[j];
    }
  }
}

// (2), and L and 1 / D of row i, of which u holds the columns before `known`.
static inline __attribute__((always_inline)) void NAME(factor_row)(
    const V *restrict a, const V *restrict d, V *restrict l, V *restrict inverse, V *restrict u,
    int64_t i, int64_t known, int64_t n) {
  for (int64_t j = known; j < i; j++) {
    const V *lj = l + ROW(j);
    V sum = NAME(symmetric_part)(a, i, j, n);
    for (int64_t k = 0; k < j; k++) sum -= u[k] * lj[k];
    u[j] = sum;
  }
  V *li = l + ROW(i), pivot = a[i * n + i] + d[i];
  for (int64_t k = 0; k < i; k++) {
    li[k] = u[k] * inverse[k];
    pivot -= u[k] * li[k];
  }
  // Lanes beyond the batch are zero throughout, and stay so.
  inverse[i] = SELECT(pivot == 0, (V){0}, 1 / pivot);
}

// x = S^-1 x: L y = x, D y, L^T x = y.
static inline __attribute__((always_inline)) void NAME(solve_factored)(
    V *restrict x, const V *restrict l, int64_t n) {
  const V *inverse = l + ROW(n);
  for (int64_t i = 1; i < n; i++) {
    V sum = x[i];
    for (int64_t k = 0; k < i; k++) sum -= l[ROW(i) + k] * x[k];
    x[i] = sum;
  }
  for (int64_t i = 0; i < n; i++) x[i] *= inverse[i];
  for (int64_t i = n - 1; i > 0; i--) {
    V xi = x[i];
    for (int64_t k = 0; k < i; k++) x[k] -= l[ROW(i) + k] * xi;
  }
}

//   operand 0 x (n), 1 A, 2 d (n), 3 b (n), 4 L and 1 / D (n (n + 1) / 2), 5 room for TOGETHER n; size 0 n
KERNEL(symmetric_solve) {
  const V *a = (const V *)OPERAND(1), *d = (const V *)OPERAND(2);
  V *x = (V *)OPERAND(0), *l = (V *)OPERAND(4), *u = (V *)OPERAND(5);
  int64_t n = SIZE(0), i = 0;
  V *inverse = l + ROW(n);
  for (; i + TOGETHER <= n; i += TOGETHER) {
    NAME(factor_rows)(TOGETHER, a, l, u, i, n);
    for (int64_t r = 0; r < TOGETHER; r++)
      NAME(factor_row)(a, d, l, inverse, u + r * n, i + r, i, n);
  }
  for (; i < n; i++) NAME(factor_row)(a, d, l, inverse, u, i, 0, n);
  memcpy(x, (const V *)OPERAND(3), n * sizeof(V));
  NAME(solve_factored)(x, l, n);
}

// The derivative: S z = dx, dA -= (z x^T + x z^T) / 2.
//   operand 0 dA, 1 dx (n), 2 x (n), 3 L and 1 / D, 4 z (n); size 0 n
KERNEL(symmetric_solve_backward) {
  V *restrict d = (V *)OPERAND(0);
  const V *restrict x = (const V *)OPERAND(2);
  V *restrict z = (V *)OPERAND(4);
  int64_t n = SIZE(0);
  memcpy(z, (const V *)OPERAND(1), n * sizeof(V));
  NAME(solve_factored)(z, (const V *)OPERAND(3), n);
  for (int64_t i = 0; i < n; i++) {
    V zi = z[i] * (REAL)0.5, xi = x[i] * (REAL)0.5;
    for (int64_t j = 0; j < n; j++) d[i * n + j] -= zi * x[j] + xi * z[j];
  }
}

#undef TOGETHER
#undef ROW
