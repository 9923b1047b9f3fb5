// What does not recur, over all rows of a batch at once. A row is a sequence at a step; row after
// row, MS_LANES a vector, step by step, they fill their vectors whatever the number of sequences.
// Here `step` counts those vectors, of which context->steps hold the batch.

// `lanes` vectors of lanes from `source`, `shift` lanes further on, into lanes first ..< last of d.
static inline __attribute__((always_inline)) void NAME(move_lanes)(
    V *restrict d, const V *restrict source, int64_t shift, int64_t n, int64_t first, int64_t last,
    int add) {
  NAME(mask) inside;
  for (int lane = 0; lane < MS_LANES; lane++) inside[lane] = lane >= first && lane < last ? -1 : 0;
  const REAL *from = (const REAL *)source - shift;
  for (int64_t f = 0; f < n; f++) {
    V x = *(const V *)(from + f * MS_LANES);
    d[f] = SELECT(inside, add ? d[f] + x : x, d[f]);
  }
}

// Lanes first ..< last of a vector to the rows from `row` on, vectors of which are `stride` bytes apart.
static inline __attribute__((always_inline)) void NAME(move_rows)(
    char *d, int64_t stride, int64_t row, const V *source, int64_t n, int64_t first, int64_t last,
    int add) {
  while (first < last) {
    int64_t lane = row % MS_LANES, room = MS_LANES - lane;
    int64_t count = last - first < room ? last - first : room;
    NAME(move_lanes)((V *)(d + row / MS_LANES * stride), source, lane - first, n, lane, lane + count,
                     add);
    row += count;
    first += count;
  }
}

// The rows of this tile at a step, to where they stand in the batch. The last rows of a batch
// clear the lanes after them.
//   operand 0 rows (n) from vector 0, 1 values of the tile (n) of step 0
//   size 0 n, 1 add, 2 whether all steps of the tile (deferred) or this one
KERNEL(flatten) {
  int64_t n = SIZE(0), lanes = context->lanes, end = context->steps * context->rows;
  int64_t to_step = SIZE(2) ? context->steps : step + 1;
  for (int64_t t = SIZE(2) ? 0 : step; t < to_step; t++) {
    const V *source = (const V *)(instruction->operand[1].base + t * instruction->operand[1].stride);
    int64_t row = t * context->rows + context->first_row, stride = instruction->operand[0].stride;
    char *rows = instruction->operand[0].base;
    NAME(move_rows)(rows, stride, row, source, n, 0, lanes, (int)SIZE(1));
    V *d = (V *)(rows + (end - 1) / MS_LANES * stride);
    if (row + lanes == end && !SIZE(1))
      for (int64_t f = 0; f < n; f++)
        for (int64_t lane = (end - 1) % MS_LANES + 1; lane < MS_LANES; lane++) d[f][lane] = 0;
  }
}

// The inverse: lanes beyond the batch are zero.
//   operand 0 values of the tile (n), 1 rows (n) from vector 0; size 0 n, 1 add
KERNEL(unflatten) {
  V *d = (V *)OPERAND(0);
  int64_t n = SIZE(0), lanes = context->lanes;
  int64_t row = step * context->rows + context->first_row, first = row % MS_LANES;
  const char *source = instruction->operand[1].base + row / MS_LANES * instruction->operand[1].stride;
  if (!SIZE(1) && lanes < MS_LANES) memset(d, 0, n * sizeof(V));
  int64_t here = first + lanes < MS_LANES ? lanes : MS_LANES - first;
  NAME(move_lanes)(d, (const V *)source, -first, n, 0, here, (int)SIZE(1));
  if (here < lanes)
    NAME(move_lanes)(d, (const V *)(source + instruction->operand[1].stride), here, n, here, lanes,
                     (int)SIZE(1));
}

#if TILES
#include "tiles.h"
#include "flat_tiles.h"
#else
#include "flat_vectors.h"
#endif

// d (+)= W x, or d = W x + b: also dx (+)= W^T dy with the strides exchanged.
//   operand 0 d (m), 1 x (k), 2 W, 3 bias or null, 4 scratch: panels of a group and of x
//   size 0 m, 1 k, 2 elements from row to row of W, 3 from column to column, 4 add
KERNEL(flat_product) {
  const REAL *w = (const REAL *)instruction->operand[2].base;
  const REAL *bias = (const REAL *)instruction->operand[3].base;
  REAL *panels = (REAL *)instruction->operand[4].base;
  int64_t m = SIZE(0), k = SIZE(1), row = SIZE(2), column = SIZE(3), depth;
  int64_t parts = (k + MS_FLAT_DEPTH - 1) / MS_FLAT_DEPTH;
  for (int64_t k0 = 0; k0 < k; k0 += depth, bias = 0) {
    depth = (k + parts - 1) / parts;
    depth = (depth + MS_TILE_DEPTH - 1) / MS_TILE_DEPTH * MS_TILE_DEPTH;
    if (depth > k - k0) depth = k - k0;
    const char *x = instruction->operand[1].base + k0 * sizeof(V);
    int64_t group = NAME(group_rows)(depth, context->steps * MS_LANES * depth);
    int64_t x_stride = instruction->operand[1].stride;
    if (group > m) group = m;
    REAL *inputs = panels + NAME(panel_elements)(group, depth);
    NAME(input_panels)(inputs, x, x_stride, context->steps, depth, bias != 0);
    for (int64_t g = 0; g < m; g += group) {
      int64_t count = m - g < group ? m - g : group;
      const REAL *b = bias ? bias + g : 0;
      NAME(weight_panels)(panels, w + g * row + k0 * column, count, depth, row, column, b);
      NAME(multiply_group)(instruction->operand[0].base + g * sizeof(V),
                           instruction->operand[0].stride, x, x_stride, inputs, context->steps,
                           panels, count, depth, b, SIZE(4) || k0 > 0);
    }
  }
}

// C += sum over rows of dy x^T: the gradient of W in y = W x.
//   operand 0 C, 1 dy (m), 2 x (k), 3 scratch: dy of a group, columns of all rows; size 0 m, 1 k
KERNEL(flat_gradient) {
  int64_t m = SIZE(0), k = SIZE(1), rows = NAME(summed_rows)(context);
  int64_t group = NAME(group_rows)(rows, rows * k);
  if (group > m) group = m;
  V *columns = (V *)instruction->operand[3].base;
  V *blocks = columns + NAME(column_elements)(k, context) / MS_LANES;
  NAME(columns_of_rows)(columns, instruction->operand[2].base, instruction->operand[2].stride, k,
                        context);
  for (int64_t g = 0; g < m; g += group) {
    int64_t count = m - g < group ? m - g : group;
    NAME(gradient_panels)(blocks, instruction->operand[1].base + g * sizeof(V),
                          instruction->operand[1].stride, 0, context->steps, count, columns,
                          context);
    NAME(outer_group)((REAL *)instruction->operand[0].base + g * k, blocks, columns, count, k,
                      1, context);
  }
}
