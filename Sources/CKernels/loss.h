// Losses of the outputs of one step, with the gradient to the outputs. Statistics are sums in
// double, lane after lane. Natural logarithms. The gradient of an answer is that of
// loss_scale x weight x loss; lanes beyond the batch get none.
//
// Answers are numbered by step, or there is only answer 0 (size 1 = 1).
//   operand 0 outputs (n), 1 their gradient or null; size 0 n, 1 whether only the last step answers

#define ANSWER (SIZE(1) ? 0 : step)
#define FIRST (ANSWER * context->rows + context->first_row)

// Where the statistics of an answer's shard stand.
static inline double *NAME(statistics_of)(const ms_context *context, int64_t answer) {
  if (context->shards <= 1) return context->statistics;
  int64_t sequence = answer % context->sequences;
  return context->statistics + sequence * context->shards / context->sequences * MS_STATISTICS;
}

// loss = log sum exp y - y[class];   dy = softmax y - onehot(class).
KERNEL(softmax_loss) {
  const V *y = (const V *)OPERAND(0);
  V *d = instruction->operand[1].base ? (V *)OPERAND(1) : 0;
  int64_t n = SIZE(0);
  V largest = y[0], sum = {0}, scale = {0};
  for (int64_t f = 1; f < n; f++) largest = SELECT(y[f] > largest, y[f], largest);
  for (int64_t lane = 0; lane < context->lanes; lane++)
    scale[lane] = (REAL)(context->weights[FIRST + lane] * context->loss_scale);
  for (int64_t f = 0; f < n; f++) {
    V e = NAME(exp_lanes)(y[f] - largest);
    sum += e;
    if (d) d[f] = e;
  }
  if (d) {
    V factor = scale / sum;
    for (int64_t f = 0; f < n; f++) d[f] *= factor;
  }
  for (int64_t lane = 0; lane < context->lanes; lane++) {
    double weight = context->weights[FIRST + lane];
    if (weight == 0) continue;
    double *statistics = NAME(statistics_of)(context, FIRST + lane);
    int64_t class = context->classes[FIRST + lane];
    const REAL *lane_of = (const REAL *)y + lane;
    int64_t best = 0;
    for (int64_t f = 1; f < n; f++)
      if (lane_of[f * MS_LANES] > lane_of[best * MS_LANES]) best = f;
    statistics[0] +=
        weight * (log((double)sum[lane]) + (double)largest[lane] - (double)lane_of[class * MS_LANES]);
    statistics[1] += weight;
    statistics[2] += best == class ? weight : 0;
    if (d) ((REAL *)(d + class))[lane] -= scale[lane];
  }
}

// loss = sum of log(1 + exp y) - target y;   dy = sigmoid y - target.
KERNEL(sigmoid_loss) {
  const V *y = (const V *)OPERAND(0);
  V *d = instruction->operand[1].base ? (V *)OPERAND(1) : 0;
  int64_t n = SIZE(0);
  if (d) memset(d, 0, n * sizeof(V));
  for (int64_t lane = 0; lane < context->lanes; lane++) {
    double weight = context->weights[FIRST + lane], loss = 0;
    if (weight == 0) continue;
    double *statistics = NAME(statistics_of)(context, FIRST + lane);
    const float *target = context->targets + (FIRST + lane) * n;
    const REAL *lane_of = (const REAL *)y + lane;
    double right = 0, excess = 0, missing = 0;
    for (int64_t f = 0; f < n; f++) {
      REAL x = lane_of[f * MS_LANES], e = EXP(x < 0 ? x : -x);
      REAL p = x < 0 ? e / (1 + e) : 1 / (1 + e);
      loss += (x > 0 ? x : 0) + LOG1P(e) - (REAL)target[f] * x;
      int on = x > 0, wanted = target[f] > 0.5f;
      right += on && wanted;
      excess += on && !wanted;
      missing += !on && wanted;
      if (d) ((REAL *)(d + f))[lane] = (REAL)(weight * context->loss_scale) * (p - (REAL)target[f]);
    }
    statistics[0] += weight * loss;
    statistics[1] += weight;
    statistics[3] += right;
    statistics[4] += excess;
    statistics[5] += missing;
    statistics[6] += right + excess + missing == 0;
  }
}

// loss = c sum of (y - target)^2;   dy = 2 c (y - target);   scalar 0 c. An output is right
// where it has the sign of its target.
KERNEL(squared_loss) {
  const V *y = (const V *)OPERAND(0);
  V *d = instruction->operand[1].base ? (V *)OPERAND(1) : 0;
  int64_t n = SIZE(0);
  double factor = instruction->scalar[0];
  if (d) memset(d, 0, n * sizeof(V));
  for (int64_t lane = 0; lane < context->lanes; lane++) {
    double weight = context->weights[FIRST + lane], loss = 0;
    if (weight == 0) continue;
    double *statistics = NAME(statistics_of)(context, FIRST + lane);
    const float *target = context->targets + (FIRST + lane) * n;
    int64_t right = 0;
    for (int64_t f = 0; f < n; f++) {
      REAL value = ((const REAL *)y)[f * MS_LANES + lane], difference = value - (REAL)target[f];
      loss += (double)difference * difference;
      right += (value > 0) == (target[f] > 0);
      if (d) ((REAL *)(d + f))[lane] = (REAL)(2 * factor * weight * context->loss_scale) * difference;
    }
    statistics[0] += weight * (factor * loss);
    statistics[1] += weight;
    statistics[3] += (double)right;
    statistics[4] += (double)(n - right);
  }
}

#undef ANSWER
#undef FIRST
