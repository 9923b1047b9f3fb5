// The memory of matrix_memory.h with constant coefficients and A(0) = 0, kept as its writes:
//
//     A(t) s = sum over past writes q of  a(q) u(q),   a(q) = c2 c1^(age of q) (v(q) . s)      (1)
//
// Cheaper than the matrix while there are fewer steps than about twice as many features. A read
// `lag` 1 sees the writes up to the step before, `lag` 0 also this step's. Ba et al. 2016,
// arXiv:1610.06258 state this attention form.

// Bytes of writes that a read takes at a time.
#define NEAR_BYTES 28672
// Writes that share a pass over the later reads, and features of a block of them: their sums stay in
// registers.
#define GATHER (BLOCK >= 12 ? 4 : BLOCK >= 6 ? 2 : 1)
#define GATHER_ROWS (BLOCK / GATHER)

// v(q) . s for `rows` writes from q on; few writes have two chains each, since one alone waits for
// each addition.
static inline __attribute__((always_inline)) void NAME(score_block)(
    const int rows, V *restrict scores, const V *restrict s, const char *restrict v,
    int64_t v_stride, int64_t m) {
  enum { chains = 2 };
  V sum[BLOCK], other[BLOCK];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = other[r] = (V){0};
  int64_t j = 0;
  if (rows * chains <= BLOCK)
    for (; j + chains <= m; j += chains) {
      V sj = s[j], next = s[j + 1];
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        sum[r] += sj * ((const V *)(v + r * v_stride))[j];
        other[r] += next * ((const V *)(v + r * v_stride))[j + 1];
      }
    }
  for (; j < m; j++) {
    V sj = s[j];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] += sj * ((const V *)(v + r * v_stride))[j];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) scores[r] = sum[r] + other[r];
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
// as many writes at a time as stay in the first cache: u is often v, which then is still near.
static inline __attribute__((always_inline)) void NAME(attend)(
    V *y, V *scores, const V *s, const ms_operand *u, const ms_operand *v, int64_t last, int64_t n,
    int64_t m, double decay, double rate, int add) {
  REAL weight = (REAL)rate;
  int64_t end = last + 1, near = NEAR_BYTES / (m * (int64_t)sizeof(V));
  if (near < 4) near = 4;
  if (end <= 0 && !add) memset(y, 0, n * sizeof(V));
  for (int64_t parts = (end + near - 1) / near; parts > 0; parts--) {
    int64_t first = end - end / parts;
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

// partial(w)(f) for `rows` features and GATHER writes: sum over q in first ... last of scores(q)(w)
// dy(q)(f), every load of a score or a gradient serving several sums.
static inline __attribute__((always_inline)) void NAME(gather_block)(
    const int rows, V *restrict partial, int64_t n, const V *restrict scores, int64_t score_stride,
    const char *restrict dy, int64_t dy_stride, int64_t first, int64_t last) {
  V sum[GATHER][GATHER_ROWS];
#pragma clang loop unroll(full)
  for (int i = 0; i < GATHER * rows; i++) sum[i / rows][i % rows] = (V){0};
  for (int64_t q = first; q <= last; q++) {
    const V *g = (const V *)(dy + q * dy_stride), *a = scores + q * score_stride;
    V w[GATHER];
#pragma clang loop unroll(full)
    for (int i = 0; i < GATHER; i++) w[i] = a[i];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      V gr = g[r];
#pragma clang loop unroll(full)
      for (int i = 0; i < GATHER; i++) sum[i][r] += w[i] * gr;
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < GATHER * rows; i++) partial[i / rows * n + i % rows] = sum[i / rows][i % rows];
}

// d (+)= partial + the `terms` products of a score and a gradient from q = 0 on.
static inline __attribute__((always_inline)) void NAME(gather_rest)(
    const int terms, V *d, const V *partial, const V *scores, int64_t score_stride, const char *dy,
    int64_t dy_stride, int64_t n, int add) {
  V w[GATHER];
#pragma clang loop unroll(full)
  for (int q = 0; q < terms; q++) w[q] = scores[q * score_stride];
  for (int64_t f = 0; f < n; f++) {
    V sum = add ? d[f] + partial[f] : partial[f];
#pragma clang loop unroll(full)
    for (int q = 0; q < terms; q++) sum += w[q] * ((const V *)(dy + q * dy_stride))[f];
    d[f] = sum;
  }
}

// To what was written at this step, gathered from the later reads t':
//   du(t) (+)= sum a(t', t) dy(t'),   dv(t) (+)= sum da(t', t) s(t').
// The latest of GATHER writes sums what all of them get from the reads after it; the others add
// what they get from the reads in between, fewer than GATHER.
//   operand 0 du or dv, 1 dy or s of step 0, 2 a or da of step 0 (at write 0),
//     3 sums: MS_GATHERED vectors of the features
//   size 0 features, 1 lag, 2 add, 3 vectors from a(t') to a(t' + 1), a multiple of MS_GATHERED
KERNEL(history_gather) {
  const V *scores = (const V *)instruction->operand[2].base;
  V *partial = (V *)instruction->operand[3].base;
  const char *dy = instruction->operand[1].base;
  int64_t n = SIZE(0), stride = instruction->operand[1].stride, last = context->steps - 1;
  int64_t start = step - step % GATHER, newest = start + GATHER - 1 < last ? start + GATHER - 1 : last;
  int64_t first = step + SIZE(1), later = newest + SIZE(1);
  if (step == newest) {
    int64_t f = 0;
    for (; f + GATHER_ROWS <= n; f += GATHER_ROWS)
      NAME(gather_block)(GATHER_ROWS, partial + f, n, scores + start, SIZE(3), dy + f * sizeof(V),
                         stride, later, last);
    for (; f < n; f++)
      NAME(gather_block)(1, partial + f, n, scores + start, SIZE(3), dy + f * sizeof(V), stride,
                         later, last);
  }
  int64_t terms = (later <= last ? later : last + 1) - first;
#define CASE(k)                                                                                    \
  if (terms == (k))                                                                                \
    NAME(gather_rest)((k) < GATHER ? (k) : 0, (V *)OPERAND(0), partial + (step - start) * n,       \
                      scores + first * SIZE(3) + step, SIZE(3), dy + first * stride, stride, n,    \
                      (int)SIZE(2));
  CASE(0) CASE(1) CASE(2) CASE(3)
#undef CASE
}

#undef NEAR_BYTES
#undef GATHER
#undef GATHER_ROWS
