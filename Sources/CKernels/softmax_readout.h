// A read-out with softmax cross-entropy over many classes, y = W x + b, for all rows at once:
//
//     loss = log sum exp y - y[class],   dy = (softmax y - onehot(class)) loss_scale weight     (1)
//
// y goes to memory once and comes back once: largest and sum are found while a group of classes is
// near, and dy exists for one group at a time, which gives its share of dx, dW and db at once.
// The sum is kept relative to the largest so far (Milakov and Gimelshein 2018, "Online normalizer
// calculation for softmax", arXiv:1805.02867, algorithm 3).

#define LARGEST statistics[0]
#define SUM statistics[1]
#define BEST statistics[2]

// Takes `count` more outputs, from class `first` on, into the statistics of a vector of rows.
static inline __attribute__((always_inline)) void NAME(take_outputs)(
    V *restrict statistics, const V *restrict y, int64_t first, int64_t count) {
  V largest = first ? LARGEST : y[0], best = first ? BEST : (V){0}, class = (V){0} + (REAL)first;
  for (int64_t f = 0; f < count; f++) {
    NAME(mask) above = y[f] > largest;
    largest = SELECT(above, y[f], largest);
    best = SELECT(above, class, best);
    class += 1;
  }
  V sum = first ? SUM * NAME(exp_lanes)(LARGEST - largest) : (V){0};
  for (int64_t f = 0; f < count; f++) sum += NAME(exp_lanes)(y[f] - largest);
  LARGEST = largest;
  SUM = sum;
  BEST = best;
}

// Outputs and, for each row, the largest, sum of exp(y - largest) and class of the largest.
//   operand 0 y (n), 1 x (k), 2 W (n, k), 3 b, 4 statistics (3), 5 scratch: `panels`
//   size 0 n, 1 k
KERNEL(softmax_readout) {
  const REAL *w = (const REAL *)instruction->operand[2].base;
  const REAL *bias = (const REAL *)instruction->operand[3].base;
  REAL *panels = (REAL *)instruction->operand[5].base;
  int64_t n = SIZE(0), k = SIZE(1), together = 1 + PAIRS, group = NAME(group_rows)(k);
  for (int64_t g = 0; g < n; g += group) {
    int64_t count = n - g < group ? n - g : group;
    NAME(pack_panels)(panels, w + g * k, count, k, k, 1);
    for (int64_t v = 0; v < context->steps; v += together) {
      int64_t some = context->steps - v < together ? context->steps - v : together;
      char *y = instruction->operand[0].base + v * instruction->operand[0].stride + g * sizeof(V);
      NAME(multiply_group)(y, instruction->operand[0].stride,
                           instruction->operand[1].base + v * instruction->operand[1].stride,
                           instruction->operand[1].stride, some, panels, count, k,
                           bias ? bias + g : 0, 0);
      for (int64_t i = 0; i < some; i++)
        NAME(take_outputs)(
            (V *)(instruction->operand[4].base + (v + i) * instruction->operand[4].stride),
            (const V *)(y + i * instruction->operand[0].stride), g, count);
    }
  }
}

// Loss and accuracy of a vector of rows.
//   operand 0 y, 1 statistics
KERNEL(softmax_readout_loss) {
  const REAL *y = (const REAL *)OPERAND(0);
  const V *statistics = (const V *)OPERAND(1);
  for (int64_t lane = 0; lane < context->lanes; lane++) {
    double weight = context->weights[step * MS_LANES + lane];
    if (weight == 0) continue;
    int64_t class = context->classes[step * MS_LANES + lane];
    double *counts = NAME(statistics_of)(context, step * MS_LANES + lane);
    counts[0] += weight * (log((double)SUM[lane]) + (double)LARGEST[lane] -
                           (double)y[class * MS_LANES + lane]);
    counts[1] += weight;
    counts[2] += (int64_t)BEST[lane] == class ? weight : 0;
  }
}

// (1) backward: dW += dy x^T, db += dy, dx (+)= W^T dy.
//   operand 0 dx or null, 1 x (k), 2 y (n), 3 statistics, 4 W (n, k), 5 dW, 6 db or null,
//   7 scratch: `panels`, columns of all rows, dy of a group twice, a vector for each and a factor a
//   vector
//   size 0 n, 1 k, 2 add to dx
KERNEL(softmax_readout_backward) {
  const REAL *w = (const REAL *)instruction->operand[4].base;
  REAL *dw = (REAL *)instruction->operand[5].base, *db = (REAL *)instruction->operand[6].base;
  int64_t n = SIZE(0), k = SIZE(1), vectors = context->steps;
  int64_t rows_of_batch = (vectors - 1) * MS_LANES + context->lanes;
  int64_t group = NAME(group_rows)(vectors * MS_LANES), most = NAME(group_rows)(k);
  if (group > most) group = most;
  int64_t columns = (k + 2 * MS_LANES - 1) / (2 * MS_LANES) * (2 * MS_LANES);
  V *panels = (V *)instruction->operand[7].base, *x_columns = panels + group * k / MS_LANES + 1;
  V *dy = x_columns + vectors * columns, *blocks = dy + group * vectors;
  V *sums = blocks + group * vectors, *factor = sums + group;
  NAME(columns_of_rows)(x_columns, instruction->operand[1].base, instruction->operand[1].stride, k,
                        vectors);
  for (int64_t v = 0; v < vectors; v++) {
    const V *statistics =
        (const V *)(instruction->operand[3].base + v * instruction->operand[3].stride);
    V scale = {0};
    for (int64_t lane = 0; lane < MS_LANES && v * MS_LANES + lane < rows_of_batch; lane++)
      scale[lane] = (REAL)(context->weights[v * MS_LANES + lane] * context->loss_scale);
    factor[v] = scale / SUM;
  }
  for (int64_t g = 0; g < n; g += group) {
    int64_t count = n - g < group ? n - g : group;
    memset(sums, 0, count * sizeof(V));
    for (int64_t v = 0; v < vectors; v++) {
      const V *statistics =
          (const V *)(instruction->operand[3].base + v * instruction->operand[3].stride);
      const V *y = (const V *)(instruction->operand[2].base + v * instruction->operand[2].stride) + g;
      V *d = dy + v * count, largest = LARGEST, scale = factor[v];
      for (int64_t f = 0; f < count; f++) d[f] = NAME(exp_lanes)(y[f] - largest) * scale;
      for (int64_t lane = 0; lane < MS_LANES && v * MS_LANES + lane < rows_of_batch; lane++) {
        int64_t row = v * MS_LANES + lane, class = context->classes[row] - g;
        if (class >= 0 && class < count)
          d[class][lane] -= (REAL)(context->weights[row] * context->loss_scale);
      }
      for (int64_t f = 0; f < count && !context->shards; f++) sums[f] += d[f];
    }
    if (db && context->shards)
      NAME(add_shard_sums)(db + g, (const char *)dy, count * sizeof(V), count, context);
    else if (db)
      for (int64_t f = 0; f < count; f++) db[g + f] += NAME(sum_of_lanes)(sums[f]);
    if (instruction->operand[0].base) {
      NAME(pack_panels)((REAL *)panels, w + g * k, k, count, 1, k);
      NAME(multiply_group)(instruction->operand[0].base, instruction->operand[0].stride,
                           (const char *)dy, count * sizeof(V), vectors, (const REAL *)panels, k,
                           count, 0, SIZE(2) || g > 0);
    }
    NAME(outer_group)(dw + g * k, (const char *)dy, count * sizeof(V), blocks, x_columns, count, k,
                      context);
  }
}

#undef LARGEST
#undef SUM
#undef BEST
