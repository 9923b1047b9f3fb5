// A diagonal map: every feature times a parameter of its own.

// d (+)= w . a: also the derivative to a.
//   operand 0 d, 1 a, 2 w; size 0 n, 1 add
KERNEL(gain) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1);
  const REAL *w = (const REAL *)instruction->operand[2].base;
  if (SIZE(1))
    for (int64_t f = 0; f < SIZE(0); f++) d[f] += a[f] * w[f];
  else
    for (int64_t f = 0; f < SIZE(0); f++) d[f] = a[f] * w[f];
}

// g += sum over steps and lanes of dy a.
//   operand 0 g, 1 dy, 2 a; size 0 n, 1 whether over all steps of the tile (deferred) or this one
KERNEL(gain_gradient) {
  REAL *g = (REAL *)instruction->operand[0].base;
  int64_t first = SIZE(1) ? 0 : step, last = SIZE(1) ? context->steps : step + 1;
  const ms_operand dy = instruction->operand[1], a = instruction->operand[2];
  for (int64_t f = 0; f < SIZE(0); f++) {
    V sum = {0};
    for (int64_t t = first; t < last; t++)
      sum += ((const V *)(dy.base + t * dy.stride))[f] * ((const V *)(a.base + t * a.stride))[f];
    g[f] += NAME(sum_of_lanes)(sum);
  }
}
