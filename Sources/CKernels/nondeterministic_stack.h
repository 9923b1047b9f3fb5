// A stack machine of Q states and G stack symbols that follows all of its runs at once. s = (q, x) is a
// state with the symbol on top, S = Q G of them. A run from i to j with p below and s on top has
// pushed at step i + 1 on top of p and uncovered nothing below since. With weights per step of pushing,
// replacing and popping,
//
//     run(i, j, p, (r, y)) = [i = j - 1] push(p, (r, y)) + sum over s of run(i, j - 1, p, s) repl(s, (r, y))
//         + sum over k, t of run(i, k, p, (t, y)) (sum over s of run(k, j - 1, (t, y), s) pop(s, r))
//     alpha(j, s) = sum over i, p of alpha(i, p) run(i, j, p, s)                          (1)
//
// Kept are not these sums, which grow and vanish with the steps, but, as numbers from 0 to 1,
//
//     a(j, s) = alpha(j, s) / sum over s of alpha(j, s),  the reading
//     C(i, j, p, s) = alpha(i, p) run(i, j, p, s) / alpha(j, s):  given s on top, how likely it was
//         pushed after step i on top of p                                                  (2)
//
// and (1) multiplied by alpha(i, p) goes from C to C: run(i, j - 1, p, s) becomes C(i, j - 1, p, s), and
// push, repl and pop are multiplied by a(j - 1, .). A common factor of a step's weights cancels in (2).
// Weights of less than TINY of a step are dropped. Symbols that carry m numbers add m rows to C,
// p = S ... S + m - 1: their expectation given s. The expectation of what was pushed takes the place
// of the weight that was pushed; all else is the same (DuSell and Chiang 2022 and 2023).
//
// C of column j stands by age, j - 1 - i. A window keeps runs of so many steps at most. Before the
// first step the stack holds one symbol: a(0, 0) = C(-1, 0, 0, 0) = 1.

#if IS_FLOAT
#define TINY 1e-30f
#define LEAST 1e-37f
#else
#define TINY 1e-250
#define LEAST 1e-300
#endif
// States whose loops are unrolled.
#define UNROLLED_STATES 4

// Sizes of a stack.
typedef struct {
  int64_t states, symbols, tops, rows, block, width, window, carried;
} NAME(stack_sizes);

static inline NAME(stack_sizes) NAME(stack_sizes_of)(const ms_instruction *instruction) {
  int64_t tops = SIZE(0) * SIZE(1), rows = tops + SIZE(2);
  return (NAME(stack_sizes)){SIZE(0), SIZE(1), tops, rows, rows * tops, 2 * tops + SIZE(0),
                             SIZE(3), SIZE(4)};
}

// The blocks before column j.
static inline int64_t NAME(blocks_before)(const NAME(stack_sizes) *n, int64_t j) {
  return n->window ? (j + n->window - 1) * n->window : j * (j + 1) / 2;
}

// The ages of column j that there are.
static inline int64_t NAME(ages_of)(const NAME(stack_sizes) *n, int64_t j) {
  return n->window && (n->carried || j + 1 > n->window) ? n->window : j + 1;
}

// pops(s, r) = sum over s' of C(s, s') weight of popping s' to r: upper runs that end.
static inline __attribute__((always_inline)) void NAME(end_runs)(
    V *restrict pops, const V *restrict runs, const V *restrict weights,
    const NAME(stack_sizes) *n) {
  for (int64_t s = 0; s < n->tops; s++)
    for (int64_t r = 0; r < n->states; r++) {
      V sum = {0};
      for (int64_t i = 0; i < n->tops; i++)
        sum += runs[s * n->tops + i] * weights[i * n->width + 2 * n->tops + r];
      pops[s * n->states + r] = sum;
    }
}

// out(p, (r, y)) += sum over t of C(p, (t, y)) pops((t, y), r).
static inline __attribute__((always_inline)) void NAME(uncover)(
    const int64_t states, V *restrict out, const V *restrict lower, const V *restrict pops,
    const NAME(stack_sizes) *n) {
  for (int64_t p = 0; p < n->rows; p++)
    for (int64_t y = 0; y < n->symbols; y++)
      for (int64_t r = 0; r < states; r++) {
        V sum = out[p * n->tops + r * n->symbols + y];
        for (int64_t t = 0; t < states; t++)
          sum += lower[p * n->tops + t * n->symbols + y] *
                 pops[(t * n->symbols + y) * states + r];
        out[p * n->tops + r * n->symbols + y] = sum;
      }
}

// The derivative of `uncover`: to the lower run and to pops.
static inline __attribute__((always_inline)) void NAME(uncover_backward)(
    const int64_t states, const V *restrict dout, const V *restrict lower,
    const V *restrict pops, V *restrict dlower, V *restrict dpops, const NAME(stack_sizes) *n) {
  for (int64_t p = 0; p < n->rows; p++)
    for (int64_t y = 0; y < n->symbols; y++)
      for (int64_t t = 0; t < states; t++) {
        int64_t place = p * n->tops + t * n->symbols + y, top = (t * n->symbols + y) * states;
        V c = lower[place], sum = dlower[place];
        for (int64_t r = 0; r < states; r++) {
          V d = dout[p * n->tops + r * n->symbols + y];
          sum += d * pops[top + r];
          dpops[top + r] += d * c;
        }
        dlower[place] = sum;
      }
}

#define WITH_STATES(count, f, ...)                                    \
  switch (count) {                                                    \
    case 1: NAME(f)(1, __VA_ARGS__); break;                           \
    case 2: NAME(f)(2, __VA_ARGS__); break;                           \
    case 3: NAME(f)(3, __VA_ARGS__); break;                           \
    case UNROLLED_STATES: NAME(f)(UNROLLED_STATES, __VA_ARGS__); break; \
    default: NAME(f)(count, __VA_ARGS__);                             \
  }

// The reading of a step, a(s) or a(s) times the expectation of what s carries; at step 0 the one symbol
// of an empty stack where nothing was carried over: all a are 0.
//   operand 0 y (S or S m), 1 what the first symbol carries (m), 2 a, 3 C of column 0, 4 whether empty
//   size 0 Q, 1 G, 2 m, 3 window, 4 whether C may be carried over
KERNEL(nondeterministic_read) {
  NAME(stack_sizes) n = NAME(stack_sizes_of)(instruction);
  V *y = (V *)OPERAND(0), *a = (V *)OPERAND(2);
  V *runs = (V *)instruction->operand[3].base + NAME(blocks_before)(&n, step) * n.block;
  int64_t m = SIZE(2), ages = NAME(ages_of)(&n, step);
  if (step == 0) {
    V sum = {0}, none = {0}, one = none + 1;
    if (n.carried)
      for (int64_t s = 0; s < n.tops; s++) sum += a[s];
    V empty = SELECT(sum == 0, one, none);
    *(V *)instruction->operand[4].base = empty;
    for (int64_t s = 0; s < n.tops; s++) a[s] = SELECT(empty > 0, s ? none : one, a[s]);
    for (int64_t f = 0; f < n.block; f++) {
      V start = f == 0 ? one : none;
      if (m && f % n.tops == 0 && f >= n.tops * n.tops)
        start = ((const V *)OPERAND(1))[f / n.tops - n.tops];
      runs[f] = SELECT(empty > 0, start, n.carried ? runs[f] : none);
    }
  }
  for (int64_t s = 0; s < n.tops; s++) {
    if (!m) y[s] = a[s];
    for (int64_t c = 0; c < m; c++) {
      V sum = {0};
      for (int64_t age = 0; age < ages; age++)
        sum += runs[age * n.block + (n.tops + c) * n.tops + s];
      y[s * m + c] = a[s] * sum;
    }
  }
}

// (1) and (2) for column j = step + 1. Keeps the step's weights and 1 / sum of alpha.
//   operand 0 z (S, 2 S + Q), log weights of push, replace and pop, 1 v (m), 2 weights (S, 2 S + Q),
//     3 a of column step, 4 C of column 0, 5 the inverse sum,
//     6 scratch: weights and, for each age, pops
//   size 0 Q, 1 G, 2 m, 3 window, 4 whether C may be carried over
KERNEL(nondeterministic_update) {
  NAME(stack_sizes) n = NAME(stack_sizes_of)(instruction);
  int64_t j = step + 1, m = SIZE(2), count = n.tops * n.width;
  const V *z = (const V *)OPERAND(0), *v = (const V *)OPERAND(1), *a = (const V *)OPERAND(3);
  V *next = (V *)(instruction->operand[3].base + j * instruction->operand[3].stride);
  V *kept = (V *)OPERAND(2), *weights = (V *)instruction->operand[6].base, *pops = weights + count;
  V *all = (V *)instruction->operand[4].base, none = {0};
  V *column = all + NAME(blocks_before)(&n, j) * n.block;
  const V *last = all + NAME(blocks_before)(&n, step) * n.block;
  V largest = z[0];
  for (int64_t f = 1; f < count; f++) largest = SELECT(z[f] > largest, z[f], largest);
  for (int64_t f = 0; f < count; f++) {
    kept[f] = NAME(exp_lanes)(z[f] - largest);
    weights[f] = a[f / n.width] * kept[f];
  }
  int64_t ages = NAME(ages_of)(&n, j);
  for (int64_t u = 0; u + 2 < ages; u++)
    NAME(end_runs)(pops + u * n.tops * n.states, last + u * n.block, weights, &n);
  for (int64_t s = 0; s < n.tops; s++) {
    V pushed = {0};
    for (int64_t p = 0; p < n.tops; p++) {
      V weight = weights[p * n.width + s];
      column[p * n.tops + s] = weight;
      pushed += weight;
    }
    for (int64_t c = 0; c < m; c++) column[(n.tops + c) * n.tops + s] = pushed * v[c];
  }
  for (int64_t age = 1; age < ages; age++) {
    V *out = column + age * n.block;
    const V *from = last + (age - 1) * n.block;
    for (int64_t p = 0; p < n.rows; p++) {
      for (int64_t s = 0; s < n.tops; s++) out[p * n.tops + s] = none;
      for (int64_t i = 0; i < n.tops; i++) {
        V c = from[p * n.tops + i];
        const V *replace = weights + i * n.width + n.tops;
        for (int64_t s = 0; s < n.tops; s++) out[p * n.tops + s] += c * replace[s];
      }
    }
    // k = i + 1 + lower, i = j - 1 - age.
    for (int64_t lower = 0; lower + 1 < age; lower++) {
      int64_t k = j - age + lower, u = j - 2 - k;
      const V *below = all + (NAME(blocks_before)(&n, k) + lower) * n.block;
      WITH_STATES(n.states, uncover, out, below, pops + u * n.tops * n.states, &n)
    }
  }
  V total = {0};
  for (int64_t s = 0; s < n.tops; s++) {
    V sum = {0};
    for (int64_t age = 0; age < ages; age++)
      for (int64_t p = 0; p < n.tops; p++) sum += column[age * n.block + p * n.tops + s];
    next[s] = sum;
    total += sum;
  }
  V inverse = SELECT(total > LEAST, 1 / total, none);
  *(V *)OPERAND(5) = inverse;
  for (int64_t s = 0; s < n.tops; s++) {
    V sum = next[s], part = sum * inverse;
    V scale = SELECT((part > TINY) & (sum > LEAST), 1 / sum, none);
    next[s] = SELECT(scale > 0, part, none);
    for (int64_t f = s; f < ages * n.block; f += n.tops)
      column[f] = SELECT(scale > 0, column[f] * scale, none);
  }
}
