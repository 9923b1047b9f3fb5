// Derivatives of nondeterministic_stack.h, from the last step to the first. With w the weights of a
// step multiplied by a(j - 1, .) and divided by the sum of alpha, G what C is made of, a = sum of G and
// C = G / a,
//
//     dG(p, s) = (dC(p, s) - sum of dC C over this s) / a(s) + da(s) - sum of da a          (3)
//
// the latter two of rows p < S. From there (1) is linear in w and in C of earlier columns, and
// d log weight = dw w; da(j - 1, s) = sum of dw w over the weights of s, divided by a(j - 1, s).

// The derivative of `end_runs`: to the runs and to the weights.
static inline __attribute__((always_inline)) void NAME(end_runs_backward)(
    const V *restrict dpops, const V *restrict runs, const V *restrict weights,
    V *restrict druns, V *restrict dweights, const NAME(stack_sizes) *n) {
  for (int64_t s = 0; s < n->tops; s++)
    for (int64_t i = 0; i < n->tops; i++) {
      const V *pop = weights + i * n->width + 2 * n->tops;
      V *dpop = dweights + i * n->width + 2 * n->tops;
      V c = runs[s * n->tops + i], sum = druns[s * n->tops + i];
      for (int64_t r = 0; r < n->states; r++) {
        V d = dpops[s * n->states + r];
        sum += d * pop[r];
        dpop[r] += d * c;
      }
      druns[s * n->tops + i] = sum;
    }
}

// The derivative of replacing: to the runs of the step before and to the weights.
static inline __attribute__((always_inline)) void NAME(replace_backward)(
    const V *restrict dout, const V *restrict from, const V *restrict weights, V *restrict dfrom,
    V *restrict dweights, const NAME(stack_sizes) *n) {
  for (int64_t p = 0; p < n->rows; p++)
    for (int64_t i = 0; i < n->tops; i++) {
      const V *replace = weights + i * n->width + n->tops, *d = dout + p * n->tops;
      V *dreplace = dweights + i * n->width + n->tops;
      V c = from[p * n->tops + i], sum = dfrom[p * n->tops + i];
      for (int64_t s = 0; s < n->tops; s++) {
        sum += d[s] * replace[s];
        dreplace[s] += d[s] * c;
      }
      dfrom[p * n->tops + i] = sum;
    }
}

// Clears what a backward pass adds to: da and dC of all columns.
//   operand 0 da of column 0, 1 dC of column 0; size 0 Q, 1 G, 2 m, 3 window, 4 whether carried over
KERNEL(nondeterministic_clear) {
  NAME(stack_sizes) n = NAME(stack_sizes_of)(instruction);
  for (int64_t j = 0; j <= context->steps; j++)
    memset(instruction->operand[0].base + j * instruction->operand[0].stride, 0,
           n.tops * sizeof(V));
  memset(instruction->operand[1].base, 0,
         NAME(blocks_before)(&n, context->steps + 1) * n.block * sizeof(V));
}

// The derivative of a reading: to a, to C and, of the first symbol, to what it carries.
//   operand 0 dy, 1 d of what the first symbol carries or null, 2 a, 3 C of column 0,
//     4 whether empty, 5 da, 6 dC of column 0
//   size 0 Q, 1 G, 2 m, 3 window, 4 whether C may be carried over, 5 add to operand 1
KERNEL(nondeterministic_read_backward) {
  NAME(stack_sizes) n = NAME(stack_sizes_of)(instruction);
  const V *dy = (const V *)OPERAND(0), *a = (const V *)OPERAND(2);
  int64_t place = NAME(blocks_before)(&n, step) * n.block, m = SIZE(2);
  int64_t ages = NAME(ages_of)(&n, step);
  const V *runs = (const V *)instruction->operand[3].base + place;
  V *da = (V *)OPERAND(5), *druns = (V *)instruction->operand[6].base + place;
  for (int64_t s = 0; s < n.tops; s++) {
    if (!m) da[s] += dy[s];
    for (int64_t c = 0; c < m; c++) {
      int64_t row = (n.tops + c) * n.tops + s;
      V sum = {0}, share = dy[s * m + c] * a[s];
      for (int64_t age = 0; age < ages; age++) {
        sum += runs[age * n.block + row];
        druns[age * n.block + row] += share;
      }
      da[s] += dy[s * m + c] * sum;
    }
  }
  if (!m || !instruction->operand[1].base) return;
  V *dfirst = (V *)OPERAND(1), empty = *(const V *)instruction->operand[4].base;
  for (int64_t c = 0; c < m; c++) {
    V d = step ? (V){0} : empty * druns[(n.tops + c) * n.tops];
    dfirst[c] = SIZE(5) ? dfirst[c] + d : d;
  }
}

// Derivative of `nondeterministic_update`: turns dC of column j = step + 1 into dG, and adds to da and
// dC of the columns before.
//   operand 0 dz or null, 1 v, 2 weights, 3 a of column step, 4 C of column 0, 5 the inverse sum,
//     6 scratch: weights, dweights and, for each age, pops and dpops, 7 da of column step,
//     8 dC of column 0, 9 dv or null
//   size 0 Q, 1 G, 2 m, 3 window, 4 whether C may be carried over, 5 add: 1 to dz, 2 to dv
KERNEL(nondeterministic_update_backward) {
  NAME(stack_sizes) n = NAME(stack_sizes_of)(instruction);
  int64_t j = step + 1, m = SIZE(2), count = n.tops * n.width, ages = NAME(ages_of)(&n, j);
  const V *v = (const V *)OPERAND(1), *kept = (const V *)OPERAND(2), *a = (const V *)OPERAND(3);
  const V *next = (const V *)(instruction->operand[3].base + j * instruction->operand[3].stride);
  const V *dnext = (const V *)(instruction->operand[7].base + j * instruction->operand[7].stride);
  V *da = (V *)OPERAND(7), none = {0}, inverse = *(const V *)OPERAND(5);
  V *weights = (V *)instruction->operand[6].base, *dweights = weights + count;
  int64_t ended = n.tops * n.states, upper = ages > 2 ? ages - 2 : 0;
  V *pops = dweights + count, *dpops = pops + upper * ended;
  const V *all = (const V *)instruction->operand[4].base;
  V *dall = (V *)instruction->operand[8].base;
  int64_t place = NAME(blocks_before)(&n, j) * n.block;
  int64_t before = NAME(blocks_before)(&n, step) * n.block;
  const V *column = all + place;
  V *d = dall + place;
  for (int64_t f = 0; f < count; f++) {
    weights[f] = a[f / n.width] * kept[f] * inverse;
    dweights[f] = none;
  }
  for (int64_t f = 0; f < upper * ended; f++) dpops[f] = none;
  for (int64_t u = 0; u < upper; u++)
    NAME(end_runs)(pops + u * ended, all + before + u * n.block, weights, &n);
  V mean = {0};
  for (int64_t s = 0; s < n.tops; s++) mean += dnext[s] * next[s];
  for (int64_t s = 0; s < n.tops; s++) {
    V sum = {0}, scale = SELECT(next[s] > 0, 1 / next[s], none);
    for (int64_t f = s; f < ages * n.block; f += n.tops) sum += d[f] * column[f];
    V share = SELECT(next[s] > 0, dnext[s] - mean - sum * scale, none);
    for (int64_t age = 0; age < ages; age++)
      for (int64_t p = 0; p < n.rows; p++) {
        V *run = d + age * n.block + p * n.tops + s;
        *run = *run * scale + (p < n.tops ? share : none);
      }
  }
  for (int64_t s = 0; s < n.tops; s++) {
    V carried = {0};
    for (int64_t c = 0; c < m; c++) carried += d[(n.tops + c) * n.tops + s] * v[c];
    for (int64_t p = 0; p < n.tops; p++)
      dweights[p * n.width + s] = d[p * n.tops + s] + carried;
  }
  if (instruction->operand[9].base)
    for (int64_t c = 0; c < m; c++) {
      V *dv = (V *)OPERAND(9) + c, sum = SIZE(5) & 2 ? *dv : none;
      for (int64_t s = 0; s < n.tops; s++) {
        V pushed = {0};
        for (int64_t p = 0; p < n.tops; p++) pushed += weights[p * n.width + s];
        sum += d[(n.tops + c) * n.tops + s] * pushed;
      }
      *dv = sum;
    }
  for (int64_t age = 1; age < ages; age++) {
    const V *dout = d + age * n.block;
    int64_t from = before + (age - 1) * n.block;
    NAME(replace_backward)(dout, all + from, weights, dall + from, dweights, &n);
    for (int64_t lower = 0; lower + 1 < age; lower++) {
      int64_t k = j - age + lower, u = j - 2 - k;
      int64_t below = (NAME(blocks_before)(&n, k) + lower) * n.block;
      WITH_STATES(n.states, uncover_backward, dout, all + below, pops + u * ended, dall + below,
                  dpops + u * ended, &n)
    }
  }
  for (int64_t u = 0; u < upper; u++) {
    int64_t run = before + u * n.block;
    NAME(end_runs_backward)(dpops + u * ended, all + run, weights, dall + run, dweights, &n);
  }
  V *dz = instruction->operand[0].base ? (V *)OPERAND(0) : 0;
  for (int64_t s = 0; s < n.tops; s++) {
    V sum = {0};
    for (int64_t f = s * n.width; f < (s + 1) * n.width; f++) {
      V share = dweights[f] * weights[f];
      sum += share;
      if (dz) dz[f] = SIZE(5) & 1 ? dz[f] + share : share;
    }
    da[s] += SELECT(a[s] > 0, sum / a[s], none);
  }
}

#undef TINY
#undef LEAST
#undef UNROLLED_STATES
#undef WITH_STATES
