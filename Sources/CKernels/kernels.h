// One element type at one instruction level. The order is that of the files' dependencies.
typedef REAL NAME(lanes) __attribute__((vector_size(MS_LANES * sizeof(REAL)), aligned(sizeof(REAL))));
#define V NAME(lanes)
#define SIZE(i) instruction->size[i]
#define OPERAND(i) (instruction->operand[i].base + step * instruction->operand[i].stride)
#define KERNEL(n)                                                                     \
  static void NAME(n)(const ms_instruction *instruction,                              \
                      __attribute__((unused)) const ms_context *context,              \
                      __attribute__((unused)) int64_t step)

#define SELECT(condition, a, b) NAME(select)((condition), (a), (b))
#if IS_FLOAT
typedef int32_t NAME(mask) __attribute__((vector_size(MS_LANES * 4), aligned(4)));
#define EXP expf
#define LOG1P log1pf
#else
typedef int64_t NAME(mask) __attribute__((vector_size(MS_LANES * 8), aligned(8)));
#define EXP exp
#define LOG1P log1p
#endif

// a where the condition holds, else b.
static inline __attribute__((always_inline)) V NAME(select)(NAME(mask) condition, V a, V b) {
  return (V)((condition & (NAME(mask))a) | (~condition & (NAME(mask))b));
}

#include "functions.h"
#include "blocks.h"
#include "transpose.h"
#include "elementwise.h"
#include "scalar.h"
#include "softmax.h"
#include "steps.h"
#include "linear.h"
#include "narrow.h"
#include "table.h"
#include "weights.h"
#include "gain.h"
#include "layer_norm.h"
#include "input.h"
#include "matrix_memory.h"
#include "matrix_memory_backward.h"
#include "symmetric_solve.h"
#include "selective_scan.h"
#include "history_memory.h"
#include "tensor_history.h"
#include "superposition_stack.h"
#include "stratified_stack.h"
#include "nondeterministic_stack.h"
#include "nondeterministic_stack_backward.h"
#include "loss.h"
#include "shards.h"
#include "flat.h"
#include "readout_segments.h"
#include "softmax_readout.h"
#include "softmax_readout_backward.h"
#include "optimizer.h"
#include "shuffle.h"
#include "peak.h"

const ms_kernels NAME(ms_table) = {
    .level = LEVEL_NAME,
    .scalar_size = sizeof(REAL),
#define X(name) .name = NAME(name),
    MS_KERNELS(X)
#undef X
    .sum_of_squares = NAME(sum_of_squares),
    .all_finite = NAME(all_finite),
    .clamp = NAME(clamp),
    .add_to = NAME(add_to),
    .tree_sum = NAME(tree_sum),
    .approach = NAME(approach),
    .sgd = NAME(sgd),
    .rmsprop = NAME(rmsprop),
    .adam = NAME(adam),
    .shuffle = NAME(shuffle),
    .unshuffle = NAME(unshuffle),
    .multiply_adds = NAME(multiply_adds),
};

#undef V
#undef BLOCK
#undef BLOCKS
#undef ROWS_OF
#undef ROWS_CASE_
#undef WITH_ROWS
#undef OPERAND
#undef SIZE
#undef SELECT
#undef EXP
#undef LOG1P
#undef KERNEL
