// A diagonal linear recurrence with a decay that its time step selects: n channels of m numbers a
// sequence, kept as [m][n][lanes].
//
//     h'(j,i) = e(j,i) h(j,i) + b(j) w(i),   e(j,i) = exp(-rate(j,i) delta(i))    (1)
//     y(i) = sum over j of c(j) h'(j,i)                                           (2)
//
// rate is a weight. The exponential is most of the work: with all else in the same pass h' is written
// once and nothing else of its size is kept, and the derivative makes e again.

// (1) and (2).
//   operand 0 y (n), 1 h', 2 h, 3 delta (n), 4 w (n), 5 b (m), 6 c (m), 7 rate; size 0 n, 1 m
KERNEL(selective_scan) {
  V *restrict y = (V *)OPERAND(0);
  V *restrict next = (V *)OPERAND(1);
  const V *h = (const V *)OPERAND(2), *delta = (const V *)OPERAND(3), *w = (const V *)OPERAND(4);
  const V *b = (const V *)OPERAND(5), *c = (const V *)OPERAND(6);
  const REAL *rate = (const REAL *)OPERAND(7);
  int64_t n = SIZE(0);
  for (int64_t j = 0; j < SIZE(1); j++, next += n, h += n, rate += n) {
    V bj = b[j], cj = c[j];
    for (int64_t i = 0; i < n; i++) {
      V x = NAME(exp_lanes)(delta[i] * -rate[i]) * h[i] + bj * w[i];
      next[i] = x;
      y[i] = j == 0 ? cj * x : y[i] + cj * x;
    }
  }
}

// The derivative of (1) and (2); dh is carried back in place. With g = dh' + c dy:
//   dc = sum over i of dy h',   db = sum over i of g w,   dw = sum over j of g b,   dh = g e,
//   ddelta = -sum over j of g e h rate,   drate = -sum over lanes of g e h delta
//   operand 0 dh, 1 h, 2 delta, 3 w, 4 b, 5 c, 6 rate, 7 dy, 8 ddelta, 9 dw, 10 db, 11 dc, 12 drate,
//     8 to 12 added to; size 0 n, 1 m
KERNEL(selective_scan_backward) {
  V *restrict dh = (V *)OPERAND(0);
  const V *h = (const V *)OPERAND(1), *delta = (const V *)OPERAND(2), *w = (const V *)OPERAND(3);
  const V *b = (const V *)OPERAND(4), *c = (const V *)OPERAND(5), *dy = (const V *)OPERAND(7);
  const REAL *rate = (const REAL *)OPERAND(6);
  V *restrict ddelta = (V *)OPERAND(8), *restrict dw = (V *)OPERAND(9);
  V *db = (V *)OPERAND(10), *dc = (V *)OPERAND(11);
  REAL *restrict drate = (REAL *)OPERAND(12);
  int64_t n = SIZE(0);
  for (int64_t j = 0; j < SIZE(1); j++, dh += n, h += n, rate += n, drate += n) {
    V bj = b[j], cj = c[j], dbj = {0}, dcj = {0};
    for (int64_t first = 0; first < n; first += MS_LANES) {
      int64_t count = n - first < MS_LANES ? n - first : MS_LANES;
      V products[MS_LANES] = {{0}};
      for (int64_t k = 0; k < count; k++) {
        int64_t i = first + k;
        V e = NAME(exp_lanes)(delta[i] * -rate[i]);
        V kept = e * h[i], g = dh[i] + cj * dy[i];
        dcj += dy[i] * (kept + bj * w[i]);
        dbj += g * w[i];
        dw[i] += g * bj;
        dh[i] = g * e;
        V t = g * kept;
        ddelta[i] -= t * rate[i];
        products[k] = t * delta[i];
      }
      NAME(add_part)(drate + first, -NAME(lane_sums)(products), count);
    }
    db[j] += dbj;
    dc[j] += dcj;
  }
}
