import CKernels

/// The mean of the weights over updates, which can take their place.
///
/// Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992. From when on it is
/// taken is the trainer's business.
package final class WeightAverage {
  /// The mean, or while it is shown the weights themselves.
  let storage: Checkpoint.Storage
  /// Updates that the mean is over.
  private(set) var count = 0
  /// Whether updates are counted.
  private(set) var isBegun = false

  private var isShown = false
  private let parameters: ParameterStore
  private let kernels: UnsafePointer<ms_kernels>

  init(_ parameters: ParameterStore, kernels: Kernels) {
    self.parameters = parameters
    self.kernels = kernels.table
    storage = Checkpoint.Storage(byteCount: parameters.bytes.count)
    storage.bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// The weights as training has them.
  var weights: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(isShown ? storage.bytes : parameters.bytes)
  }

  /// The mean.
  var mean: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(isShown ? parameters.bytes : storage.bytes)
  }

  /// Counts updates from now on; without effect where it has been begun.
  func begin() {
    guard !isBegun else { return }
    isBegun = true
    storage.bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// Takes the weights into the mean, once it is begun.
  func add() {
    guard isBegun else { return }
    precondition(!isShown, "the weights are not in their place")
    count += 1
    kernels.pointee.approach(
      storage.bytes.baseAddress, parameters.values, Int64(parameters.count), 1 / Double(count))
  }

  /// Goes on with the mean over `count` updates that stands in `storage`; nil where none is begun.
  func restore(count: Int?) {
    self.count = count ?? 0
    (isBegun, isShown) = (count != nil, false)
  }

  /// Puts the mean in the parameters' place, if there is one.
  func show() {
    guard count > 0, !isShown else { return }
    exchange()
    isShown = true
  }

  /// Puts the weights back.
  func hide() {
    guard isShown else { return }
    exchange()
    isShown = false
  }

  /// Forgets the mean; what stands in the parameters stays.
  func end() {
    count = 0
    (isBegun, isShown) = (false, false)
  }

  private func exchange() {
    let (a, b) = (parameters.bytes, storage.bytes)
    for i in a.indices { (a[i], b[i]) = (b[i], a[i]) }
  }
}
