// A read-out with softmax cross-entropy over many classes, y = W x + b, for all rows at once:
//
//     loss = log sum exp y - y[class],   dy = (softmax y - onehot(class)) loss_scale weight     (1)
//
// What goes to memory, and comes back once, is e = exp(y - m), m being the largest y of a row in the
// classes until then, taken part by part: the sum is kept relative to the largest so far (Milakov and
// Gimelshein 2018, "Online normalizer calculation for softmax", arXiv:1805.02867, algorithm 3), and
//
//     softmax y = e exp(m - largest) / sum,                                                        (2)
//
// with one exponential a class. dy exists for one group of classes at a time, which gives its share
// of dx, dW and db at once.

// Of a vector of rows; behind them the largest of the classes until the end of each part.
#define LARGEST statistics[0]
#define SUM statistics[1]
#define BEST statistics[2]
#define TARGET statistics[3]
#define PART_LARGEST(part) statistics[MS_READOUT_STATISTICS + (part)]

// Takes the outputs of a part of the classes, `count` from `first` on, into the statistics of a vector of
// rows, and makes them exponentials.
static inline __attribute__((always_inline)) void NAME(take_outputs)(
    V *restrict statistics, V *restrict y, int64_t first, int64_t count) {
  V before = first ? LARGEST : y[0], largest = before, best = first ? BEST : (V){0};
  for (int64_t f0 = 0; f0 < count; f0 += MS_LANES) {
    int64_t end = f0 + MS_LANES < count ? f0 + MS_LANES : count;
    V most = y[f0];
    for (int64_t f = f0 + 1; f < end; f++) most = SELECT(y[f] > most, y[f], most);
    // Few outputs are above all before them.
    if (!__builtin_reduce_or(most > largest)) continue;
    V class = (V){0} + (REAL)(first + f0);
    for (int64_t f = f0; f < end; f++, class += 1) {
      NAME(mask) above = y[f] > largest;
      largest = SELECT(above, y[f], largest);
      best = SELECT(above, class, best);
    }
  }
  V sum = first ? SUM * NAME(exp_lanes)(before - largest) : (V){0};
  for (int64_t f = 0; f < count; f++) {
    y[f] = NAME(exp_lanes)(y[f] - largest);
    sum += y[f];
  }
  LARGEST = PART_LARGEST(first / MS_READOUT_PART) = largest;
  SUM = sum;
  BEST = best;
}

// Classes of a group: whole parts.
static inline int64_t NAME(readout_group)(int64_t n, int64_t k, const ms_context *context) {
  int64_t group = NAME(group_rows)(k, context->steps * MS_LANES * k);
  group = group < MS_READOUT_PART ? MS_READOUT_PART : group / MS_READOUT_PART * MS_READOUT_PART;
  return group < n ? group : n;
}

// e and, for each row, the largest output, sum of exp(y - largest), class of the largest, output of
// the row's class, and largest outputs until the end of each part.
//   operand 0 e (n), 1 x (k), 2 W (n, k), 3 b, 4 statistics (MS_READOUT_STATISTICS and one a
//   part), 5 scratch: panels of a group and of x
//   size 0 n, 1 k
KERNEL(softmax_readout) {
  const REAL *w = (const REAL *)instruction->operand[2].base;
  const REAL *bias = (const REAL *)instruction->operand[3].base;
  REAL *panels = (REAL *)instruction->operand[5].base;
  int64_t n = SIZE(0), k = SIZE(1), together = 1 + PAIRS, rows = NAME(batch_rows)(context);
  int64_t group = NAME(readout_group)(n, k, context);
  const char *x = instruction->operand[1].base;
  int64_t x_stride = instruction->operand[1].stride;
  REAL *inputs = panels + NAME(panel_elements)(group, k);
  int64_t input = NAME(input_elements)(k, bias != 0);
  NAME(input_panels)(inputs, x, x_stride, context->steps, k, bias != 0);
  for (int64_t g = 0; g < n; g += group) {
    int64_t count = n - g < group ? n - g : group;
    const REAL *b = bias ? bias + g : 0;
    NAME(weight_panels)(panels, w + g * k, count, k, k, 1, b);
    for (int64_t v = 0; v < context->steps; v += together) {
      int64_t some = context->steps - v < together ? context->steps - v : together;
      char *y = instruction->operand[0].base + v * instruction->operand[0].stride + g * sizeof(V);
      NAME(multiply_group)(y, instruction->operand[0].stride, x + v * x_stride, x_stride,
                           inputs + v * input, some, panels, count, k, b, 0);
      for (int64_t i = v; i < v + some; i++, y += instruction->operand[0].stride) {
        V *statistics = (V *)(instruction->operand[4].base + i * instruction->operand[4].stride);
        for (int64_t lane = 0; lane < MS_LANES && i * MS_LANES + lane < rows; lane++) {
          int64_t class = context->classes[i * MS_LANES + lane] - g;
          if (class >= 0 && class < count) TARGET[lane] = ((V *)y)[class][lane];
        }
        for (int64_t f = 0; f < count; f += MS_READOUT_PART)
          NAME(take_outputs)(statistics, (V *)y + f, g + f,
                             count - f < MS_READOUT_PART ? count - f : MS_READOUT_PART);
      }
    }
  }
}

// Loss and accuracy of a vector of rows.
//   operand 0 statistics
KERNEL(softmax_readout_loss) {
  const V *statistics = (const V *)OPERAND(0);
  for (int64_t lane = 0; lane < context->lanes; lane++) {
    double weight = context->weights[step * MS_LANES + lane];
    if (weight == 0) continue;
    int64_t class = context->classes[step * MS_LANES + lane];
    double *counts = NAME(statistics_of)(context, step * MS_LANES + lane);
    counts[0] += weight * (log((double)SUM[lane]) + (double)LARGEST[lane] - (double)TARGET[lane]);
    counts[1] += weight;
    counts[2] += (int64_t)BEST[lane] == class ? weight : 0;
  }
}

// dy of `count` classes from g on for one vector of rows, its first being `first_row`, by (2).
static inline __attribute__((always_inline)) void NAME(output_gradient)(
    V *restrict d, const V *restrict e, const V *restrict statistics, V factor, int64_t g,
    int64_t count, int64_t first_row, int64_t rows, const ms_context *context) {
  for (int64_t f = 0, end; f < count; f = end) {
    int64_t part = (g + f) / MS_READOUT_PART;
    end = (part + 1) * MS_READOUT_PART - g < count ? (part + 1) * MS_READOUT_PART - g : count;
    V scale = NAME(exp_lanes)(PART_LARGEST(part) - LARGEST) * factor;
    for (int64_t i = f; i < end; i++) d[i] = e[i] * scale;
  }
  for (int64_t lane = 0; lane < MS_LANES && first_row + lane < rows; lane++) {
    int64_t class = context->classes[first_row + lane] - g;
    if (class >= 0 && class < count)
      d[class][lane] -= (REAL)(context->weights[first_row + lane] * context->loss_scale);
  }
}

// (1) backward: dW += dy x^T, db += dy, dx (+)= W^T dy. dy of a group exists for as many vectors as go
// through a product together; the matrix unit's sums by shards take it of all rows at once.
//   operand 0 dx or null, 1 x (k), 2 e (n), 3 statistics, 4 W (n, k), 5 dW, 6 db or null,
//   7 scratch: columns of all rows, a factor a vector, and of a group sums, dy, its panels twice and
//   those of W
//   size 0 n, 1 k, 2 add to dx
KERNEL(softmax_readout_backward) {
  const int is_kept = TILES && context->shards;
  const REAL *w = (const REAL *)instruction->operand[4].base;
  REAL *dw = (REAL *)instruction->operand[5].base, *db = (REAL *)instruction->operand[6].base;
  int64_t n = SIZE(0), k = SIZE(1), vectors = context->steps, together = 1 + PAIRS;
  int64_t shards = context->shards, rows = NAME(batch_rows)(context);
  int64_t dx_stride = instruction->operand[0].stride;
  int64_t group = NAME(class_group)(k, context);
  if (group > MS_FLAT_CLASSES) group = MS_FLAT_CLASSES;
  if (group > n) group = n;
  V *x_columns = (V *)instruction->operand[7].base;
  V *factor = x_columns + NAME(column_elements)(k, context) / MS_LANES, *sums = factor + vectors;
  int64_t sum_count = shards ? (group + MS_LANES - 1) / MS_LANES * shards : group;
  V *dy = sums + sum_count, *blocks = dy + group * (is_kept ? vectors : together);
  V *inputs = blocks + NAME(block_elements)(group, context) / MS_LANES;
  V *panels = inputs + together * NAME(input_elements)(group, 0) / MS_LANES;
  NAME(columns_of_rows)(x_columns, instruction->operand[1].base, instruction->operand[1].stride, k,
                        context);
  for (int64_t v = 0; v < vectors; v++) {
    const V *statistics =
        (const V *)(instruction->operand[3].base + v * instruction->operand[3].stride);
    V scale = {0};
    for (int64_t lane = 0; lane < MS_LANES && v * MS_LANES + lane < rows; lane++)
      scale[lane] = (REAL)(context->weights[v * MS_LANES + lane] * context->loss_scale);
    factor[v] = scale / SUM;
  }
  for (int64_t g = 0; g < n; g += group) {
    int64_t count = n - g < group ? n - g : group, stride = count * sizeof(V);
    char *dx = instruction->operand[0].base;
    if (dx) NAME(weight_panels)((REAL *)panels, w + g * k, k, count, 1, k, 0);
    memset(sums, 0, sum_count * sizeof(V));
    for (int64_t v = 0; v < vectors; v += together) {
      int64_t some = vectors - v < together ? vectors - v : together;
      V *d = dy + (is_kept ? v * count : 0);
      for (int64_t i = v; i < v + some; i++) {
        const V *statistics =
            (const V *)(instruction->operand[3].base + i * instruction->operand[3].stride);
        const V *e = (const V *)(instruction->operand[2].base + i * instruction->operand[2].stride);
        NAME(output_gradient)(d + (i - v) * count, e + g, statistics, factor[i], g, count,
                              i * MS_LANES, rows, context);
        const V *di = d + (i - v) * count;
        for (int64_t f = 0; db && f < count && !shards; f++) sums[f] += di[f];
        for (int64_t f = 0; db && f < count && shards; f += MS_LANES)
          NAME(add_to_shards)(sums + f / MS_LANES * shards, di + f, count - f, i * MS_LANES, context);
      }
      if (dx) {
        NAME(input_panels)((REAL *)inputs, (const char *)d, stride, some, count, 0);
        NAME(multiply_group)(dx + v * dx_stride, dx_stride, (const char *)d, stride,
                             (const REAL *)inputs, some, (const REAL *)panels, k, count, 0,
                             SIZE(2) || g > 0);
      }
      if (!is_kept)
        NAME(gradient_panels)(blocks, (const char *)d, stride, v, some, count, x_columns, context);
    }
    if (is_kept)
      NAME(gradient_panels)(blocks, (const char *)dy, stride, 0, vectors, count, x_columns, context);
    NAME(outer_group)(dw + g * k, blocks, x_columns, count, k, context);
    for (int64_t f = 0; db && f < count && !shards; f++)
      db[g + f] += NAME(sum_of_lanes)(sums[f]);
    for (int64_t f = 0; db && f < count && shards; f += MS_LANES)
      NAME(add_part)(db + g + f, NAME(shard_sum)(sums + f / MS_LANES * shards, shards), count - f);
  }
}

#undef LARGEST
#undef SUM
#undef BEST
#undef TARGET
#undef PART_LARGEST
