// Every kernel that an instruction can name, by the file that holds it.
#pragma once
#define MS_KERNELS(X)                                                                          \
  /* elementwise.h */                                                                          \
  X(fill) X(clear) X(copy) X(add) X(affine) X(scale) X(multiply)                               \
  X(relu) X(relu_backward) X(tanh) X(tanh_backward) X(sigmoid) X(sigmoid_backward)             \
  X(exp) X(exp_backward) X(log) X(log_backward) X(softplus) X(softplus_backward)               \
  X(elu_plus_one) X(elu_plus_one_backward) X(sqrt) X(sqrt_backward)                            \
  X(reciprocal) X(reciprocal_backward) X(maximum) X(maximum_backward)                          \
  X(dropout) X(mod_relu) X(mod_relu_backward)                                                  \
  /* scalar.h */                                                                               \
  X(scalar_multiply) X(inner_product) X(feature_sum) X(broadcast)                              \
  /* softmax.h */                                                                              \
  X(softmax) X(softmax_backward)                                                               \
  /* steps.h */                                                                                \
  X(clock) X(keep)                                                                             \
  /* linear.h */                                                                               \
  X(linear) X(pack_weights) X(linear_packed) X(linear_gradient)                                \
  X(bias) X(bias_gradient) X(reduce_lanes) X(pack_narrow) X(linear_narrow)                     \
  /* table.h */                                                                                \
  X(matrix_product) X(matrix_transpose) X(sum_of_rows)                                         \
  /* weights.h */                                                                              \
  X(rotation) X(rotation_backward) X(orthogonal_penalty) X(drop_weights)                       \
  X(drop_weights_backward) X(weight_exponential) X(weight_exponential_backward)                \
  /* gain.h */                                                                                 \
  X(gain) X(gain_gradient)                                                                     \
  /* layer_norm.h */                                                                           \
  X(layer_norm) X(layer_norm_backward)                                                         \
  /* input.h */                                                                                \
  X(load_features) X(load_one_hot) X(lookup) X(lookup_gradient)                                \
  X(drawn_row) X(drawn_row_gradient)                                                           \
  /* matrix_memory.h */                                                                        \
  X(matrix_update) X(matrix_write) X(matrix_read) X(matrix_read_transposed)                    \
  X(kronecker)                                                                                 \
  /* matrix_memory_backward.h */                                                               \
  X(matrix_write_backward) X(matrix_carry_backward)                                            \
  /* symmetric_solve.h */                                                                      \
  X(symmetric_solve) X(symmetric_solve_backward)                                               \
  /* selective_scan.h */                                                                       \
  X(selective_scan) X(selective_scan_backward)                                                 \
  /* history_memory.h */                                                                       \
  X(history_read) X(history_read_backward) X(history_gather)                                   \
  /* tensor_history.h */                                                                       \
  X(history_decay) X(history_decay_backward) X(tensor_read) X(tensor_read_backward)            \
  /* superposition_stack.h */                                                                  \
  X(superposition_push_pop) X(superposition_push_pop_backward)                                 \
  /* stratified_stack.h */                                                                     \
  X(stratified_stack) X(stratified_stack_backward)                                             \
  /* nondeterministic_stack.h */                                                               \
  X(nondeterministic_read) X(nondeterministic_update)                                          \
  /* nondeterministic_stack_backward.h */                                                      \
  X(nondeterministic_clear) X(nondeterministic_read_backward)                                  \
  X(nondeterministic_update_backward)                                                          \
  /* flat.h */                                                                                 \
  X(flatten) X(unflatten) X(flat_product) X(flat_gradient)                                     \
  /* shards.h */                                                                               \
  X(shard_bias_gradient) X(shard_lookup_gradient)                                              \
  /* softmax_readout.h */                                                                      \
  X(softmax_readout) X(softmax_readout_loss)                                                   \
  /* softmax_readout_backward.h */                                                             \
  X(softmax_readout_backward)                                                                  \
  /* loss.h */                                                                                 \
  X(softmax_loss) X(sigmoid_loss) X(squared_loss)
