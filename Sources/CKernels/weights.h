// Functions of parameters alone, once a batch. Everything here is row-major; nothing has lanes.

// Terms of the exponential's series, for a matrix of norm 1/2 at most: the rest is below 4e-17.
#define EXPONENTIAL_TERMS 14

// X = S / 2^s with the least s that makes its largest row sum 1/2 at most, S skew with the rows of
// `a` one after the other above its diagonal. Gives s.
static int NAME(scaled_skew)(REAL *x, const REAL *a, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    x[i * n + i] = 0;
    for (int64_t j = i + 1; j < n; j++, a++) {
      x[i * n + j] = *a;
      x[j * n + i] = -*a;
    }
  }
  double norm = 0;
  for (int64_t i = 0; i < n; i++) {
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += x[i * n + j] < 0 ? -x[i * n + j] : x[i * n + j];
    if (!(sum <= norm)) norm = sum;
  }
  int halvings = 0;
  double scale = 1;
  for (; norm > 0.5 && halvings < 64; halvings++, norm /= 2) scale /= 2;
  for (int64_t i = 0; i < n * n; i++) x[i] *= (REAL)scale;
  return halvings;
}

// d = I + scale a.
static void NAME(scale_from_identity)(REAL *d, const REAL *a, REAL scale, int64_t n) {
  for (int64_t i = 0; i < n * n; i++) d[i] = scale * a[i];
  for (int64_t i = 0; i < n; i++) d[i * n + i] += 1;
}

// Q = exp(S): the series I + X (I + X/2 (I + X/3 ...)) of X = S / 2^s, squared s times.
//   operand 0 Q (n, n), 1 a (n (n - 1) / 2): S above its diagonal, 2 room: 3 n^2 and n vectors
//   size 0 n
KERNEL(rotation) {
  int64_t n = SIZE(0), count = n * n;
  REAL *q = (REAL *)instruction->operand[0].base;
  const REAL *a = (const REAL *)instruction->operand[1].base;
  REAL *x = (REAL *)instruction->operand[2].base, *p = x + count, *t = p + count;
  V *panel = (V *)(t + count);
  int halvings = NAME(scaled_skew)(x, a, n);
  NAME(scale_from_identity)(p, x, (REAL)1 / EXPONENTIAL_TERMS, n);
  for (int k = EXPONENTIAL_TERMS - 1; k > 0; k--) {
    NAME(multiply_matrices)(t, x, p, 0, panel, n, n, n, 0, 0, 0);
    NAME(scale_from_identity)(p, t, (REAL)1 / k, n);
  }
  for (int i = 0; i < halvings; i++) {
    NAME(multiply_matrices)(t, p, p, 0, panel, n, n, n, 0, 0, 0);
    REAL *squared = t;
    t = p;
    p = squared;
  }
  memcpy(q, p, count * sizeof(REAL));
}

// The derivative of the same recursion at Y = S^T / 2^s in the direction E = dQ / 2^s:
//   P_k = I + Y P_{k+1} / k,   D_k = (E P_{k+1} + Y D_{k+1}) / k,   then D = P D + D P, P = P P.
//   operand 0 da, 1 dQ, 2 a, 3 room: 6 n^2 and n vectors; size 0 n
KERNEL(rotation_backward) {
  int64_t n = SIZE(0), count = n * n;
  REAL *da = (REAL *)instruction->operand[0].base;
  const REAL *dq = (const REAL *)instruction->operand[1].base;
  const REAL *a = (const REAL *)instruction->operand[2].base;
  REAL *y = (REAL *)instruction->operand[3].base, *e = y + count, *p = e + count;
  REAL *d = p + count, *t = d + count, *u = t + count;
  V *panel = (V *)(u + count);
  int halvings = NAME(scaled_skew)(y, a, n);
  REAL scale = 1;
  for (int i = 0; i < halvings; i++) scale /= 2;
  for (int64_t i = 0; i < count; i++) {
    y[i] = -y[i];
    e[i] = dq[i] * scale;
    d[i] = e[i] / EXPONENTIAL_TERMS;
  }
  NAME(scale_from_identity)(p, y, (REAL)1 / EXPONENTIAL_TERMS, n);
  for (int k = EXPONENTIAL_TERMS - 1; k > 0; k--) {
    NAME(multiply_matrices)(t, e, p, 0, panel, n, n, n, 0, 0, 0);
    NAME(multiply_matrices)(t, y, d, 0, panel, n, n, n, 0, 0, 1);
    NAME(multiply_matrices)(u, y, p, 0, panel, n, n, n, 0, 0, 0);
    for (int64_t i = 0; i < count; i++) d[i] = t[i] / k;
    NAME(scale_from_identity)(p, u, (REAL)1 / k, n);
  }
  for (int i = 0; i < halvings; i++) {
    NAME(multiply_matrices)(t, p, d, 0, panel, n, n, n, 0, 0, 0);
    NAME(multiply_matrices)(t, d, p, 0, panel, n, n, n, 0, 0, 1);
    NAME(multiply_matrices)(u, p, p, 0, panel, n, n, n, 0, 0, 0);
    REAL *other = d;
    d = t;
    t = other;
    other = p;
    p = u;
    u = other;
  }
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = i + 1; j < n; j++) *da++ += d[i * n + j] - d[j * n + i];
}

// dW += 4 alpha (W W^T - I) W: the gradient of alpha |W W^T - I|_F^2.
//   operand 0 dW (m, n), 1 W (m, n), 2 room: m^2 and max(m, n) vectors; size 0 m, 1 n
//   scalar 0 alpha
KERNEL(orthogonal_penalty) {
  int64_t m = SIZE(0), n = SIZE(1);
  REAL *dw = (REAL *)instruction->operand[0].base;
  const REAL *w = (const REAL *)instruction->operand[1].base;
  REAL *t = (REAL *)instruction->operand[2].base;
  V *panel = (V *)(t + m * m);
  REAL scale = (REAL)(4 * instruction->scalar[0]);
  NAME(multiply_matrices)(t, w, w, 0, panel, m, m, n, 0, 1, 0);
  for (int64_t i = 0; i < m; i++) t[i * m + i] -= 1;
  for (int64_t i = 0; i < m * m; i++) t[i] *= scale;
  NAME(multiply_matrices)(dw, t, w, 0, panel, m, n, m, 0, 0, 1);
}

// W' = W mask with mask 0 with probability p, else 1 / (1 - p): one draw an element and batch, a function
// of the key, the update, the element and the weight. Outside training the mask is 1.
//   operand 0 W' (count), 1 W, 2 mask (count); size 0 count, 1 weight; scalar 0 p
KERNEL(drop_weights) {
  REAL *d = (REAL *)instruction->operand[0].base, *mask = (REAL *)instruction->operand[2].base;
  const REAL *w = (const REAL *)instruction->operand[1].base;
  REAL keep = (REAL)(1 / (1 - instruction->scalar[0]));
  uint32_t limit = (uint32_t)(instruction->scalar[0] * 4294967296.0);
  for (int64_t i = 0; i < SIZE(0); i += 4) {
    uint32_t words[4] = {(uint32_t)(i / 4), UINT32_MAX, (uint32_t)context->update,
                         (uint32_t)(context->update >> 32) ^ (uint32_t)SIZE(1) << 20};
    if (context->training) ms_philox(words, context->random_key);
    for (int64_t j = 0; j < 4 && i + j < SIZE(0); j++)
      mask[i + j] = !context->training ? 1 : words[j] < limit ? 0 : keep;
  }
  for (int64_t i = 0; i < SIZE(0); i++) d[i] = w[i] * mask[i];
}

// dW = dW' mask, in place.
//   operand 0 dW, 1 mask; size 0 count
KERNEL(drop_weights_backward) {
  REAL *d = (REAL *)instruction->operand[0].base;
  const REAL *mask = (const REAL *)instruction->operand[1].base;
  for (int64_t i = 0; i < SIZE(0); i++) d[i] *= mask[i];
}

#undef EXPONENTIAL_TERMS

// w = exp(a), element by element.
//   operand 0 w, 1 a; size 0 n
KERNEL(weight_exponential) {
  REAL *w = (REAL *)OPERAND(0);
  const REAL *a = (const REAL *)OPERAND(1);
  for (int64_t i = 0; i < SIZE(0); i++) w[i] = EXP(a[i]);
}

// da += exp(a) dw.
//   operand 0 da, 1 dw, 2 a; size 0 n
KERNEL(weight_exponential_backward) {
  REAL *da = (REAL *)OPERAND(0);
  const REAL *dw = (const REAL *)OPERAND(1), *a = (const REAL *)OPERAND(2);
  for (int64_t i = 0; i < SIZE(0); i++) da[i] += EXP(a[i]) * dw[i];
}
