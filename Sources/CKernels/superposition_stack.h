// A stack whose actions are a superposition of push, no operation and pop: with a = softmax z, cells
// of m numbers, cell 0 on top,
//
//     S'[i] = a_push S[i - 1] + a_noop S[i] + a_pop S[i + 1],   S[-1] = v               (1)
//
// and nothing beyond the last cell. z holds push, pop, no operation. Of a stack that starts empty only
// those cells are computed that can hold something and can come to the top before the sequence ends.

// Cells of S that may hold something, and cells of S' that anything can depend on.
static inline int64_t NAME(cells_before)(int64_t step, int64_t depth, int64_t full) {
  return full || step > depth ? depth : step;
}
static inline int64_t NAME(cells_after)(const ms_context *context, int64_t step, int64_t depth,
                                        int64_t full) {
  if (full) return depth;
  int64_t cells = step + 1 < depth ? step + 1 : depth, left = context->steps - step;
  return cells < left ? cells : left;
}

// (1) forward. Keeps a.
//   operand 0 S' (depth, m), 1 S, 2 z (3), 3 v (m), 4 a (3)
//   size 0 depth, 1 m, 2 whether S may hold something at first
KERNEL(superposition_push_pop) {
  V *after = (V *)OPERAND(0), *a = (V *)OPERAND(4);
  const V *before = (const V *)OPERAND(1), *z = (const V *)OPERAND(2), *v = (const V *)OPERAND(3);
  int64_t depth = SIZE(0), m = SIZE(1), held = NAME(cells_before)(step, depth, SIZE(2));
  int64_t cells = NAME(cells_after)(context, step, depth, SIZE(2));
  V largest = SELECT(z[0] > z[1], z[0], z[1]);
  largest = SELECT(largest > z[2], largest, z[2]);
  V push = NAME(exp_lanes)(z[0] - largest), pop = NAME(exp_lanes)(z[1] - largest);
  V noop = NAME(exp_lanes)(z[2] - largest), factor = 1 / (push + pop + noop);
  a[0] = push *= factor;
  a[1] = pop *= factor;
  a[2] = noop *= factor;
  for (int64_t i = 0; i < cells; i++) {
    const V *above = i ? before + (i - 1) * m : v, *same = before + i * m, *below = same + m;
    V *d = after + i * m;
    if (i + 1 < held)
      for (int64_t f = 0; f < m; f++) d[f] = push * above[f] + noop * same[f] + pop * below[f];
    else if (i < held)
      for (int64_t f = 0; f < m; f++) d[f] = push * above[f] + noop * same[f];
    else
      for (int64_t f = 0; f < m; f++) d[f] = push * above[f];
  }
}

// Derivative of (1), with dS' turned into dS in place:
//
//     dS[i] = a_push dS'[i + 1] + a_noop dS'[i] + a_pop dS'[i - 1],   dv = a_push dS'[0]
//     da_push = sum of dS'[i] S[i - 1],  da_noop, da_pop likewise,   dz = a (da - sum of a da)
//
//   operand 0 dS (depth, m), 1 S, 2 a (3), 3 v (m), 4 dz or null, 5 dv or null
//   size 0 depth, 1 m, 2 whether S may hold something at first, 3 add to dz, 4 add to dv
KERNEL(superposition_push_pop_backward) {
  V *d = (V *)OPERAND(0);
  const V *before = (const V *)OPERAND(1), *a = (const V *)OPERAND(2), *v = (const V *)OPERAND(3);
  V *dz = instruction->operand[4].base ? (V *)OPERAND(4) : 0;
  V *dv = instruction->operand[5].base ? (V *)OPERAND(5) : 0;
  int64_t depth = SIZE(0), m = SIZE(1), held = NAME(cells_before)(step, depth, SIZE(2));
  int64_t cells = NAME(cells_after)(context, step, depth, SIZE(2));
  V push = a[0], pop = a[1], noop = a[2];
  V dpush = {0}, dpop = {0}, dnoop = {0};
  int64_t reached = cells + 1 < held ? cells + 1 : held;
  for (int64_t f = 0; f < m; f++) {
    V above = {0}, same = d[f], first = push * same;
    dpush += same * v[f];
    if (dv) dv[f] = SIZE(4) ? dv[f] + first : first;
    for (int64_t i = 0; i < reached; i++) {
      V below = i + 1 < cells ? d[(i + 1) * m + f] : (V){0}, s = before[i * m + f];
      d[i * m + f] = push * below + noop * same + pop * above;
      dpush += below * s;
      dnoop += same * s;
      dpop += above * s;
      above = same;
      same = below;
    }
    for (int64_t i = reached; i < cells; i++) d[i * m + f] = (V){0};
  }
  if (!dz) return;
  V mean = push * dpush + pop * dpop + noop * dnoop;
  dpush = push * (dpush - mean);
  dpop = pop * (dpop - mean);
  dnoop = noop * (dnoop - mean);
  dz[0] = SIZE(3) ? dz[0] + dpush : dpush;
  dz[1] = SIZE(3) ? dz[1] + dpop : dpop;
  dz[2] = SIZE(3) ? dz[2] + dnoop : dnoop;
}
