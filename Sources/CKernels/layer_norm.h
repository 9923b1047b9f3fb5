// Layer normalisation over the n features of one sequence at one step, eps = 1e-5:
//
//     y = gain xhat + bias,   xhat = (x - mean x) / sqrt(var x + eps)            (1)
//
// Ba, Kiros and Hinton, "Layer Normalization", 2016, arXiv:1607.06450; biased variance.

// Sums over features run in CHAINS independent chains: one alone waits for each addition.
#define CHAINS 4

// (1) forward. Keeps xhat and 1 / sqrt(var + eps).
//   operand 0 y, 1 x, 2 gain, 3 bias, 4 xhat, 5 rstd; size 0 n
KERNEL(layer_norm) {
  V *y = (V *)OPERAND(0), *xhat = (V *)OPERAND(4);
  const V *x = (const V *)OPERAND(1);
  const REAL *gain = (const REAL *)instruction->operand[2].base;
  const REAL *bias = (const REAL *)instruction->operand[3].base;
  int64_t n = SIZE(0);
  V sums[CHAINS] = {{0}}, squares[CHAINS] = {{0}};
  int64_t f = 0;
  for (; f + CHAINS <= n; f += CHAINS) {
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) sums[i] += x[f + i];
  }
  for (; f < n; f++) sums[0] += x[f];
  V mean = ((sums[0] + sums[1]) + (sums[2] + sums[3])) / (REAL)n;
  for (f = 0; f + CHAINS <= n; f += CHAINS) {
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) {
      // A step's y is far away from the one before, and stores that miss wait for each other.
      __builtin_prefetch(y + f + i, 1);
      V difference = x[f + i] - mean;
      squares[i] += difference * difference;
    }
  }
  for (; f < n; f++) squares[0] += (x[f] - mean) * (x[f] - mean);
  V variance = ((squares[0] + squares[1]) + (squares[2] + squares[3])) / (REAL)n;
  V rstd = 1 / __builtin_elementwise_sqrt(variance + (REAL)1e-5);
  *(V *)OPERAND(5) = rstd;
  for (f = 0; f < n; f++) {
    V z = (x[f] - mean) * rstd;
    xhat[f] = z;
    y[f] = z * gain[f] + bias[f];
  }
}

// The first pass of the derivative over MS_LANES features: adds to dgain and dbias, and to the sums
// over features of g and g xhat.
static inline __attribute__((always_inline)) void NAME(norm_sums)(
    const V *dy, const V *xhat, const REAL *gain, REAL *dgain, REAL *dbias, V *restrict means,
    V *restrict projections) {
  V products[MS_LANES], gradients[MS_LANES];
#pragma clang loop unroll(full)
  for (int i = 0; i < MS_LANES; i++) {
    V g = dy[i] * gain[i];
    means[i % CHAINS] += g;
    projections[i % CHAINS] += g * xhat[i];
    products[i] = dy[i] * xhat[i];
    gradients[i] = dy[i];
  }
  *(V *)dgain += NAME(sums_of_lanes)(products);
  *(V *)dbias += NAME(sums_of_lanes)(gradients);
}

// Derivative of (1) with g = gain dy:
//
//     dx = rstd (g - mean g - xhat mean(g xhat)),   dgain = sum dy xhat,   dbias = sum dy
//
//   operand 0 dx, 1 dy, 2 gain, 3 xhat, 4 rstd, 5 dgain, 6 dbias; size 0 n, 1 add
KERNEL(layer_norm_backward) {
  V *dx = (V *)OPERAND(0);
  REAL *dgain = (REAL *)instruction->operand[5].base, *dbias = (REAL *)instruction->operand[6].base;
  const V *dy = (const V *)OPERAND(1), *xhat = (const V *)OPERAND(3);
  const REAL *gain = (const REAL *)instruction->operand[2].base;
  V rstd = *(const V *)OPERAND(4);
  int64_t n = SIZE(0);
  V means[CHAINS] = {{0}}, projections[CHAINS] = {{0}};
  int64_t f = 0;
  for (; f + MS_LANES <= n; f += MS_LANES)
    NAME(norm_sums)(dy + f, xhat + f, gain + f, dgain + f, dbias + f, means, projections);
  for (; f < n; f++) {
    V g = dy[f] * gain[f];
    means[0] += g;
    projections[0] += g * xhat[f];
    dgain[f] += NAME(sum_of_lanes)(dy[f] * xhat[f]);
    dbias[f] += NAME(sum_of_lanes)(dy[f]);
  }
  V mean = ((means[0] + means[1]) + (means[2] + means[3])) / (REAL)n;
  V projection =
      ((projections[0] + projections[1]) + (projections[2] + projections[3])) / (REAL)n;
  if (SIZE(1))
    for (f = 0; f < n; f++)
      dx[f] += rstd * (dy[f] * gain[f] - mean - xhat[f] * projection);
  else
    for (f = 0; f < n; f++)
      dx[f] = rstd * (dy[f] * gain[f] - mean - xhat[f] * projection);
}

#undef CHAINS
