/// The number format of a model's weights, activations and gradients.
package enum Precision: String, Codable, CaseIterable, Sendable {
  case float, double

  package var size: Int { self == .float ? 4 : 8 }
}

/// The part of a model that a parameter belongs to; freezing is by group.
package enum ParameterGroup: String, Codable, CaseIterable, Sendable {
  case embedding, controller, memory, readout
}

/// One named parameter within the flat buffers.
package struct ParameterView: Hashable, Sendable {
  /// `layer0.W_x`, `readout.W`, `embedding`.
  package let name: String
  package let group: ParameterGroup
  /// Row-major.
  package let shape: [Int]
  /// The first element, counted in elements from the start of the buffer.
  package let offset: Int
  /// What the learning rate is multiplied by.
  package let rate: Double
  /// Whether weight decay acts on it.
  package let isDecayed: Bool
  package var count: Int { shape.reduce(1, *) }

  package init(
    name: String, group: ParameterGroup, shape: [Int], offset: Int, rate: Double = 1,
    isDecayed: Bool = true
  ) {
    self.name = name
    self.group = group
    self.shape = shape
    self.offset = offset
    self.rate = rate
    self.isDecayed = isDecayed
  }
}

/// A model's parameters and their gradients, each one flat buffer with named views.
///
/// Owns both buffers, but for gradients in a room of others. Elements are Float or Double by `precision`; hot code hands the raw
/// pointers to kernels, everything else reads through `doubles`.
package final class ParameterStore {
  package let precision: Precision
  package let views: [ParameterView]
  package let count: Int
  /// Elements of the gradients: after those of the parameters there may be some of what is computed of
  /// them.
  package let gradientCount: Int
  package let values: UnsafeMutableRawPointer
  package let gradients: UnsafeMutableRawPointer
  /// The tables of which a batch touches some rows only; the gradient of the others is zero.
  package private(set) var touchedRows: [TouchedRows] = []
  private let ownsGradients: Bool

  /// `gradientRoom` has room for `gradientCount` elements, by default as many as there are parameters,
  /// and outlives the store; by default the store makes its own.
  package init(
    precision: Precision, views: [ParameterView], gradientCount: Int? = nil,
    gradientRoom: UnsafeMutableRawPointer? = nil
  ) {
    self.precision = precision
    self.views = views
    count = views.reduce(0) { $0 + $1.count }
    self.gradientCount = gradientCount ?? count
    let bytes = max(count, 1) * precision.size
    values = .allocate(byteCount: bytes, alignment: 64)
    values.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    let gradientBytes = max(self.gradientCount, 1) * precision.size
    ownsGradients = gradientRoom == nil
    gradients = gradientRoom ?? .allocate(byteCount: gradientBytes, alignment: 64)
    gradients.initializeMemory(as: UInt8.self, repeating: 0, count: gradientBytes)
  }

  deinit {
    values.deallocate()
    if ownsGradients { gradients.deallocate() }
  }

  /// Keeps the gradients of lookups as those of touched rows, from all zero on: of tables that are
  /// used for nothing else, and in rooms apart from the other gradients of their tables.
  func keepTouchedRows(of names: [String], rooms: [Plan.LookupRoom] = []) {
    touchedRows =
      names.compactMap { view(named: $0).map { TouchedRows($0) } }
      + rooms.compactMap { room in view(named: room.table).map { TouchedRows($0, room: room) } }
  }

  /// Adds the gradients of lookups that stand apart to those of their tables.
  func addLookups(_ kernels: Kernels) {
    for table in touchedRows {
      guard let sum = table.sum else { continue }
      table.forEach { row in
        kernels.table.pointee.add_to(
          gradients + (sum + row.lowerBound - table.range.lowerBound) * precision.size,
          gradients + row.lowerBound * precision.size, Int64(row.count))
      }
    }
  }

  /// Makes all gradients zero, for the same batch again.
  func clearGradients() { forEachGradientRange(clear) }

  private func clear(_ range: Range<Int>) {
    (gradients + range.lowerBound * precision.size).initializeMemory(
      as: UInt8.self, repeating: 0, count: range.count * precision.size)
  }

  /// Makes all gradients zero but for some that are to be written, for a batch that looks up the rows
  /// of `tokens`.
  func clearGradients(tokens: UnsafeMutableBufferPointer<Int32>, except written: [Range<Int>]) {
    forEachGradientRange { $0.forEachPiece(without: written, clear) }
    for table in touchedRows { table.touch(tokens) }
  }

  /// Gives the ranges, ascending, that hold all gradients other than zero.
  func forEachGradientRange(_ body: (Range<Int>) -> Void) {
    var start = 0
    for table in touchedRows {
      if start < table.range.lowerBound { body(start..<table.range.lowerBound) }
      table.forEach(body)
      start = table.range.upperBound
    }
    if start < gradientCount { body(start..<gradientCount) }
  }

  package func view(named name: String) -> ParameterView? {
    views.first { $0.name == name }
  }

  /// Overwrites all parameters by `weights`, as a checkpoint has them.
  package func load(_ weights: UnsafeRawBufferPointer) {
    precondition(weights.count == count * precision.size, "\(weights.count) bytes of weights")
    UnsafeMutableRawBufferPointer(start: values, count: weights.count).copyMemory(from: weights)
  }

  /// A copy of one parameter, or of its gradient, as Double.
  package func doubles(_ view: ParameterView, gradient: Bool = false) -> [Double] {
    let base = gradient ? gradients : values
    return (view.offset..<view.offset + view.count).map { i in
      switch precision {
      case .float: Double(base.load(fromByteOffset: i * 4, as: Float.self))
      case .double: base.load(fromByteOffset: i * 8, as: Double.self)
      }
    }
  }

  /// Overwrites one parameter; `numbers` has the view's count.
  package func set(_ view: ParameterView, to numbers: [Double]) {
    precondition(numbers.count == view.count, "\(numbers.count) numbers for \(view.shape)")
    for (i, x) in numbers.enumerated() {
      switch precision {
      case .float:
        values.storeBytes(of: Float(x), toByteOffset: (view.offset + i) * 4, as: Float.self)
      case .double: values.storeBytes(of: x, toByteOffset: (view.offset + i) * 8, as: Double.self)
      }
    }
  }
}
