import CKernels

/// Changes the weights of a `ParameterStore` by its gradients, one update after another.
///
/// Moments lie in flat buffers like the parameters. Parameters of frozen groups are not touched,
/// and their gradients do not count in the norm.
package final class Optimizer {
  package let options: TrainOptions
  /// Updates done.
  package private(set) var updates = 0
  /// The moments by name, each with as many elements as there are parameters.
  ///
  /// They are saved with a checkpoint and overwritten to restore one, see `restore(updates:)`.
  package let moments: [(name: String, bytes: UnsafeMutableRawBufferPointer)]

  private let parameters: ParameterStore
  private let kernels: UnsafePointer<ms_kernels>
  /// The contiguous ranges of trained parameters, in elements, but for those of `tables`, each with
  /// what the learning rate is multiplied by and whether weight decay acts on it.
  private let trained: [(range: Range<Int>, rate: Double, isDecayed: Bool)]
  /// The trained tables of which a batch touches some rows.
  private let tables: [TouchedRows]

  package init(_ options: TrainOptions, parameters: ParameterStore, kernels: Kernels) {
    self.options = options
    self.parameters = parameters
    self.kernels = kernels.table
    let views = parameters.views.filter { !options.freeze.contains($0.group) && $0.count > 0 }
    tables = parameters.touchedRows.filter { table in
      views.contains { $0.offset == table.range.lowerBound }
    }
    let offsets = tables.map(\.range.lowerBound)
    trained = Self.ranges(views.filter { !offsets.contains($0.offset) })
    let bytes = parameters.count * parameters.precision.size
    moments = Self.momentNames(options).map { name in
      let moment = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(bytes, 1), alignment: 64)
      moment.initializeMemory(as: UInt8.self, repeating: 0)
      return (name, UnsafeMutableRawBufferPointer(rebasing: moment[..<bytes]))
    }
  }

  deinit {
    for moment in moments { moment.bytes.baseAddress?.deallocate() }
  }

  /// Goes on as after `updates` updates, with the moments as they now are.
  package func restore(updates: Int) {
    self.updates = updates
  }

  /// Forgets all updates.
  package func startAnew() {
    updates = 0
    for moment in moments { moment.bytes.initializeMemory(as: UInt8.self, repeating: 0) }
  }

  /// Clips the gradients and changes the weights by them; returns the norm of the gradients before
  /// clipping by norm.
  ///
  /// When that is not finite, weights and moments are as they were.
  package func update(learningRate: Double) -> Double {
    let denormals = ms_flush_denormals()
    defer { ms_restore_denormals(denormals) }
    let size = parameters.precision.size
    if options.clipValue > 0 {
      var isFinite = true
      forEachGradient { range in
        let gradients = parameters.gradients + range.lowerBound * size
        guard isFinite && kernels.pointee.all_finite(gradients, Int64(range.count)) != 0 else {
          isFinite = false
          return
        }
        kernels.pointee.clamp(gradients, Int64(range.count), options.clipValue)
      }
      guard isFinite else { return .nan }
    }
    var squares = 0.0
    forEachGradient { range in
      squares += kernels.pointee.sum_of_squares(
        parameters.gradients + range.lowerBound * size, Int64(range.count))
    }
    let norm = squares.squareRoot()
    guard norm.isFinite else { return norm }

    updates += 1
    var update = ms_update()
    update.learning_rate = learningRate
    update.epsilon = options.epsilon
    update.gradient_scale =
      options.clipNorm > 0 && norm > options.clipNorm ? options.clipNorm / norm : 1
    update.nesterov = options.nesterov ? 1 : 0
    update.decoupled = options.decoupled ? 1 : 0
    switch options.optimizer {
    case .sgd: update.beta1 = options.momentum
    case .rmsprop:
      update.beta1 = options.momentum
      update.beta2 = options.smoothing
    case .adam:
      update.beta1 = options.beta1
      update.beta2 = options.beta2
      update.correction1 = 1 - power(options.beta1, updates)
      update.correction2 = 1 - power(options.beta2, updates)
    }
    for (range, rate, isDecayed) in trained {
      update.learning_rate = learningRate * rate
      update.weight_decay = isDecayed ? options.weightDecay : 0
      apply(&update, to: range)
    }
    update.learning_rate = learningRate
    update.weight_decay = options.weightDecay
    for table in tables {
      if movesGradientsOnly {
        table.forEach { apply(&update, to: $0) }
      } else {
        apply(&update, to: table.range)
      }
    }
    return norm
  }

  /// Whether a weight without a gradient stays as it is.
  private var movesGradientsOnly: Bool {
    options.optimizer == .sgd && options.momentum == 0 && options.weightDecay == 0
  }

  /// The ranges that hold all gradients other than zero.
  private func forEachGradient(_ body: (Range<Int>) -> Void) {
    for part in trained { body(part.range) }
    for table in tables { table.forEach(body) }
  }

  private func apply(_ update: inout ms_update, to range: Range<Int>) {
    let offset = range.lowerBound * parameters.precision.size
    func moment(_ name: String) -> UnsafeMutableRawPointer? {
      moments.first { $0.name == name }?.bytes.baseAddress.map { $0 + offset }
    }
    update.values = parameters.values + offset
    update.gradients = parameters.gradients + offset
    update.first = moment("first")
    update.second = moment("second")
    update.third = moment("third")
    update.count = Int64(range.count)
    switch options.optimizer {
    case .sgd: kernels.pointee.sgd(&update)
    case .rmsprop: kernels.pointee.rmsprop(&update)
    case .adam: kernels.pointee.adam(&update)
    }
  }

  /// The moments that an optimiser has.
  static func momentNames(_ options: TrainOptions) -> [String] {
    let first = options.momentum > 0 ? ["first"] : []
    switch options.optimizer {
    case .sgd: return first
    case .rmsprop: return first + ["second"] + (options.centered ? ["third"] : [])
    case .adam: return ["first", "second"]
    }
  }

  /// The elements of `views`, neighbours joined that are trained alike.
  private static func ranges(
    _ views: [ParameterView]
  ) -> [(range: Range<Int>, rate: Double, isDecayed: Bool)] {
    var ranges: [(range: Range<Int>, rate: Double, isDecayed: Bool)] = []
    for view in views.sorted(by: { $0.offset < $1.offset }) {
      let end = view.offset + view.count
      if let last = ranges.last, last.range.upperBound == view.offset, last.rate == view.rate,
        last.isDecayed == view.isDecayed
      {
        ranges[ranges.count - 1].range = last.range.lowerBound..<end
      } else {
        ranges.append((view.offset..<end, view.rate, view.isDecayed))
      }
    }
    return ranges
  }
}
