import CKernels

/// Q = exp(S), S skew with the parameter above its diagonal: an orthogonal matrix, once a batch.
///
///     dS = L(S^T, dQ),   da_ij += dS_ij - dS_ji
///
/// with L(X, E) the derivative of exp at X in the direction E. Lezcano-Casado and Martinez-Rubio 2019,
/// arXiv:1901.08428.
struct Rotation: DerivedWeight {
  let size: Int

  func forward(_ weight: Address, of source: Address, _ plan: PlanBuilder) {
    plan.emitBatchStart(\.rotation, [weight, source, room(matrices: 3, plan)], sizes: [size])
  }

  func backward(
    _ gradient: Address, of source: Address, to sourceGradient: Address, _ plan: PlanBuilder
  ) {
    plan.emitGradientEnd(
      \.rotation_backward, [sourceGradient, gradient, source, room(matrices: 6, plan)],
      sizes: [size])
  }

  private func room(matrices: Int, _ plan: PlanBuilder) -> Address {
    plan.roomForCall(matrices * size * size + size * Int(MS_LANES))
  }
}
