// Layer normalisation over the n features of one sequence at one step, eps = 1e-5:
//
//     y = gain xhat + bias,   xhat = (x - mean x) / sqrt(var x + eps)            (1)
//
// Ba, Kiros and Hinton, "Layer Normalization", 2016, arXiv:1607.06450; biased variance.

// (1) forward. Keeps xhat and 1 / sqrt(var + eps).
//   operand 0 y, 1 x, 2 gain, 3 bias, 4 xhat, 5 rstd; size 0 n
KERNEL(layer_norm) {
  V *y = (V *)OPERAND(0), *xhat = (V *)OPERAND(4);
  const V *x = (const V *)OPERAND(1);
  const REAL *gain = (const REAL *)instruction->operand[2].base;
  const REAL *bias = (const REAL *)instruction->operand[3].base;
  int64_t n = SIZE(0);
  V mean = {0}, variance = {0};
  for (int64_t f = 0; f < n; f++) mean += x[f];
  mean /= (REAL)n;
  for (int64_t f = 0; f < n; f++) variance += (x[f] - mean) * (x[f] - mean);
  V rstd = variance / (REAL)n + (REAL)1e-5;
  for (int i = 0; i < MS_LANES; i++) rstd[i] = 1 / SQRT(rstd[i]);
  *(V *)OPERAND(5) = rstd;
  for (int64_t f = 0; f < n; f++) {
    V z = (x[f] - mean) * rstd;
    xhat[f] = z;
    y[f] = z * gain[f] + bias[f];
  }
}

// Derivative of (1) with g = gain dy:
//
//     dx = rstd (g - mean g - xhat mean(g xhat)),   dgain = sum dy xhat,   dbias = sum dy
//
// dgain and dbias are kept in lanes over the tile (`reduce_lanes` ends them).
//   operand 0 dx, 1 dy, 2 gain, 3 xhat, 4 rstd, 5 dgain lanes, 6 dbias lanes; size 0 n, 1 add
KERNEL(layer_norm_backward) {
  V *dx = (V *)OPERAND(0), *dgain = (V *)instruction->operand[5].base,
    *dbias = (V *)instruction->operand[6].base;
  const V *dy = (const V *)OPERAND(1), *xhat = (const V *)OPERAND(3);
  const REAL *gain = (const REAL *)instruction->operand[2].base;
  V rstd = *(const V *)OPERAND(4);
  int64_t n = SIZE(0);
  V mean = {0}, projection = {0};
  for (int64_t f = 0; f < n; f++) {
    V g = dy[f] * gain[f];
    mean += g;
    projection += g * xhat[f];
    dgain[f] += dy[f] * xhat[f];
    dbias[f] += dy[f];
  }
  mean /= (REAL)n;
  projection /= (REAL)n;
  if (SIZE(1))
    for (int64_t f = 0; f < n; f++)
      dx[f] += rstd * (dy[f] * gain[f] - mean - xhat[f] * projection);
  else
    for (int64_t f = 0; f < n; f++)
      dx[f] = rstd * (dy[f] * gain[f] - mean - xhat[f] * projection);
}
