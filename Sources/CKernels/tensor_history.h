// A memory of n x m x k numbers a sequence as its writes, empty at the start:
//
//     A(t) = g(t) A(t - 1) + s(t) (x) r(t) (x) d(t)                                      (1)
//     y = A(t) . (q (x) e) = sum over past writes w of a(w) d(w),
//         a(w) = p(t, w) (s(w) . q) (r(w) . e)                                           (2)
//     p(t, w) = g(t) p(t - 1, w),   p(t, t) = 1                                          (3)
//
// A read costs n + m + k a past write instead of n m k. Writes are gathered by `history_gather` from
// the scores that the derivative of a read leaves behind.

// (3) for the writes up to this step.
//   operand 0 p (t), 1 p (t - 1), 2 g (1)
KERNEL(history_decay) {
  V *restrict p = (V *)OPERAND(0);
  const V *before = (const V *)OPERAND(1);
  V g = *(const V *)OPERAND(2);
  for (int64_t w = 0; w < step; w++) p[w] = g * before[w];
  p[step] = (V){0} + 1;
}

// The derivative of (3).
//   operand 0 dp (t), 1 p (t - 1), 2 g, 3 dp (t - 1) or null, 4 dg or null; size 0 add to 3, 1 add to 4
KERNEL(history_decay_backward) {
  const V *dp = (const V *)OPERAND(0), *before = (const V *)OPERAND(1);
  V *dbefore = (V *)OPERAND(3), *dg = (V *)OPERAND(4);
  V g = *(const V *)OPERAND(2), sum = dg && SIZE(1) ? *dg : (V){0};
  for (int64_t w = 0; w < step; w++) {
    if (dbefore) dbefore[w] = SIZE(0) ? dbefore[w] + g * dp[w] : g * dp[w];
    sum += dp[w] * before[w];
  }
  if (dg) *dg = sum;
}

// scores(w) = v(w) . s for w in 0 ..< end.
static inline __attribute__((always_inline)) void NAME(score)(
    V *scores, const V *s, const ms_operand *v, int64_t end, int64_t m) {
  for (int64_t b = 0, w = 0; b < BLOCKS(end); b++) {
    int64_t count = ROWS_OF(end, b);
    WITH_ROWS(count, NAME(score_block)(rows, scores + w, s, v->base + w * v->stride, v->stride, m))
    w += count;
  }
}

// (2). Keeps a and its two factors s . q and r . e.
//   operand 0 y (k), 1 q (n), 2 e (m), 3 d of step 0, 4 s of step 0, 5 r of step 0, 6 p, 7 a,
//     8 s . q, 9 r . e
//   size 0 k, 1 n, 2 m, 3 lag: 1 where the read sees the writes up to the step before
KERNEL(tensor_read) {
  const V *p = (const V *)OPERAND(6);
  V *a = (V *)OPERAND(7), *x = (V *)OPERAND(8), *z = (V *)OPERAND(9);
  const ms_operand *d = instruction->operand + 3;
  int64_t end = step + 1 - SIZE(3);
  if (end <= 0) {
    memset(OPERAND(0), 0, SIZE(0) * sizeof(V));
    return;
  }
  NAME(score)(x, (const V *)OPERAND(1), instruction->operand + 4, end, SIZE(1));
  NAME(score)(z, (const V *)OPERAND(2), instruction->operand + 5, end, SIZE(2));
  for (int64_t w = 0; w < end; w++) a[w] = p[w] * x[w] * z[w];
  NAME(combine)((V *)OPERAND(0), a, 1, d->base, d->stride, 0, end - 1, SIZE(0), 0);
}

// The derivative of (2) by q, e and p; the factors become their own derivatives.
//   operand 0 dy, 1 dq, 2 de, 3 d of step 0, 4 s of step 0, 5 r of step 0, 6 p, 7 dp, 8 s . q,
//     9 r . e, 10 room for as many numbers as writes; 1, 2 and 7 are added to
//   size 0 k, 1 n, 2 m, 3 lag
KERNEL(tensor_read_backward) {
  const V *p = (const V *)OPERAND(6);
  V *restrict dp = (V *)OPERAND(7), *restrict x = (V *)OPERAND(8), *restrict z = (V *)OPERAND(9);
  V *restrict da = (V *)OPERAND(10);
  const ms_operand *s = instruction->operand + 4, *r = instruction->operand + 5;
  int64_t end = step + 1 - SIZE(3);
  if (end <= 0) return;
  NAME(score)(da, (const V *)OPERAND(0), instruction->operand + 3, end, SIZE(0));
  for (int64_t w = 0; w < end; w++) {
    V share = da[w] * p[w], xw = x[w];
    dp[w] += da[w] * xw * z[w];
    x[w] = share * z[w];
    z[w] = share * xw;
  }
  NAME(combine)((V *)OPERAND(1), x, 1, s->base, s->stride, 0, end - 1, SIZE(1), 1);
  NAME(combine)((V *)OPERAND(2), z, 1, r->base, r->stride, 0, end - 1, SIZE(2), 1);
}
