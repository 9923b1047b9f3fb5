// A memory of n x m numbers a sequence, kept as a matrix [n][m][lanes]:
//
//     A' = c1 . A + c2 . u v^T                                                    (1)
//     y  = A s                                                                    (2)
//
// with each coefficient c a constant or an n x m parameter (elementwise). dA is one buffer that is
// carried backwards through the steps in place: at step t it turns from dL/dA' into dL/dA.

// First term of (1): A' = c1 . A.
//   operand 0 A', 1 A, 2 c1 or null; size 0 n m; scalar 0 the constant c1
KERNEL(matrix_decay) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1);
  const REAL *c = (const REAL *)instruction->operand[2].base;
  REAL constant = (REAL)instruction->scalar[0];
  for (int64_t i = 0; i < SIZE(0); i++) d[i] = a[i] * (c ? c[i] : constant);
}

// dc1 += dA' . A, then dA = c1 . dA' in place.
//   operand 0 dA, 1 A, 2 c1 or null, 3 dc1 lanes; size 0 n m; scalar 0 the constant c1
KERNEL(matrix_decay_backward) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1);
  const REAL *c = (const REAL *)instruction->operand[2].base;
  REAL constant = (REAL)instruction->scalar[0];
  if (c) {
    V *dc = (V *)instruction->operand[3].base;
    for (int64_t i = 0; i < SIZE(0); i++) {
      dc[i] += d[i] * a[i];
      d[i] *= c[i];
    }
  } else {
    for (int64_t i = 0; i < SIZE(0); i++) d[i] *= constant;
  }
}

// Second term of (1): A' (+)= c2 . u v^T.
//   operand 0 A', 1 u (n), 2 v (m), 3 c2 or null; size 0 n, 1 m, 2 add; scalar 0 the constant c2
KERNEL(matrix_write) {
  V *d = (V *)OPERAND(0);
  const V *u = (const V *)OPERAND(1), *v = (const V *)OPERAND(2);
  const REAL *c = (const REAL *)instruction->operand[3].base;
  REAL constant = (REAL)instruction->scalar[0];
  int64_t m = SIZE(1);
  for (int64_t i = 0; i < SIZE(0); i++)
    for (int64_t j = 0; j < m; j++) {
      V write = (c ? c[i * m + j] : constant) * (u[i] * v[j]);
      d[i * m + j] = SIZE(2) ? d[i * m + j] + write : write;
    }
}

// With M = c2 . dA': du += M v, dv += M^T u, dc2 += dA' . u v^T.
//   operand 0 dA', 1 u, 2 v, 3 c2 or null, 4 du, 5 dv, 6 dc2 lanes
//   size 0 n, 1 m; scalar 0 the constant c2
KERNEL(matrix_write_backward) {
  const V *d = (const V *)OPERAND(0), *u = (const V *)OPERAND(1), *v = (const V *)OPERAND(2);
  const REAL *c = (const REAL *)instruction->operand[3].base;
  REAL constant = (REAL)instruction->scalar[0];
  V *du = (V *)OPERAND(4), *dv = (V *)OPERAND(5), *dc = (V *)instruction->operand[6].base;
  int64_t m = SIZE(1);
  for (int64_t i = 0; i < SIZE(0); i++) {
    V sum = {0}, ui = u[i];
    for (int64_t j = 0; j < m; j++) {
      V g = d[i * m + j];
      if (c) dc[i * m + j] += g * (ui * v[j]);
      g *= c ? c[i * m + j] : constant;
      sum += g * v[j];
      dv[j] += g * ui;
    }
    du[i] += sum;
  }
}

// (2): y = A s.
//   operand 0 y (n), 1 A, 2 s (m); size 0 n, 1 m
KERNEL(matrix_read) {
  V *y = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1), *s = (const V *)OPERAND(2);
  int64_t m = SIZE(1);
  for (int64_t i = 0; i < SIZE(0); i++) {
    V sum = {0};
    for (int64_t j = 0; j < m; j++) sum += a[i * m + j] * s[j];
    y[i] = sum;
  }
}

// Derivative of (2): dA += dy s^T, ds += A^T dy.
//   operand 0 dA, 1 A, 2 s, 3 dy, 4 ds; size 0 n, 1 m
KERNEL(matrix_read_backward) {
  V *d = (V *)OPERAND(0), *ds = (V *)OPERAND(4);
  const V *a = (const V *)OPERAND(1), *s = (const V *)OPERAND(2), *dy = (const V *)OPERAND(3);
  int64_t m = SIZE(1);
  for (int64_t i = 0; i < SIZE(0); i++) {
    V g = dy[i];
    for (int64_t j = 0; j < m; j++) {
      d[i * m + j] += g * s[j];
      ds[j] += a[i * m + j] * g;
    }
  }
}
