import CKernels

/// A part of what is minimised that depends on a parameter alone, alpha |W W^T - I|_F^2.
///
///     dW += 4 alpha (W W^T - I) W
///
/// It is in the gradient of every batch and not in the loss that is reported.
struct OrthogonalPenalty {
  let weight: ParameterID
  let alpha: Double

  func emit(_ plan: PlanBuilder) {
    let shape = plan.graph.parameters[weight].shape
    let (rows, columns) = (shape[0], shape[1])
    plan.emitGradientEnd(
      \.orthogonal_penalty,
      [
        plan.parameterGradient(weight), plan.parameter(weight),
        plan.roomForCall(rows * rows + max(rows, columns) * Int(MS_LANES)),
      ], sizes: [rows, columns], scalars: [alpha])
  }
}
