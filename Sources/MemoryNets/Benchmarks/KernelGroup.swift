import CKernels

/// What a kernel is for, by which the time of a step is shown.
package enum KernelGroup: String, CaseIterable, Sendable {
  /// Weights times vectors, forward and backward.
  case product
  case weightGradient = "weight_gradient"
  case norm
  case activation
  case memory
  /// Weights that are computed of others once a batch, and what penalties give.
  case derivedWeight = "derived_weight"
  /// Tokens and embeddings, and what is made of them once a batch.
  case input
  case elementwise
  case loss
  /// Clearing, clipping and update.
  case optimizer

  /// The group of a kernel; elementwise where no other.
  static func of(_ kernel: Plan.Kernel) -> KernelGroup {
    switch kernel {
    case \.linear, \.linear_packed, \.linear_narrow, \.pack_narrow, \.pack_weights, \.flat_product,
      \.softmax_readout,
      \.softmax_readout_backward:
      .product
    case \.linear_gradient, \.flat_gradient, \.bias_gradient, \.gain_gradient,
      \.shard_bias_gradient:
      .weightGradient
    case \.layer_norm, \.layer_norm_backward, \.reduce_lanes, \.gain: .norm
    case \.relu, \.relu_backward, \.tanh, \.tanh_backward, \.sigmoid, \.sigmoid_backward,
      \.exp, \.exp_backward, \.log, \.log_backward, \.softplus, \.softplus_backward,
      \.elu_plus_one, \.elu_plus_one_backward, \.sqrt, \.sqrt_backward, \.reciprocal,
      \.reciprocal_backward, \.softmax, \.softmax_backward, \.dropout, \.mod_relu,
      \.mod_relu_backward:
      .activation
    case \.matrix_update, \.matrix_write, \.matrix_write_backward, \.matrix_read,
      \.matrix_read_transposed, \.matrix_carry_backward, \.history_read, \.history_read_backward,
      \.history_gather, \.kronecker, \.symmetric_solve, \.symmetric_solve_backward,
      \.selective_scan, \.selective_scan_backward, \.history_decay, \.history_decay_backward,
      \.tensor_read, \.tensor_read_backward, \.superposition_push_pop,
      \.superposition_push_pop_backward, \.stratified_stack, \.stratified_stack_backward,
      \.nondeterministic_read, \.nondeterministic_update, \.nondeterministic_clear,
      \.nondeterministic_read_backward, \.nondeterministic_update_backward:
      .memory
    case \.rotation, \.rotation_backward, \.orthogonal_penalty, \.drop_weights,
      \.drop_weights_backward, \.weight_exponential, \.weight_exponential_backward:
      .derivedWeight
    case \.load_features, \.load_one_hot, \.lookup, \.lookup_gradient, \.shard_lookup_gradient,
      \.drawn_row, \.drawn_row_gradient, \.matrix_product, \.matrix_transpose, \.sum_of_rows:
      .input
    case \.softmax_loss, \.softmax_readout_loss, \.sigmoid_loss, \.squared_loss: .loss
    default: .elementwise
    }
  }
}
