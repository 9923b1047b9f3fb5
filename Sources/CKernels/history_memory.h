// The memory of matrix_memory.h with constant coefficients and A(0) = 0, kept as its writes:
//
//     A(t) s = sum over past writes q of  a(q) u(q),   a(q) = c2 c1^(age of q) (v(q) . s)      (1)
//
// Cheaper than the matrix while there are fewer steps than about twice as many features. A read
// `lag` 1 sees the writes up to the step before, `lag` 0 also this step's. Ba et al. 2016,
// arXiv:1610.06258 state this attention form.

// v(q) . s for `rows` writes from q on.
static inline __attribute__((always_inline)) void NAME(score_block)(
    const int rows, V *restrict scores, const V *restrict s, const char *restrict v,
    int64_t v_stride, int64_t m) {
  V sum[BLOCK];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = (V){0};
  for (int64_t j = 0; j < m; j++) {
    V sj = s[j];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] += sj * ((const V *)(v + r * v_stride))[j];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) scores[r] = sum[r];
}

// `rows` features of y (+)= sum over q in first ... last of scores(q) w(q).
static inline __attribute__((always_inline)) void NAME(combine_block)(
    const int rows, V *restrict y, const V *restrict scores, int64_t score_stride,
    const char *restrict w, int64_t w_stride, int64_t first, int64_t last, int add) {
  V sum[BLOCK];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = add ? y[r] : (V){0};
  for (int64_t q = first; q <= last; q++) {
    const V *wq = (const V *)(w + q * w_stride);
    V a = scores[q * score_stride];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] += a * wq[r];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) y[r] = sum[r];
}

// y (+)= sum over q in first ... last of scores(q) w(q), scores `score_stride` vectors apart.
static inline __attribute__((always_inline)) void NAME(combine)(
    V *restrict y, const V *restrict scores, int64_t score_stride, const char *restrict w,
    int64_t w_stride, int64_t first, int64_t last, int64_t n, int add) {
  for (int64_t b = 0, f = 0; b < BLOCKS(n); b++) {
    int64_t count = ROWS_OF(n, b);
    WITH_ROWS(count, NAME(combine_block)(rows, y + f, scores, score_stride, w + f * sizeof(V),
                                         w_stride, first, last, add))
    f += count;
  }
}

// scores(q) = rate decay^(last - q) v(q) . s for q in 0 ... last, and y (+)= sum of scores(q) u(q),
// a few writes at a time: u is often v, which then is still near.
static inline __attribute__((always_inline)) void NAME(attend)(
    V *y, V *scores, const V *s, const ms_operand *u, const ms_operand *v, int64_t last, int64_t n,
    int64_t m, double decay, double rate, int add) {
  enum { near = 8 };
  REAL weight = (REAL)rate;
  int64_t end = last + 1;
  if (end <= 0 && !add) memset(y, 0, n * sizeof(V));
  while (end > 0) {
    int64_t first = end > near ? end - near : 0;
    for (int64_t b = 0, q = first; b < BLOCKS(end - first); b++) {
      int64_t count = ROWS_OF(end - first, b);
      WITH_ROWS(count, NAME(score_block)(rows, scores + q, s, v->base + q * v->stride, v->stride, m))
      q += count;
    }
    for (int64_t q = end - 1; q >= first; q--, weight *= (REAL)decay) scores[q] *= weight;
    NAME(combine)(y, scores, 1, u->base, u->stride, first, end - 1, n, add);
    add = 1;
    end = first;
  }
}

// (1) forward. Keeps a.
//   operand 0 y (n), 1 s (m), 2 u (n) of step 0, 3 v (m) of step 0, 4 a of this step
//   size 0 n, 1 m, 2 lag; scalar 0 c1, 1 c2
KERNEL(history_read) {
  NAME(attend)((V *)OPERAND(0), (V *)OPERAND(4), (const V *)OPERAND(1), instruction->operand + 2,
               instruction->operand + 3, step - SIZE(2), SIZE(0), SIZE(1), instruction->scalar[0],
               instruction->scalar[1], 0);
}

// To the vector that is read with: da(q) = c2 c1^age (u(q) . dy), ds (+)= sum da(q) v(q). Keeps da.
//   operand 0 ds, 1 dy, 2 u of step 0, 3 v of step 0, 4 da of this step
//   size 0 n, 1 m, 2 lag, 3 add; scalar 0 c1, 1 c2
KERNEL(history_read_backward) {
  NAME(attend)((V *)OPERAND(0), (V *)OPERAND(4), (const V *)OPERAND(1), instruction->operand + 3,
               instruction->operand + 2, step - SIZE(2), SIZE(1), SIZE(0), instruction->scalar[0],
               instruction->scalar[1], (int)SIZE(3));
}

// To what was written at this step, gathered from the later reads t':
//   du(t) (+)= sum a(t', t) dy(t'),   dv(t) (+)= sum da(t', t) s(t').
//   operand 0 du or dv, 1 dy or s of step 0, 2 a or da of step 0 (at write 0)
//   size 0 features, 1 lag, 2 add, 3 vectors from a(t') to a(t' + 1)
KERNEL(history_gather) {
  const V *scores = (const V *)instruction->operand[2].base + step;
  NAME(combine)((V *)OPERAND(0), scores, SIZE(3), instruction->operand[1].base,
                instruction->operand[1].stride, step + SIZE(1), context->steps - 1, SIZE(0),
                (int)SIZE(2));
}
