// y = softmax a over the features of one sequence: e^(a - max a) / sum of e^(a - max a).
//   operand 0 y, 1 a; size 0 n
KERNEL(softmax) {
  V *y = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1);
  int64_t n = SIZE(0);
  V largest = a[0], sum = {0};
  for (int64_t f = 1; f < n; f++) largest = SELECT(a[f] > largest, a[f], largest);
  for (int64_t f = 0; f < n; f++) {
    V e = NAME(exp_lanes)(a[f] - largest);
    sum += e;
    y[f] = e;
  }
  V factor = (REAL)1 / sum;
  for (int64_t f = 0; f < n; f++) y[f] *= factor;
}

// da (+)= y (dy - sum of dy y).
//   operand 0 da, 1 dy, 2 y; size 0 n, 1 add
KERNEL(softmax_backward) {
  V *d = (V *)OPERAND(0);
  const V *dy = (const V *)OPERAND(1), *y = (const V *)OPERAND(2);
  V mean = {0};
  for (int64_t f = 0; f < SIZE(0); f++) mean += dy[f] * y[f];
  for (int64_t f = 0; f < SIZE(0); f++) {
    V share = y[f] * (dy[f] - mean);
    d[f] = SIZE(1) ? d[f] + share : share;
  }
}
