// The backward pass of a read-out, by (2) of softmax_readout.h:
//
//     dW += dy x^T,   db += dy,   dx (+)= W^T dy

// dy of `count` classes of a segment from g on, for vector v of all rows.
static inline __attribute__((always_inline)) void NAME(output_gradient)(
    V *restrict d, const NAME(segment) *segment, int64_t v, V largest, V factor, int64_t g,
    int64_t count, const ms_context *all) {
  const V *statistics = (const V *)(segment->statistics + v * segment->statistics_stride);
  const int64_t before = g - segment->first;
  const V *e = (const V *)(segment->e + v * segment->e_stride) + before;
  for (int64_t f = 0, end; f < count; f = end) {
    int64_t part = (before + f) / MS_READOUT_PART;
    end = (part + 1) * MS_READOUT_PART - before;
    if (end > count) end = count;
    V scale = NAME(exp_lanes)(PART_LARGEST(part) - largest) * factor;
    for (int64_t i = f; i < end; i++) d[i] = e[i] * scale;
  }
  for (int64_t lane = 0; lane < NAME(rows_of_vector)(v, all); lane++) {
    int64_t row = v * MS_LANES + lane, class = all->classes[row] - g;
    if (class >= 0 && class < count) d[class][lane] -= (REAL)(all->weights[row] * all->loss_scale);
  }
}

// What the backward passes of all segments need, and room that they use one after the other.
typedef struct {
  V *x_columns;
  V *largest, *factor;  // a vector of rows
  V *sums, *dy, *blocks, *inputs, *panels;
  V *share;             // of dx, where segments have no room for it
  int64_t group, sums_count;
} NAME(readout_scratch);

// Whether dy of a group is kept for all rows: the matrix unit's sums by shards take them at once.
#define IS_KEPT(context) (TILES && (context)->shards)

// Classes of a segment whose dy exists at a time.
static int64_t NAME(gradient_group)(int64_t count, int64_t most) {
  int64_t groups = (count + most - 1) / most;
  int64_t even = (count + groups - 1) / groups;
  even = (even + MS_TILE_DEPTH - 1) / MS_TILE_DEPTH * MS_TILE_DEPTH;
  return even < most ? even : most;
}

static NAME(readout_scratch) NAME(cut_scratch)(V *room, int64_t n, int64_t k, const ms_context *all) {
  NAME(readout_scratch) scratch;
  int64_t vectors = all->steps, shards = all->shards, together = 1 + PAIRS;
  int64_t group = NAME(class_group)(k, all);
  if (group > MS_FLAT_CLASSES) group = MS_FLAT_CLASSES;
  if (group > n) group = n;
  scratch.group = group;
  scratch.sums_count = shards ? (group + MS_LANES - 1) / MS_LANES * shards : group;
  scratch.x_columns = room;
  scratch.largest = room + NAME(column_elements)(k, all) / MS_LANES;
  scratch.factor = scratch.largest + vectors;
  scratch.share = scratch.factor + vectors;
  scratch.sums = scratch.share + (shards && !all->joint ? vectors * k : 0);
  scratch.dy = scratch.sums + scratch.sums_count;
  scratch.blocks = scratch.dy + group * (IS_KEPT(all) ? vectors : together);
  scratch.inputs = scratch.blocks + NAME(block_elements)(group, all) / MS_LANES;
  scratch.panels = scratch.inputs + together * NAME(input_elements)(group, 0) / MS_LANES;
  return scratch;
}

// dW and db (+)= those of a segment, which ranks that work together write rather than add, and
// dx (+)= its share, `dx_stride` bytes from vector to vector.
static void NAME(segment_gradients)(const NAME(segment) *segment, const NAME(readout_scratch) *scratch,
                                    const REAL *w, REAL *dw, REAL *db, char *dx, int64_t dx_stride,
                                    int add, int64_t k, const ms_context *all) {
  int64_t vectors = all->steps, together = 1 + PAIRS, shards = all->shards;
  int64_t end = segment->first + segment->count;
  int64_t group = SEGMENTS(all) > 1 ? NAME(gradient_group)(segment->count, scratch->group)
                                    : scratch->group;
  V *sums = scratch->sums;
  for (int64_t g = segment->first; g < end; g += group) {
    int64_t count = end - g < group ? end - g : group, stride = count * sizeof(V);
    if (dx) NAME(weight_panels)((REAL *)scratch->panels, w + g * k, k, count, 1, k, 0);
    memset(sums, 0, scratch->sums_count * sizeof(V));
    for (int64_t v = 0; v < vectors; v += together) {
      int64_t some = vectors - v < together ? vectors - v : together;
      V *d = scratch->dy + (IS_KEPT(all) ? v * count : 0);
      for (int64_t i = v; i < v + some; i++) {
        V *di = d + (i - v) * count;
        NAME(output_gradient)(di, segment, i, scratch->largest[i], scratch->factor[i], g, count, all);
        for (int64_t f = 0; db && f < count && !shards; f++) sums[f] += di[f];
        for (int64_t f = 0; db && f < count && shards; f += MS_LANES)
          NAME(add_to_shards)(sums + f / MS_LANES * shards, di + f, count - f, i * MS_LANES, all);
      }
      if (dx) {
        NAME(input_panels)((REAL *)scratch->inputs, (const char *)d, stride, some, count, 0);
        NAME(multiply_group)(dx + v * dx_stride, dx_stride, (const char *)d, stride,
                             (const REAL *)scratch->inputs, some, (const REAL *)scratch->panels, k,
                             count, 0, add || g > segment->first);
      }
      if (!IS_KEPT(all))
        NAME(gradient_panels)(scratch->blocks, (const char *)d, stride, v, some, count,
                              scratch->x_columns, all);
    }
    if (IS_KEPT(all))
      NAME(gradient_panels)(scratch->blocks, (const char *)scratch->dy, stride, 0, vectors, count,
                            scratch->x_columns, all);
    NAME(outer_group)(dw + g * k, scratch->blocks, scratch->x_columns, count, k, !all->joint,
                      all);
    for (int64_t f = 0; db && f < count && !shards; f++)
      db[g + f] += NAME(sum_of_lanes)(sums[f]);
    for (int64_t f = 0; db && f < count && shards; f += MS_LANES)
      NAME(take_part)(db + g + f, NAME(shard_sum)(sums + f / MS_LANES * shards, shards), count - f,
                      !all->joint);
  }
}

// dx (+)= a segment's share of it, for this rank's rows of all.
static void NAME(take_share)(ms_operand dx, const V *share, int64_t k, int add,
                             const ms_context *all) {
  for (int64_t v = 0; v < all->steps; v++, share += k) {
    V *d = (V *)(dx.base + v * dx.stride);
    if (all->joint)
      NAME(keep_own)(dx, share, k, v, add, all);
    else
      for (int64_t f = 0; f < k; f++) d[f] += share[f];
  }
}

// Gradients of a segment, from the rank that has taken it.
static void NAME(take_gradients)(REAL *gradients, int64_t count, int32_t taker,
                                 const ms_joint *joint) {
  int64_t part = taker / MS_READOUT_SEGMENTS;
  if (part != joint->index)
    memcpy(gradients, (char *)gradients + joint->distances[part], count * sizeof(REAL));
}

//   operand 0 dx or null, 1 x (k), 2 e (n), 3 statistics, 4 W (n, k), 5 dW, 6 db or null,
//   7 scratch: columns of all rows, two vectors a vector, a segment's share of dx, and of a group sums,
//   dy, its panels twice and those of W
//   size 0 n, 1 k, 2 add to dx
KERNEL(softmax_readout_backward) {
  const REAL *w = (const REAL *)instruction->operand[4].base;
  REAL *dw = (REAL *)instruction->operand[5].base, *db = (REAL *)instruction->operand[6].base;
  ms_operand dx = instruction->operand[0], x = instruction->operand[1];
  ms_operand e = instruction->operand[2], results = instruction->operand[3];
  int64_t n = SIZE(0), k = SIZE(1), add = SIZE(2);
  const ms_context all = NAME(all_rows)(n, k, context);
  int64_t segments = SEGMENTS(&all), vectors = all.steps;
  NAME(readout_scratch)
  scratch = NAME(cut_scratch)((V *)instruction->operand[7].base, n, k, &all);
  int is_ready = 0;
  for (int64_t s = -1; (s = NAME(next_segment)(s, GRADIENTS, &all)) < segments;) {
    NAME(segment) segment = NAME(segment_of)(s, n, k, x, e, results, &all);
    if (segment.count == 0) continue;
    if (!is_ready) {
      NAME(columns_of_rows)(scratch.x_columns, segment.x, segment.x_stride, k, &all);
      for (int64_t v = 0; v < vectors; v++) {
        V statistics[MS_READOUT_STATISTICS], scale = {0};
        NAME(join_segments)(statistics, v, n, k, x, e, results, &all);
        for (int64_t lane = 0; lane < NAME(rows_of_vector)(v, &all); lane++)
          scale[lane] = (REAL)(all.weights[v * MS_LANES + lane] * all.loss_scale);
        scratch.largest[v] = LARGEST;
        scratch.factor[v] = scale / SUM;
      }
      is_ready = 1;
    }
    V *share = all.joint ? NAME(share_of)(s, n, k, &all) : scratch.share;
    if (segments == 1 || (!all.joint && segment.first == 0 && !add)) {
      NAME(segment_gradients)(&segment, &scratch, w, dw, db, dx.base, dx.stride, (int)add, k, &all);
    } else {
      NAME(segment_gradients)(&segment, &scratch, w, dw, db, dx.base ? (char *)share : 0,
                              k * sizeof(V), 0, k, &all);
      if (dx.base && !all.joint) NAME(take_share)(dx, share, k, 1, &all);
    }
  }
  if (!all.joint || !NAME(end_segments)(GRADIENTS, context)) return;
  for (int64_t s = 0; s < segments; s++) {
    NAME(segment) segment = NAME(segment_of)(s, n, k, x, e, results, &all);
    if (segment.count == 0) continue;
    int32_t taker = all.joint->taker[GRADIENTS][s];
    if (dx.base)
      NAME(take_share)(dx, NAME(share_of)(s, n, k, &all), k, add || segment.first > 0, &all);
    NAME(take_gradients)(dw + segment.first * k, segment.count * k, taker, all.joint);
    if (db) NAME(take_gradients)(db + segment.first, segment.count, taker, all.joint);
  }
}

#undef LARGEST
#undef SUM
#undef BEST
#undef TARGET
#undef PART_LARGEST
#undef SEGMENTS
#undef IS_KEPT
