// Operations on each element by itself. Where a kernel has an `add` size, a value other than 0
// adds to the destination instead of overwriting it: gradients arrive from several consumers.

// d = value over n features.
//   operand 0 d; size 0 n; scalar 0 value
KERNEL(fill) {
  V *d = (V *)OPERAND(0);
  V value = (V){0} + (REAL)instruction->scalar[0];
  for (int64_t f = 0; f < SIZE(0); f++) d[f] = value;
}

// d = 0 in every slot: n features at steps 0 ..< steps + extra.
//   operand 0 d; size 0 n, 1 extra
KERNEL(clear) {
  for (int64_t t = 0; t < context->steps + SIZE(1); t++)
    memset(instruction->operand[0].base + t * instruction->operand[0].stride, 0,
           SIZE(0) * sizeof(V));
}

// d (+)= a.
//   operand 0 d, 1 a; size 0 n, 1 add
KERNEL(copy) {
  V *restrict d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1);
  if (SIZE(1))
    for (int64_t f = 0; f < SIZE(0); f++) d[f] += a[f];
  else
    for (int64_t f = 0; f < SIZE(0); f++) d[f] = a[f];
}

// d = a + b.
//   operand 0 d, 1 a, 2 b; size 0 n
KERNEL(add) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1), *b = (const V *)OPERAND(2);
  for (int64_t f = 0; f < SIZE(0); f++) d[f] = a[f] + b[f];
}

// d = scale a + shift.
//   operand 0 d, 1 a; size 0 n; scalar 0 scale, 1 shift
KERNEL(affine) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1);
  REAL scale = (REAL)instruction->scalar[0], shift = (REAL)instruction->scalar[1];
  for (int64_t f = 0; f < SIZE(0); f++) d[f] = scale * a[f] + shift;
}

// d (+)= scale a: also the derivative of `affine`.
//   operand 0 d, 1 a; size 0 n, 1 add; scalar 0 scale
KERNEL(scale) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1);
  REAL scale = (REAL)instruction->scalar[0];
  if (SIZE(1))
    for (int64_t f = 0; f < SIZE(0); f++) d[f] += scale * a[f];
  else
    for (int64_t f = 0; f < SIZE(0); f++) d[f] = scale * a[f];
}

// d (+)= a b: the product and, with the output's gradient for a, its derivative to each factor.
//   operand 0 d, 1 a, 2 b; size 0 n, 1 add
KERNEL(multiply) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1), *b = (const V *)OPERAND(2);
  if (SIZE(1))
    for (int64_t f = 0; f < SIZE(0); f++) d[f] += a[f] * b[f];
  else
    for (int64_t f = 0; f < SIZE(0); f++) d[f] = a[f] * b[f];
}

// An activation y = f(a) and its derivative da (+)= dy f'(a), with f' given by y.
//   forward: operand 0 y, 1 a; size 0 n
//   backward: operand 0 da, 1 dy, 2 y; size 0 n, 1 add
#define ACTIVATION(name, f, derivative)                                         \
  KERNEL(name) {                                                                \
    V *d = (V *)OPERAND(0);                                                     \
    const V *a = (const V *)OPERAND(1);                                         \
    for (int64_t i = 0; i < SIZE(0); i++) {                                     \
      V x = a[i];                                                               \
      d[i] = f;                                                                 \
    }                                                                           \
  }                                                                             \
  KERNEL(name##_backward) {                                                     \
    V *d = (V *)OPERAND(0);                                                     \
    const V *dy = (const V *)OPERAND(1), *value = (const V *)OPERAND(2);        \
    if (SIZE(1))                                                                \
      for (int64_t i = 0; i < SIZE(0); i++) {                                   \
        V y = value[i];                                                         \
        d[i] += derivative(dy[i], y);                                           \
      }                                                                         \
    else                                                                        \
      for (int64_t i = 0; i < SIZE(0); i++) {                                   \
        V y = value[i];                                                         \
        d[i] = derivative(dy[i], y);                                            \
      }                                                                         \
  }

#define RELU_DERIVATIVE(dy, y) SELECT((y) > 0, dy, (V){0})
#define TANH_DERIVATIVE(dy, y) ((dy) * ((REAL)1 - (y) * (y)))
#define SIGMOID_DERIVATIVE(dy, y) ((dy) * ((y) * ((REAL)1 - (y))))
#define EXP_DERIVATIVE(dy, y) ((dy) * (y))
#define LOG_DERIVATIVE(dy, y) ((dy) * NAME(exp_lanes)(-(y)))
#define ELU_PLUS_ONE_DERIVATIVE(dy, y) ((dy) * SELECT((y) < 1, y, (V){0} + (REAL)1))
#define SQRT_DERIVATIVE(dy, y) ((dy) * ((REAL)0.5 / (y)))
#define RECIPROCAL_DERIVATIVE(dy, y) (-(dy) * ((y) * (y)))
// 1 - e^-y, without cancellation for small y: 2 t / (1 + t) with t = tanh(y / 2).
#define SOFTPLUS_DERIVATIVE(dy, y) NAME(softplus_derivative)(dy, y)
static inline __attribute__((always_inline)) V NAME(softplus_derivative)(V dy, V y) {
  V t = NAME(tanh_lanes)(y * (REAL)0.5);
  return dy * (2 * t / (t + 1));
}

ACTIVATION(relu, SELECT(x > 0, x, (V){0}), RELU_DERIVATIVE)
ACTIVATION(tanh, NAME(tanh_lanes)(x), TANH_DERIVATIVE)
ACTIVATION(sigmoid, NAME(sigmoid_lanes)(x), SIGMOID_DERIVATIVE)
ACTIVATION(exp, NAME(exp_lanes)(x), EXP_DERIVATIVE)
ACTIVATION(log, NAME(log_lanes)(x), LOG_DERIVATIVE)
ACTIVATION(softplus, NAME(softplus_lanes)(x), SOFTPLUS_DERIVATIVE)
ACTIVATION(elu_plus_one, SELECT(x > 0, x + (REAL)1, NAME(exp_lanes)(x)), ELU_PLUS_ONE_DERIVATIVE)
ACTIVATION(sqrt, __builtin_elementwise_sqrt(x), SQRT_DERIVATIVE)
ACTIVATION(reciprocal, (REAL)1 / x, RECIPROCAL_DERIVATIVE)

#undef ACTIVATION
#undef RELU_DERIVATIVE
#undef TANH_DERIVATIVE
#undef SIGMOID_DERIVATIVE
#undef EXP_DERIVATIVE
#undef LOG_DERIVATIVE
#undef ELU_PLUS_ONE_DERIVATIVE
#undef SQRT_DERIVATIVE
#undef RECIPROCAL_DERIVATIVE
#undef SOFTPLUS_DERIVATIVE

// d = the larger of a and b.
//   operand 0 d, 1 a, 2 b; size 0 n
KERNEL(maximum) {
  V *d = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1), *b = (const V *)OPERAND(2);
  for (int64_t f = 0; f < SIZE(0); f++) d[f] = SELECT(a[f] >= b[f], a[f], b[f]);
}

// Derivative of `maximum`, to the first factor where it is not less (size 2 = 0), or to the second
// where it is more: da (+)= dy where a was taken.
//   operand 0 da, 1 dy, 2 a, 3 b; size 0 n, 1 add, 2 whether a is the second
KERNEL(maximum_backward) {
  V *d = (V *)OPERAND(0);
  const V *dy = (const V *)OPERAND(1), *a = (const V *)OPERAND(2), *b = (const V *)OPERAND(3);
  for (int64_t f = 0; f < SIZE(0); f++) {
    V share = SIZE(2) ? SELECT(a[f] > b[f], dy[f], (V){0}) : SELECT(a[f] >= b[f], dy[f], (V){0});
    d[f] = SIZE(1) ? d[f] + share : share;
  }
}

// y = sign(a) relu(|a| + b).
//   operand 0 y, 1 a, 2 b; size 0 n
KERNEL(mod_relu) {
  V *y = (V *)OPERAND(0);
  const V *a = (const V *)OPERAND(1), *b = (const V *)OPERAND(2);
  for (int64_t f = 0; f < SIZE(0); f++) {
    V above = a[f] + b[f], below = a[f] - b[f], zero = {0};
    V positive = SELECT((a[f] > 0) & (above > 0), above, zero);
    y[f] = SELECT((a[f] < 0) & (below < 0), below, positive);
  }
}

// d (+)= dy s [|a| + b > 0], with s = 1 for the gradient of a and s = sign(a) for that of b.
//   operand 0 d, 1 dy, 2 a, 3 b; size 0 n, 1 add, 2 whether of b
KERNEL(mod_relu_backward) {
  V *d = (V *)OPERAND(0);
  const V *dy = (const V *)OPERAND(1), *a = (const V *)OPERAND(2), *b = (const V *)OPERAND(3);
  REAL sign = SIZE(2) ? -1 : 1;
  for (int64_t f = 0; f < SIZE(0); f++) {
    V above = a[f] + b[f], below = a[f] - b[f], zero = {0};
    V positive = SELECT((a[f] > 0) & (above > 0), dy[f], zero);
    V share = SELECT((a[f] < 0) & (below < 0), sign * dy[f], positive);
    d[f] = SIZE(1) ? d[f] + share : share;
  }
}

// Inverted dropout: mask = 0 with probability p, else 1 / (1 - p); d = a mask. Outside training
// the mask is 1. The random number of an element is a function of the key, the update, the
// sequence's row in the whole batch, the step (but where the mask is locked), the feature and the node
// alone.
//   operand 0 d, 1 a, 2 mask; size 0 n, 1 node, 2 locked; scalar 0 p
KERNEL(dropout) {
  V *d = (V *)OPERAND(0), *mask = (V *)OPERAND(2);
  const V *a = (const V *)OPERAND(1);
  REAL keep = (REAL)(1 / (1 - instruction->scalar[0]));
  uint32_t limit = (uint32_t)(instruction->scalar[0] * 4294967296.0);
  if (!context->training) {
    for (int64_t f = 0; f < SIZE(0); f++) {
      mask[f] = (V){0} + (REAL)1;
      d[f] = a[f];
    }
    return;
  }
  for (int64_t lane = 0; lane < MS_LANES; lane++) {
    int64_t row = step * context->rows + context->first_row + lane;
    uint32_t sequence = (uint32_t)(context->first_sequence + row % context->sequences);
    uint32_t time = SIZE(2) ? 0 : (uint32_t)(row / context->sequences);
    for (int64_t f = 0; f < SIZE(0); f += 4) {
      uint32_t words[4] = {time << 12 | (uint32_t)(f / 4), sequence, (uint32_t)context->update,
                           (uint32_t)(context->update >> 32) ^ (uint32_t)SIZE(1) << 20};
      ms_philox(words, context->random_key);
      for (int64_t i = 0; i < 4 && f + i < SIZE(0); i++)
        ((REAL *)(mask + f + i))[lane] = words[i] < limit ? 0 : keep;
    }
  }
  for (int64_t f = 0; f < SIZE(0); f++) d[f] = a[f] * mask[f];
}
