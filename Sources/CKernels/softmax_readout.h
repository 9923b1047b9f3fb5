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
// with one exponential a class. Segments of classes (readout_segments.h) have sums and largest outputs
// of their own. dy exists for one group of classes at a time, which gives its share of dx, dW and db
// at once (softmax_readout_backward.h).

// Of a vector of rows; in a segment, behind them the largest of its classes until the end of each part.
#define LARGEST statistics[0]
#define SUM statistics[1]
#define BEST statistics[2]
#define TARGET statistics[3]
#define PART_LARGEST(part) statistics[MS_READOUT_STATISTICS + (part)]

// Takes the outputs of a part of a segment, `count` from `class` on, into the statistics of a vector of
// rows, and makes them exponentials.
static inline __attribute__((always_inline)) void NAME(take_outputs)(
    V *restrict statistics, V *restrict y, int64_t part, int64_t class, int64_t count) {
  V before = part ? LARGEST : y[0], largest = before, best = part ? BEST : (V){0} + (REAL)class;
  for (int64_t f0 = 0; f0 < count; f0 += MS_LANES) {
    int64_t end = f0 + MS_LANES < count ? f0 + MS_LANES : count;
    V most = y[f0];
    for (int64_t f = f0 + 1; f < end; f++) most = SELECT(y[f] > most, y[f], most);
    // Few outputs are above all before them.
    if (!__builtin_reduce_or(most > largest)) continue;
    V number = (V){0} + (REAL)(class + f0);
    for (int64_t f = f0; f < end; f++, number += 1) {
      NAME(mask) above = y[f] > largest;
      largest = SELECT(above, y[f], largest);
      best = SELECT(above, number, best);
    }
  }
  V sum = part ? SUM * NAME(exp_lanes)(before - largest) : (V){0};
  for (int64_t f = 0; f < count; f++) {
    y[f] = NAME(exp_lanes)(y[f] - largest);
    sum += y[f];
  }
  LARGEST = PART_LARGEST(part) = largest;
  SUM = sum;
  BEST = best;
}

// Classes of a group: whole parts.
static inline int64_t NAME(readout_group)(int64_t n, int64_t k, const ms_context *context) {
  int64_t group = NAME(group_rows)(k, context->steps * MS_LANES * k);
  group = group < MS_READOUT_PART ? MS_READOUT_PART : group / MS_READOUT_PART * MS_READOUT_PART;
  return group < n ? group : n;
}

// Exponentials and statistics of a segment for all rows; `panels` has room for those of a group of
// weights, `inputs` has those of x.
static void NAME(segment_outputs)(const NAME(segment) *segment, const REAL *w, const REAL *bias,
                                  int64_t k, int64_t group, REAL *panels, const REAL *inputs,
                                  const ms_context *all) {
  int64_t together = 1 + PAIRS, input = NAME(input_elements)(k, bias != 0);
  const int64_t end = segment->first + segment->count;
  for (int64_t g = segment->first; g < end; g += group) {
    int64_t count = end - g < group ? end - g : group;
    const REAL *b = bias ? bias + g : 0;
    NAME(weight_panels)(panels, w + g * k, count, k, k, 1, b);
    for (int64_t v = 0; v < all->steps; v += together) {
      int64_t some = all->steps - v < together ? all->steps - v : together;
      char *y = segment->e + v * segment->e_stride + (g - segment->first) * sizeof(V);
      NAME(multiply_group)(y, segment->e_stride, segment->x + v * segment->x_stride,
                           segment->x_stride, inputs + v * input, some, panels, count, k, b, 0);
      for (int64_t i = v; i < v + some; i++, y += segment->e_stride) {
        V *statistics = (V *)(segment->statistics + i * segment->statistics_stride);
        for (int64_t lane = 0; lane < NAME(rows_of_vector)(i, all); lane++) {
          int64_t class = all->classes[i * MS_LANES + lane] - g;
          if (class >= 0 && class < count) TARGET[lane] = ((V *)y)[class][lane];
        }
        for (int64_t f = 0; f < count; f += MS_READOUT_PART)
          NAME(take_outputs)(statistics, (V *)y + f, (g + f - segment->first) / MS_READOUT_PART, g + f,
                             count - f < MS_READOUT_PART ? count - f : MS_READOUT_PART);
      }
    }
  }
}

// The statistics of vector v of all rows, from those of its segments.
static void NAME(join_segments)(V *restrict statistics, int64_t v, int64_t n, int64_t k, ms_operand x,
                                ms_operand e, ms_operand parts, const ms_context *all) {
  for (int64_t s = 0; s < SEGMENTS(all); s++) {
    NAME(segment) segment = NAME(segment_of)(s, n, k, x, e, parts, all);
    const V *own = (const V *)(segment.statistics + v * segment.statistics_stride);
    if (segment.count == 0) continue;
    if (segment.first == 0) {
      memcpy(statistics, own, MS_READOUT_STATISTICS * sizeof(V));
      continue;
    }
    NAME(mask) above = own[0] > LARGEST;
    V largest = SELECT(above, own[0], LARGEST);
    SUM = SUM * NAME(exp_lanes)(LARGEST - largest) + own[1] * NAME(exp_lanes)(own[0] - largest);
    BEST = SELECT(above, own[2], BEST);
    LARGEST = largest;
    for (int64_t lane = 0; lane < NAME(rows_of_vector)(v, all); lane++)
      if (all->classes[v * MS_LANES + lane] >= segment.first) TARGET[lane] = own[3][lane];
  }
}

// e and, for each row, the largest output, sum of exp(y - largest), class of the largest, output of
// the row's class; then the same of each segment, with its largest outputs until the end of each part.
//   operand 0 e (n), 1 x (k), 2 W (n, k), 3 b, 4 statistics (MS_READOUT_STATISTICS, and as many a
//   segment and one a part), 5 scratch: panels of a group and of x
//   size 0 n, 1 k
KERNEL(softmax_readout) {
  const REAL *w = (const REAL *)instruction->operand[2].base;
  const REAL *bias = (const REAL *)instruction->operand[3].base;
  REAL *panels = (REAL *)instruction->operand[5].base;
  int64_t n = SIZE(0), k = SIZE(1);
  ms_operand e = instruction->operand[0], x = instruction->operand[1];
  ms_operand results = instruction->operand[4];
  const ms_context all = NAME(all_rows)(n, k, context);
  if (all.joint && !NAME(bring_rows)(x, n, k, context, &all)) return;
  int64_t group = NAME(readout_group)(n, k, &all);
  REAL *inputs = panels + NAME(panel_elements)(group, k);
  int has_inputs = 0;
  for (int64_t s = -1; (s = NAME(next_segment)(s, OUTPUTS, &all)) < SEGMENTS(&all);) {
    NAME(segment) segment = NAME(segment_of)(s, n, k, x, e, results, &all);
    if (!has_inputs)
      NAME(input_panels)(inputs, segment.x, segment.x_stride, all.steps, k, bias != 0);
    has_inputs = 1;
    NAME(segment_outputs)(&segment, w, bias, k, group, panels, inputs, &all);
  }
  if (!NAME(end_segments)(OUTPUTS, context)) return;
  for (int64_t v = 0; v < all.steps; v++) {
    // With room for what is read when lanes move.
    V statistics[1 + MS_READOUT_STATISTICS + 1];
    NAME(join_segments)(statistics + 1, v, n, k, x, e, results, &all);
    if (all.joint)
      NAME(keep_own)(results, statistics + 1, MS_READOUT_STATISTICS, v, 0, &all);
    else
      memcpy(results.base + v * results.stride, statistics + 1, MS_READOUT_STATISTICS * sizeof(V));
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
