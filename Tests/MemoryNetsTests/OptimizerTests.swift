import CKernels
import Foundation
import MemoryNets
import Testing

@Suite struct OptimizerTests {
  struct Reference: Decodable {
    let learningRate: Double
    let weights: [Double]
    let gradients: [[Double]]
    let cases: [Case]

    struct Case: Decodable {
      let options: TrainOptions
      let weights: [[Double]]

      enum CodingKeys: CodingKey { case options, weights }

      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        weights = try container.decode([[Double]].self, forKey: .weights)
        let given = try container.decode(Given.self, forKey: .options)
        options = given.options
      }
    }

    /// The options of a case over the defaults.
    struct Given: Decodable {
      var optimizer: OptimizerKind
      var momentum, beta1, beta2, epsilon, smoothing: Double?
      var clipNorm, clipValue, weightDecay: Double?
      var nesterov, centered, decoupled: Bool?

      var options: TrainOptions {
        var options = TrainOptions()
        options.optimizer = optimizer
        if let momentum { options.momentum = momentum }
        if let beta1 { options.beta1 = beta1 }
        if let beta2 { options.beta2 = beta2 }
        if let epsilon { options.epsilon = epsilon }
        if let smoothing { options.smoothing = smoothing }
        if let clipNorm { options.clipNorm = clipNorm }
        if let clipValue { options.clipValue = clipValue }
        if let weightDecay { options.weightDecay = weightDecay }
        if let nesterov { options.nesterov = nesterov }
        if let centered { options.centered = centered }
        if let decoupled { options.decoupled = decoupled }
        return options
      }
    }
  }

  static func reference() throws -> Reference {
    let url = try #require(
      Bundle.module.url(
        forResource: "optimizers", withExtension: "json", subdirectory: "Fixtures/optimizers"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Reference.self, from: Data(contentsOf: url))
  }

  /// Weight decay alone, without a gradient, on the first and the last of three parameters.
  @Test(arguments: OptimizerKind.allCases, [false, true])
  func exemptParametersDoNotDecay(kind: OptimizerKind, decoupled: Bool) {
    var options = TrainOptions()
    (options.optimizer, options.decoupled, options.weightDecay) = (kind, decoupled, 0.1)
    let store = ParameterStore(
      precision: .double,
      views: [true, false, true].enumerated().map { i, isDecayed in
        ParameterView(
          name: "w\(i)", group: .controller, shape: [3], offset: 3 * i, isDecayed: isDecayed)
      })
    for view in store.views { store.set(view, to: [1, -2, 3]) }
    let optimizer = Optimizer(options, parameters: store, kernels: Kernels(.best, .double))
    for _ in 0..<3 { _ = optimizer.update(learningRate: 0.01) }
    let after = store.views.map { store.doubles($0) }
    #expect(after[1] == [1, -2, 3])
    #expect(after[0] == after[2] && zip(after[0], [1, -2, 3]).allSatisfy { abs($0) < abs($1) })
  }

  /// What the sources of the cells mark so.
  @Test func cellsExemptWhatTheirSourcesExempt() throws {
    func exempt(_ cell: String) throws -> [String] {
      let kind = try #require(CellRegistry.kind(named: cell))
      let probe = CellProbe(
        cell: kind.make(kind.defaults), inputSize: 2, steps: 1, batch: 1, precision: .double)
      return probe.parameters.views.filter { !$0.isDecayed }.map(\.name).sorted()
    }
    #expect(try exempt("mamba") == ["A_log", "D"])
    #expect(try exempt("gated_delta_net") == ["A_log", "dt_bias"])
    #expect(try exempt("mesa") == ["lambda"])
    #expect(try exempt("lstm") == [])
  }

  static func store(_ weights: [Double], _ precision: Precision = .double) -> ParameterStore {
    let store = ParameterStore(
      precision: precision,
      views: [ParameterView(name: "w", group: .controller, shape: [weights.count], offset: 0)])
    store.set(store.views[0], to: weights)
    return store
  }

  @Test(arguments: InstructionSet.available, Precision.allCases)
  func updatesAgreeWithTheReferenceFormulas(level: InstructionSet, precision: Precision) throws {
    let reference = try Self.reference()
    #expect(reference.cases.count == 12)
    let tolerance = precision == .double ? 1e-12 : 1e-5
    for example in reference.cases {
      #expect(example.options.validate() == [])
      let store = Self.store(reference.weights, precision)
      let optimizer = Optimizer(
        example.options, parameters: store, kernels: Kernels(level, precision))
      for (gradient, expected) in zip(reference.gradients, example.weights) {
        store.setGradients(gradient)
        #expect(optimizer.update(learningRate: reference.learningRate).isFinite)
        let error = zip(store.doubles(store.views[0]), expected).map { abs($0 - $1) }.max() ?? 1
        #expect(error < tolerance, "\(example.options.optimizer) \(error)")
      }
      #expect(optimizer.updates == reference.gradients.count)
    }
  }

  @Test(arguments: OptimizerKind.allCases)
  func frozenGroupsKeepTheirBitsAndDoNotCountInTheNorm(kind: OptimizerKind) {
    var options = TrainOptions()
    options.optimizer = kind
    options.freeze = [.memory]
    options.weightDecay = 0.1
    options.clipNorm = 1
    let groups: [ParameterGroup] = [.embedding, .memory, .controller, .readout]
    let store = ParameterStore(
      precision: .float,
      views: groups.enumerated().map {
        ParameterView(name: "p\($0)", group: $1, shape: [5], offset: 5 * $0)
      })
    for view in store.views { store.set(view, to: [1, 2, 3, 4, 5]) }
    let optimizer = Optimizer(options, parameters: store, kernels: Kernels(.best, .float))
    // Three trained groups of five elements of 2: the norm is the root of 60.
    store.setGradients(
      groups.flatMap { Array(repeating: $0 == .memory ? Double.nan : 2, count: 5) })
    #expect(optimizer.update(learningRate: 0.1) == 60.0.squareRoot())
    for view in store.views {
      let isUnchanged = store.doubles(view) == [1, 2, 3, 4, 5]
      #expect(isUnchanged == (view.group == .memory), "\(view.group)")
    }
    for moment in optimizer.moments {
      #expect(moment.bytes[20..<40].allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity], [0.0, 1.0])
  func aGradientThatIsNotFiniteLeavesEverythingAsItWas(bad: Double, clipValue: Double) {
    var options = TrainOptions()
    options.clipValue = clipValue
    let store = Self.store(Array(repeating: 1, count: 21))
    let optimizer = Optimizer(options, parameters: store, kernels: Kernels(.best, .double))
    for place in [0, 15, 16, 20] {
      var gradient = Array(repeating: 0.5, count: 21)
      gradient[place] = bad
      store.setGradients(gradient)
      #expect(!optimizer.update(learningRate: 1).isFinite)
      #expect(store.doubles(store.views[0]) == Array(repeating: 1, count: 21))
      #expect(optimizer.updates == 0)
      #expect(optimizer.moments.allSatisfy { $0.bytes.allSatisfy { $0 == 0 } })
    }
  }

  /// Neither the address nor what stands beside a range changes its result.
  @Test(arguments: InstructionSet.available, Precision.allCases)
  func sumsDoNotDependOnTheAddress(level: InstructionSet, precision: Precision) {
    let kernels = Kernels(level, precision).table.pointee
    var random = PhiloxStream(key: PhiloxKey(3), stream: 0)
    for count in [0, 1, 15, 16, 17, 100, 1000] {
      let numbers = (0..<count).map { _ in random.normal() }
      let exact = numbers.reduce(0) { $0 + $1 * $1 }
      var sums: Set<Double> = []
      for shift in 0..<4 {
        let memory = UnsafeMutableRawBufferPointer.allocate(
          byteCount: (count + 8) * precision.size, alignment: 64)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0xff)
        memory.store(numbers, at: shift, precision)
        let start = memory.baseAddress! + shift * precision.size
        let sum = kernels.sum_of_squares(start, Int64(count))
        #expect(abs(sum - exact) <= 1e-6 * exact)
        #expect(kernels.all_finite(start, Int64(count)) == 1)
        sums.insert(sum)
        if count > 0 {
          memory.store([.infinity], at: shift + count - 1, precision)
          #expect(kernels.all_finite(start, Int64(count)) == 0)
        }
      }
      #expect(sums.count == 1, "\(count) numbers: \(sums)")
    }
  }

  @Test(arguments: InstructionSet.available, Precision.allCases)
  func clampAndAddTouchTheirRangeAlone(level: InstructionSet, precision: Precision) {
    let kernels = Kernels(level, precision).table.pointee
    for count in [0, 1, 16, 37] {
      let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 40 * precision.size, alignment: 64)
      defer { memory.deallocate() }
      let numbers = (0..<40).map { Double($0) - 20 }
      memory.store(numbers, at: 0, precision)
      let ones = Array(repeating: 1.0, count: 40)
      let other = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 40 * precision.size, alignment: 64)
      defer { other.deallocate() }
      other.store(ones, at: 0, precision)
      kernels.clamp(memory.baseAddress! + precision.size, Int64(count), 5)
      kernels.add_to(
        memory.baseAddress! + precision.size, other.baseAddress!, Int64(count))
      let expected = numbers.enumerated().map { i, x in
        1...max(1, count) ~= i && count > 0 ? min(5, max(-5, x)) + 1 : x
      }
      #expect(memory.doubles(precision) == expected)
    }
  }

  @Test func restoredMomentsGoOnBitForBit() throws {
    let reference = try Self.reference()
    var options = TrainOptions()
    options.clipNorm = 1
    let kernels = Kernels(.best, .double)
    let whole = Self.store(reference.weights)
    let optimizer = Optimizer(options, parameters: whole, kernels: kernels)
    for gradient in reference.gradients[..<2] {
      whole.setGradients(gradient)
      _ = optimizer.update(learningRate: 0.1)
    }
    let second = Self.store(whole.doubles(whole.views[0]))
    let resumed = Optimizer(options, parameters: second, kernels: kernels)
    for (to, from) in zip(resumed.moments, optimizer.moments) {
      to.bytes.copyMemory(from: UnsafeRawBufferPointer(from.bytes))
    }
    resumed.restore(updates: 2)
    for gradient in reference.gradients[2...] {
      for (store, optimizer) in [(whole, optimizer), (second, resumed)] {
        store.setGradients(gradient)
        _ = optimizer.update(learningRate: 0.1)
      }
    }
    #expect(whole.doubles(whole.views[0]) == second.doubles(second.views[0]))
  }

  @Test func optionsOutOfRangeAreNamed() {
    var options = TrainOptions()
    #expect(options.validate() == [])
    options.learningRate = 0
    options.beta2 = 1
    options.microBatchSize = 129
    options.steps = 0
    options.nesterov = true
    options.freeze = ParameterGroup.allCases
    #expect(
      options.validate().map(\.option) == [
        "learning_rate", "beta2", "micro_batch_size", "steps", "nesterov", "freeze",
      ])
    #expect(options.validate()[3].problem == "is 0; at least 1 is needed")
  }
}

extension UnsafeMutableRawBufferPointer {
  func store(_ numbers: [Double], at offset: Int, _ precision: Precision) {
    for (i, x) in numbers.enumerated() {
      switch precision {
      case .float: storeBytes(of: Float(x), toByteOffset: (offset + i) * 4, as: Float.self)
      case .double: storeBytes(of: x, toByteOffset: (offset + i) * 8, as: Double.self)
      }
    }
  }

  func doubles(_ precision: Precision) -> [Double] {
    switch precision {
    case .float: bindMemory(to: Float.self).map(Double.init)
    case .double: Array(bindMemory(to: Double.self))
    }
  }
}

extension ParameterStore {
  /// Overwrites all gradients.
  func setGradients(_ numbers: [Double]) {
    precondition(numbers.count == count)
    UnsafeMutableRawBufferPointer(start: gradients, count: count * precision.size)
      .store(numbers, at: 0, precision)
  }
}
