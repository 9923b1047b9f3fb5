// Loops over flat buffers: norms, clipping, optimiser updates.
//
// Each is one pass over its memory, from any address and for any count. The updates are plain
// loops over elements, which the compiler turns into vectors of the level: the result of an
// element does not depend on where it lies. What is summed is summed in one fixed order.

typedef double NAME(sums) __attribute__((vector_size(MS_LANES * sizeof(double))));

static double NAME(sum_of_squares)(const void *values, int64_t count) {
  const REAL *x = values;
  NAME(sums) sums = {0};
  int64_t i = 0;
  for (; i + MS_LANES <= count; i += MS_LANES) {
    NAME(sums) lane = __builtin_convertvector(*(const V *)(x + i), NAME(sums));
    sums += lane * lane;
  }
  if (i < count) {
    NAME(sums) lane = {0};
    for (int64_t l = 0; i + l < count; l++) lane[l] = x[i + l];
    sums += lane * lane;
  }
  for (int half = MS_LANES / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++) sums[l] += sums[l + half];
  return sums[0];
}

// x - x is 0 for a number and not a number for the rest, and stays so in a sum.
static int32_t NAME(all_finite)(const void *values, int64_t count) {
  const REAL *x = values;
  V differences = {0};
  int64_t i = 0;
  for (; i + MS_LANES <= count; i += MS_LANES) {
    V lane = *(const V *)(x + i);
    differences += lane - lane;
  }
  for (; i < count; i++) differences[0] += x[i] - x[i];
  REAL sum = 0;
  for (int l = 0; l < MS_LANES; l++) sum += differences[l];
  return sum == 0;
}

// What is not a number stays so.
static void NAME(clamp)(void *values, int64_t count, double limit) {
  REAL *x = values;
  const REAL high = (REAL)limit, low = -high;
  for (int64_t i = 0; i < count; i++) {
    REAL value = x[i];
    value = value > high ? high : value;
    x[i] = value < low ? low : value;
  }
}

static void NAME(add_to)(void *destination, const void *source, int64_t count) {
  REAL *restrict d = destination;
  const REAL *restrict s = source;
  for (int64_t i = 0; i < count; i++) d[i] += s[i];
}

static inline __attribute__((always_inline)) V NAME(tree2)(REAL *const *x, int64_t i) {
  return *(const V *)(x[0] + i) + *(const V *)(x[1] + i);
}
static inline __attribute__((always_inline)) V NAME(tree4)(REAL *const *x, int64_t i) {
  return NAME(tree2)(x, i) + NAME(tree2)(x + 2, i);
}
static inline __attribute__((always_inline)) V NAME(tree8)(REAL *const *x, int64_t i) {
  return NAME(tree4)(x, i) + NAME(tree4)(x + 4, i);
}

// One element at every destination: the sum of those of the sources, neighbours first,
// ((0 + 1) + (2 + 3)) + ...; destinations may be sources.
static void NAME(tree_sum)(void *const *sources, int64_t source_count, void *const *destinations,
                           int64_t destination_count, int64_t count) {
  REAL *const *x = (REAL *const *)sources;
  REAL *const *y = (REAL *const *)destinations;
  V sums[MS_SOURCES / 8];
  int64_t i = 0;
  for (; i + MS_LANES <= count; i += MS_LANES) {
    V sum;
    switch (source_count) {
      case 1: sum = *(const V *)(x[0] + i); break;
      case 2: sum = NAME(tree2)(x, i); break;
      case 4: sum = NAME(tree4)(x, i); break;
      case 8: sum = NAME(tree8)(x, i); break;
      default:
        for (int64_t k = 0; k < source_count / 8; k++) sums[k] = NAME(tree8)(x + 8 * k, i);
        for (int64_t n = source_count / 16; n > 0; n /= 2)
          for (int64_t k = 0; k < n; k++) sums[k] = sums[2 * k] + sums[2 * k + 1];
        sum = sums[0];
    }
    for (int64_t k = 0; k < destination_count; k++) *(V *)(y[k] + i) = sum;
  }
  for (; i < count; i++) {
    REAL numbers[MS_SOURCES];
    for (int64_t k = 0; k < source_count; k++) numbers[k] = x[k][i];
    for (int64_t n = source_count / 2; n > 0; n /= 2)
      for (int64_t k = 0; k < n; k++) numbers[k] = numbers[2 * k] + numbers[2 * k + 1];
    for (int64_t k = 0; k < destination_count; k++) y[k][i] = numbers[0];
  }
}

// m += share (x - m): the mean of n vectors where the share of the n-th is 1 / n.
static void NAME(approach)(void *mean, const void *values, int64_t count, double share) {
  REAL *restrict m = mean;
  const REAL *restrict x = values;
  for (int64_t i = 0; i < count; i++) m[i] += (REAL)share * (x[i] - m[i]);
}

// g = scale gradient + weight_decay w
// b = momentum b + g
// w = w - rate (nesterov ? g + momentum b : b)
static inline __attribute__((always_inline)) void NAME(sgd_loop)(
    const ms_update *u, int has_momentum, int nesterov) {
  REAL *restrict w = u->values, *restrict b = u->first;
  const REAL *restrict gradient = u->gradients;
  const REAL rate = (REAL)u->learning_rate, decay = (REAL)u->weight_decay;
  const REAL scale = (REAL)u->gradient_scale, momentum = (REAL)u->beta1;
  for (int64_t i = 0; i < u->count; i++) {
    REAL g = scale * gradient[i] + decay * w[i];
    if (has_momentum) {
      REAL velocity = momentum * b[i] + g;
      b[i] = velocity;
      g = nesterov ? g + momentum * velocity : velocity;
    }
    w[i] -= rate * g;
  }
}

static void NAME(sgd)(const ms_update *u) {
  if (!u->first) NAME(sgd_loop)(u, 0, 0);
  else if (u->nesterov) NAME(sgd_loop)(u, 1, 1);
  else NAME(sgd_loop)(u, 1, 0);
}

// g = scale gradient + weight_decay w
// s = smoothing s + (1 - smoothing) g^2
// a = smoothing a + (1 - smoothing) g              when centred
// q = g / (sqrt(s - a^2) + epsilon)
// b = momentum b + q                               with momentum; otherwise b is q
// w = w - rate b
// s - a^2 is at least 0 but for rounding.
static inline __attribute__((always_inline)) void NAME(rmsprop_loop)(
    const ms_update *u, int centered, int has_momentum) {
  REAL *restrict w = u->values, *restrict b = u->first, *restrict s = u->second;
  REAL *restrict a = u->third;
  const REAL *restrict gradient = u->gradients;
  const REAL rate = (REAL)u->learning_rate, decay = (REAL)u->weight_decay;
  const REAL scale = (REAL)u->gradient_scale, momentum = (REAL)u->beta1;
  const REAL smoothing = (REAL)u->beta2, rest = (REAL)(1 - u->beta2), epsilon = (REAL)u->epsilon;
  for (int64_t i = 0; i < u->count; i++) {
    REAL g = scale * gradient[i] + decay * w[i];
    REAL square = smoothing * s[i] + rest * g * g;
    s[i] = square;
    if (centered) {
      REAL mean = smoothing * a[i] + rest * g;
      a[i] = mean;
      square -= mean * mean;
      square = square < 0 ? 0 : square;
    }
    g /= __builtin_elementwise_sqrt(square) + epsilon;
    if (has_momentum) {
      g += momentum * b[i];
      b[i] = g;
    }
    w[i] -= rate * g;
  }
}

static void NAME(rmsprop)(const ms_update *u) {
  if (u->third && u->first) NAME(rmsprop_loop)(u, 1, 1);
  else if (u->third) NAME(rmsprop_loop)(u, 1, 0);
  else if (u->first) NAME(rmsprop_loop)(u, 0, 1);
  else NAME(rmsprop_loop)(u, 0, 0);
}

// g = scale gradient + weight_decay w              w = (1 - rate weight_decay) w when decoupled
// m = beta1 m + (1 - beta1) g
// v = beta2 v + (1 - beta2) g^2
// w = w - rate / correction1 m / (sqrt(v / correction2) + epsilon)
static void NAME(adam)(const ms_update *u) {
  REAL *restrict w = u->values, *restrict m = u->first, *restrict v = u->second;
  const REAL *restrict gradient = u->gradients;
  const REAL rate = (REAL)(u->learning_rate / u->correction1);
  const REAL correction = (REAL)(1 / sqrt(u->correction2)), epsilon = (REAL)u->epsilon;
  const REAL decay = u->decoupled ? 0 : (REAL)u->weight_decay;
  const REAL kept = u->decoupled ? (REAL)(1 - u->learning_rate * u->weight_decay) : 1;
  const REAL scale = (REAL)u->gradient_scale;
  const REAL beta1 = (REAL)u->beta1, rest1 = (REAL)(1 - u->beta1);
  const REAL beta2 = (REAL)u->beta2, rest2 = (REAL)(1 - u->beta2);
  for (int64_t i = 0; i < u->count; i++) {
    REAL g = scale * gradient[i] + decay * w[i];
    REAL mean = beta1 * m[i] + rest1 * g;
    REAL square = beta2 * v[i] + rest2 * g * g;
    m[i] = mean;
    v[i] = square;
    w[i] = kept * w[i] - rate * mean / (__builtin_elementwise_sqrt(square) * correction + epsilon);
  }
}
