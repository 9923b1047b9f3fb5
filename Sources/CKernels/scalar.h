// Products with one number of each sequence, and sums over features.

// d (+)= s a.
//   operand 0 d, 1 a, 2 s (1); size 0 n, 1 add
KERNEL(scalar_multiply) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1);
  V s = *(const V *)OPERAND(2);
  if (SIZE(1))
    for (int64_t f = 0; f < SIZE(0); f++) d[f] += s * a[f];
  else
    for (int64_t f = 0; f < SIZE(0); f++) d[f] = s * a[f];
}

// d (+)= sum of a b over the features.
//   operand 0 d (1), 1 a, 2 b; size 0 n, 1 add
KERNEL(inner_product) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1), *b = (const V *)OPERAND(2);
  V sums[2] = {{0}};
  for (int64_t f = 0; f < SIZE(0); f++) sums[f & 1] += a[f] * b[f];
  V sum = sums[0] + sums[1];
  *d = SIZE(1) ? *d + sum : sum;
}

// d (+)= sum of a over the features.
//   operand 0 d (1), 1 a; size 0 n, 1 add
KERNEL(feature_sum) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1);
  V sums[2] = {{0}};
  for (int64_t f = 0; f < SIZE(0); f++) sums[f & 1] += a[f];
  V sum = sums[0] + sums[1];
  *d = SIZE(1) ? *d + sum : sum;
}

// d (+)= s in every feature.
//   operand 0 d, 1 s (1); size 0 n, 1 add
KERNEL(broadcast) {
  V *d = (V *)OPERAND(0);
  V s = *(const V *)OPERAND(1);
  for (int64_t f = 0; f < SIZE(0); f++) d[f] = SIZE(1) ? d[f] + s : s;
}
