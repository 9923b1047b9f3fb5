// Multiply-adds on registers alone, in chains enough to keep every unit of the level busy: what a
// kernel's rate is measured against.

// Runs `rounds` rounds and gives the number of operations, two for each multiply-add of a lane;
// `result` takes one element, so that the work is not left out.
static double NAME(multiply_adds)(int64_t rounds, void *result) {
  enum { chains = LINEAR_ROWS < 12 ? LINEAR_ROWS : 12 };
  V sum[chains], factor = (V){0} + (REAL)0.999, total = {0};
  for (int i = 0; i < chains; i++) sum[i] = (V){0} + (REAL)i;
  for (int64_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < chains; i++) sum[i] = sum[i] * factor + factor;
  }
  for (int i = 0; i < chains; i++) total += sum[i];
  *(REAL *)result = total[0];
  return 2.0 * chains * MS_LANES * (double)rounds;
}
