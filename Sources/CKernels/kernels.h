// One element type at one instruction level. The order is that of the files' dependencies.
typedef REAL NAME(lanes) __attribute__((vector_size(MS_LANES * sizeof(REAL)), aligned(sizeof(REAL))));
#define V NAME(lanes)
#define OPERAND(i) (instruction->operand[i].base + step * instruction->operand[i].stride)
#define KERNEL(n)                                                                     \
  static void NAME(n)(const ms_instruction *instruction, const ms_context *context, \
                      int64_t step)

#include "elementwise.h"
#include "optimizer.h"

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
    .sgd = NAME(sgd),
    .rmsprop = NAME(rmsprop),
    .adam = NAME(adam),
};

#undef V
#undef OPERAND
#undef KERNEL
