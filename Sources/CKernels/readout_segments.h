// The classes of a read-out in segments, each of which is worked on for itself: its statistics and its
// share of dx begin anew, and those of all segments are put together in order. So it makes no
// difference who works on which.
//
// Without shards all classes are one segment. With shards there are as many as ranks of a node need to
// share the work evenly: each brings x, classes and weights of its rows to a room that all of them see,
// and whoever is free takes the next segment, for all rows. A rank writes to its own room only, and takes
// segments of its own team: one that comes back late spoils nothing.

typedef struct {
  int64_t first, count;  // classes
  const char *x;         // (k) of all rows
  int64_t x_stride;
  char *e;               // (count) exponentials
  int64_t e_stride;
  char *statistics;      // MS_READOUT_STATISTICS, then one a part
  int64_t statistics_stride;
} NAME(segment);

#define SEGMENTS(context) ((context)->shards ? MS_READOUT_SEGMENTS : 1)

// The first class of segment s of n classes.
static inline int64_t NAME(segment_start)(int64_t s, int64_t n, const ms_context *context) {
  if (!context->shards) return s ? n : 0;
  int64_t start = ms_readout_part(s, n) * MS_READOUT_PART;
  return start < n ? start : n;
}

static inline ms_readout_room NAME(room_of)(int64_t n, int64_t k, const ms_context *all) {
  return ms_readout_room_of(all->steps, n, k, sizeof(REAL));
}

// Of the rank that has taken a segment.
static inline char *NAME(room_of_taker)(int32_t taker, const ms_joint *joint) {
  return joint->room + joint->distances[taker / MS_READOUT_SEGMENTS];
}

// Segment s of n classes with k inputs; x, e and statistics are the operands of a rank on its own.
static NAME(segment) NAME(segment_of)(int64_t s, int64_t n, int64_t k, ms_operand x, ms_operand e,
                                      ms_operand statistics, const ms_context *all) {
  NAME(segment) segment;
  segment.first = NAME(segment_start)(s, n, all);
  segment.count = NAME(segment_start)(s + 1, n, all) - segment.first;
  if (all->joint) {
    ms_readout_room room = NAME(room_of)(n, k, all);
    int32_t taker = all->joint->taker[OUTPUTS][s];
    segment.x = all->joint->room + room.x;
    segment.x_stride = k * sizeof(V);
    segment.statistics = NAME(room_of_taker)(taker, all->joint) + room.outputs +
                         taker % MS_READOUT_SEGMENTS * room.output;
    segment.statistics_stride = room.row_statistics;
    segment.e = segment.statistics + room.exponentials;
    segment.e_stride = segment.count * sizeof(V);
    return segment;
  }
  // The statistics of all rows come first.
  int64_t before = (s + 1) * MS_READOUT_STATISTICS + segment.first / MS_READOUT_PART;
  segment.x = x.base;
  segment.x_stride = x.stride;
  segment.statistics = statistics.base + before * sizeof(V);
  segment.statistics_stride = statistics.stride;
  segment.e = e.base + segment.first * sizeof(V);
  segment.e_stride = e.stride;
  return segment;
}

// The share of dx (k), row after row, of a segment that ranks work on together.
static V *NAME(share_of)(int64_t s, int64_t n, int64_t k, const ms_context *all) {
  ms_readout_room room = NAME(room_of)(n, k, all);
  int32_t taker = all->joint->taker[GRADIENTS][s];
  return (V *)(NAME(room_of_taker)(taker, all->joint) + room.shares +
               taker % MS_READOUT_SEGMENTS * room.share);
}

// The rows of all ranks that work together, or those of a rank on its own.
static ms_context NAME(all_rows)(int64_t n, int64_t k, const ms_context *context) {
  ms_context all = *context;
  if (!context->joint) return all;
  all.parts = context->joint->parts;
  int64_t rows = all.parts * NAME(batch_rows)(context);
  all.steps = (rows + MS_LANES - 1) / MS_LANES;
  all.lanes = rows - (all.steps - 1) * MS_LANES;
  all.shards *= all.parts;
  ms_readout_room room = NAME(room_of)(n, k, &all);
  all.classes = (const int32_t *)(context->joint->room + room.classes);
  all.weights = (const float *)(context->joint->room + room.weights);
  return all;
}

// The lanes of vector v of all rows that belong to a part of them.
typedef struct { int64_t first, last, row; } NAME(lanes_of_part);

static inline NAME(lanes_of_part) NAME(part_of_vector)(int64_t v, int64_t part,
                                                       const ms_context *all) {
  int64_t of_part = NAME(batch_rows)(all) / all->parts;
  int64_t first = part * of_part - v * MS_LANES, last = first + of_part;
  NAME(lanes_of_part) lanes;
  lanes.first = first > 0 ? first : 0;
  lanes.last = last < MS_LANES ? last : MS_LANES;
  lanes.row = lanes.first - first;
  return lanes;
}

// Brings this rank's rows and takes those of the others; 0 where the ranks cannot go on.
static int NAME(bring_rows)(ms_operand x, int64_t n, int64_t k, const ms_context *context,
                            const ms_context *all) {
  ms_joint *joint = context->joint;
  ms_readout_room room = NAME(room_of)(n, k, all);
  int64_t rows = NAME(batch_rows)(context), first = joint->index * rows;
  int64_t stride = k * sizeof(V), bytes = rows * sizeof(int32_t);
  char *own = joint->room;
  memset(own + room.x + (all->steps - 1) * stride, 0, stride);
  for (int64_t v = 0; v < context->steps; v++)
    NAME(move_rows)(own + room.x, stride, first + v * MS_LANES, (const V *)(x.base + v * x.stride), k,
                    0, NAME(rows_of_vector)(v, context), 0);
  memcpy(own + room.classes + joint->index * bytes, context->classes, bytes);
  memcpy(own + room.weights + joint->index * bytes, context->weights, bytes);
  if (!joint->meet(joint->team)) return 0;
  for (int64_t part = 0; part < joint->parts; part++) {
    if (part == joint->index) continue;
    const char *other = own + joint->distances[part];
    for (int64_t v = part * rows / MS_LANES; v * MS_LANES < (part + 1) * rows; v++) {
      NAME(lanes_of_part) lanes = NAME(part_of_vector)(v, part, all);
      NAME(move_lanes)((V *)(own + room.x + v * stride), (const V *)(other + room.x + v * stride), 0,
                       k, lanes.first, lanes.last, 0);
    }
    memcpy(own + room.classes + part * bytes, other + room.classes + part * bytes, bytes);
    memcpy(own + room.weights + part * bytes, other + room.weights + part * bytes, bytes);
  }
  return 1;
}

// Moves this rank's lanes of vector v of all rows to where it has its own rows.
static inline __attribute__((always_inline)) void NAME(keep_own)(
    ms_operand d, const V *source, int64_t n, int64_t v, int add, const ms_context *all) {
  NAME(lanes_of_part) lanes = NAME(part_of_vector)(v, all->joint->index, all);
  NAME(move_rows)(d.base, d.stride, lanes.row, source, n, lanes.first, lanes.last, add);
}

// What this rank says of its segments: the phase, and the slot where it has what belongs to one.
static inline int64_t *NAME(taken_of)(char *room, int64_t kind) {
  return (int64_t *)room + kind * MS_READOUT_SEGMENTS;
}

// Of the outputs or the gradients, the segment after `last` of those that nobody works on yet.
static int64_t NAME(next_segment)(int64_t last, int64_t kind, const ms_context *context) {
  ms_joint *joint = context->joint;
  if (!joint) return last + 1;
  if (last < 0) joint->phase++, joint->slots = 0;
  uint64_t seen = __atomic_load_n(joint->next, __ATOMIC_RELAXED), then;
  do {
    // Another team has the room now.
    if (seen >> 32 != joint->serial) return MS_READOUT_SEGMENTS;
    then = joint->serial << 32 | (uint32_t)(seen + 1);
  } while (!__atomic_compare_exchange_n(joint->next, &seen, then, 0, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
  // In every phase before each rank has asked for one that there was not.
  int64_t before = (joint->phase - 1) * (MS_READOUT_SEGMENTS + joint->parts);
  int64_t s = (uint32_t)(seen - (uint64_t)before);
  if (s < MS_READOUT_SEGMENTS) {
    NAME(taken_of)(joint->room, kind)[s] = joint->phase * MS_READOUT_SEGMENTS + joint->slots;
    joint->taker[kind][s] = (int32_t)(joint->index * MS_READOUT_SEGMENTS + joint->slots++);
  }
  return s;
}

// Waits until all segments are done; 0 where the ranks cannot go on.
static int NAME(end_segments)(int64_t kind, const ms_context *context) {
  ms_joint *joint = context->joint;
  if (!joint) return 1;
  if (!joint->meet(joint->team)) return 0;
  for (int64_t part = 0; part < joint->parts; part++) {
    const int64_t *taken = NAME(taken_of)(joint->room + joint->distances[part], kind);
    for (int64_t s = 0; s < MS_READOUT_SEGMENTS; s++)
      if (taken[s] / MS_READOUT_SEGMENTS == joint->phase)
        joint->taker[kind][s] =
            (int32_t)(part * MS_READOUT_SEGMENTS + taken[s] % MS_READOUT_SEGMENTS);
  }
  return 1;
}
