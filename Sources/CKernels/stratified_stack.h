// A stack of vectors v with strengths s, of which a step removes strength d from the top, then pushes
// v(t) with strength u, then reads strength 1 from the top; with A(i) the strength above i,
//
//     s'(i) = relu(s(i) - relu(d - A(i))),   s'(t) = u                                    (1)
//     c(i) = min(s'(i), relu(1 - A'(i))),   r = sum over i of c(i) v(i)                    (2)
//
// Entries are numbered by the step that pushed them. Grefenstette, Hermann, Suleyman and Blunsom 2015,
// arXiv:1506.02516.

// (1) and (2). Keeps s' and c.
//   operand 0 r (m), 1 u and d, 2 v (m), 3 s', 4 c; size 0 m
KERNEL(stratified_stack) {
  V *r = (V *)OPERAND(0), *s = (V *)OPERAND(3), *c = (V *)OPERAND(4);
  const V *strengths = (const V *)OPERAND(1);
  const V *before = (const V *)((const char *)s - instruction->operand[3].stride);
  V left = strengths[1], none = {0};
  for (int64_t i = step - 1; i >= 0; i--) {
    V rest = before[i] - SELECT(left > 0, left, none);
    s[i] = SELECT(rest > 0, rest, none);
    left -= before[i];
  }
  s[step] = strengths[0];
  left = (V){0} + (REAL)1;
  for (int64_t f = 0; f < SIZE(0); f++) r[f] = none;
  for (int64_t i = step; i >= 0; i--) {
    const V *v = (const V *)(instruction->operand[2].base + i * instruction->operand[2].stride);
    V open = SELECT(left > 0, left, none);
    c[i] = SELECT(s[i] < open, s[i], open);
    left -= s[i];
    for (int64_t f = 0; f < SIZE(0); f++) r[f] += c[i] * v[f];
  }
}

// Derivatives, with ds' turned into ds in place. An entry that is read in part, 0 < c < s', has
// c = 1 - A', one that is removed in part, 0 < s' < s, has s' = s + A - d:
//
//     dc(i) = dr . v(i),   dv(i) += c(i) dr
//     ds'(i) += dc(i) where c = s',   ds'(i) -= dc of the entries below that are read in part
//     ds(i) = ds'(i) where s' > 0, and ds' of the entries below that are removed in part
//     dd = - ds' of the entries that are removed in part,   du = ds'(t)
//
// dv of all entries stands in a history of its own, complete for the entry of this step.
//   operand 0 dr (m), 1 v of step 0, 2 s', 3 c, 4 ds, 5 dv history of step 0, 6 du and dd or null,
//     7 dv (m) or null
//   size 0 m, 1 add to du and dd, 2 add to dv
KERNEL(stratified_stack_backward) {
  const V *dr = (const V *)OPERAND(0), *s = (const V *)OPERAND(2), *c = (const V *)OPERAND(3);
  const V *before = (const V *)((const char *)s - instruction->operand[2].stride);
  V *ds = (V *)OPERAND(4);
  V read = {0}, removed = {0}, none = {0};
  int64_t m = SIZE(0);
  for (int64_t i = 0; i <= step; i++) {
    const V *v = (const V *)(instruction->operand[1].base + i * instruction->operand[1].stride);
    V *dv = (V *)(instruction->operand[5].base + i * instruction->operand[5].stride), dc = {0};
    for (int64_t f = 0; f < m; f++) {
      dc += dr[f] * v[f];
      dv[f] += c[i] * dr[f];
    }
    V after = ds[i] + SELECT(c[i] == s[i], dc, none) - read;
    read += SELECT((c[i] > 0) & (c[i] < s[i]), dc, none);
    if (i == step) {
      ds[i] = after;
      continue;
    }
    after = SELECT(s[i] > 0, after, none);
    ds[i] = after + removed;
    removed += SELECT((s[i] > 0) & (s[i] < before[i]), after, none);
  }
  if (instruction->operand[6].base) {
    V *d = (V *)OPERAND(6);
    d[0] = SIZE(1) ? d[0] + ds[step] : ds[step];
    d[1] = SIZE(1) ? d[1] - removed : -removed;
  }
  if (instruction->operand[7].base) {
    V *d = (V *)OPERAND(7);
    const V *dv = (const V *)OPERAND(5);
    for (int64_t f = 0; f < m; f++) d[f] = SIZE(2) ? d[f] + dv[f] : dv[f];
  }
}
