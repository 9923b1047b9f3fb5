// Fills n features: d = value.
//   operand 0 d; size 0 n; scalar 0 value
KERNEL(fill) {
  V *d = (V *)OPERAND(0);
  (void)context;
  for (int64_t f = 0; f < instruction->size[0]; f++) d[f] = (V){0} + (REAL)instruction->scalar[0];
}
