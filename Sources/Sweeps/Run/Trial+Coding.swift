import MemoryNets

/// How deep a list of options may nest within lists.
private let deepestList = 16

extension ByteWriter {
  package mutating func write(_ trial: Trial) {
    write(trial.identity.high)
    write(trial.identity.low)
    write(trial.method)
    write(trial.parameters) { writer, parameter in
      writer.write(parameter.path)
      writer.write(parameter.value)
    }
    write(trial.configuration)
    write(trial.ranks)
  }

  package mutating func write(_ configuration: TrialConfiguration) {
    write(configuration.task)
    write(configuration.model)
    write(configuration.train)
    write(configuration.seed)
    var vary: UInt8 = 0
    for (i, purpose) in SeedPurpose.allCases.enumerated() where configuration.vary.contains(purpose)
    { vary |= 1 << UInt8(i) }
    write(byte: vary)
    write(configuration.metric.name)
    write(configuration.metric.direction == .maximize)
    write(configuration.metric.target) { $0.write($1) }
    write(configuration.metric.stopsAtTarget)
    write(configuration.sharing)
  }

  private mutating func write(_ sharing: GradientSharing) {
    write(sharing.shards)
    write(sharing.reduction == .fast)
    write(sharing.gradients == .bfloat16)
    write(sharing.ranks)
  }

  package mutating func write(_ options: OptionDictionary) {
    write(options) { writer, option in
      writer.write(option.key)
      writer.write(option.value)
    }
  }

  package mutating func write(_ value: OptionValue) {
    switch value {
    case .integer(let integer):
      write(byte: 0)
      write(integer)
    case .number(let number):
      write(byte: 1)
      write(number)
    case .boolean(let boolean):
      write(byte: 2)
      write(boolean)
    case .string(let text):
      write(byte: 3)
      write(text)
    case .list(let values):
      write(byte: 4)
      write(values) { $0.write($1) }
    }
  }

  package mutating func write(_ result: TrialResult) {
    write(byte: UInt8(TrialStatus.allCases.firstIndex(of: result.status) ?? 0))
    write(result.steps)
    write(points: result.metrics)
    write(points: result.history)
    write(result.stepsToTarget) { $0.write($1) }
    write(result.reason) { $0.write($1) }
    write(result.parameterCount)
    write(result.stateSize)
    write(result.seconds)
    write(result.secondsToTarget) { $0.write($1) }
    write(result.startedAt)
    write(result.finishedAt)
    write(result.host)
    write(result.rank)
    write(result.attempt)
  }

  private mutating func write(points: [MetricPoint]) {
    write(points) { writer, point in
      writer.write(point.step)
      writer.write(point.name)
      writer.write(point.value)
    }
  }
}

extension ByteReader {
  package mutating func trial() throws(MessageError) -> Trial {
    Trial(
      identity: TrialIdentity(high: try unsigned(), low: try unsigned()), method: try text(),
      parameters: try list { (reader) throws(MessageError) in
        TrialParameter(path: try reader.text(), value: try reader.optionValue())
      },
      configuration: try configuration(), ranks: try integer())
  }

  package mutating func configuration() throws(MessageError) -> TrialConfiguration {
    let task = try options()
    let model = try options()
    let train = try options()
    let seed = try integer()
    let bits = try byte()
    guard bits < 1 << UInt8(SeedPurpose.allCases.count) else { throw .numberOutOfRange }
    var vary: Set<SeedPurpose> = []
    for (i, purpose) in SeedPurpose.allCases.enumerated() where bits & 1 << UInt8(i) != 0 {
      vary.insert(purpose)
    }
    let metric = MetricGoal(
      name: try text(), direction: try boolean() ? .maximize : .minimize,
      target: try optional { (reader) throws(MessageError) in try reader.number() },
      stopsAtTarget: try boolean())
    return TrialConfiguration(
      task: task, model: model, train: train, seed: seed, vary: vary, metric: metric,
      sharing: try sharing())
  }

  private mutating func sharing() throws(MessageError) -> GradientSharing {
    GradientSharing(
      shards: try integer(), reduction: try boolean() ? .fast : .reproducible,
      gradients: try boolean() ? .bfloat16 : .exact, ranks: try integer())
  }

  package mutating func options() throws(MessageError) -> OptionDictionary {
    let pairs = try list { (reader) throws(MessageError) in
      (try reader.text(), try reader.optionValue())
    }
    return OptionDictionary(pairs) { _, last in last }
  }

  package mutating func optionValue(depth: Int = 0) throws(MessageError) -> OptionValue {
    guard depth <= deepestList else { throw .tooDeep }
    let kind = try byte()
    switch kind {
    case 0: return .integer(try integer())
    case 1: return .number(try number())
    case 2: return .boolean(try boolean())
    case 3: return .string(try text())
    case 4:
      return .list(
        try list { (reader) throws(MessageError) in try reader.optionValue(depth: depth + 1) })
    default: throw .unknownKind(kind)
    }
  }

  package mutating func result() throws(MessageError) -> TrialResult {
    let status = Int(try byte())
    guard TrialStatus.allCases.indices.contains(status) else { throw .numberOutOfRange }
    var result = TrialResult(status: TrialStatus.allCases[status], steps: try integer())
    result.metrics = try points()
    result.history = try points()
    result.stepsToTarget = try optional { (reader) throws(MessageError) in try reader.integer() }
    result.reason = try optional { (reader) throws(MessageError) in try reader.text() }
    result.parameterCount = try integer()
    result.stateSize = try integer()
    result.seconds = try number()
    result.secondsToTarget = try optional { (reader) throws(MessageError) in try reader.number() }
    result.startedAt = try number()
    result.finishedAt = try number()
    result.host = try text()
    result.rank = try integer()
    result.attempt = try integer()
    return result
  }

  private mutating func points() throws(MessageError) -> [MetricPoint] {
    try list { (reader) throws(MessageError) in
      MetricPoint(step: try reader.integer(), name: try reader.text(), value: try reader.number())
    }
  }
}
