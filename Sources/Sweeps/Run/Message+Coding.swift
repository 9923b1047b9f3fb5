import MPI

extension ToWorker {
  package var encoded: [UInt8] {
    switch self {
    case .lease(let version, let keep, let new):
      var writer = ByteWriter(reserving: 32 + 2 * keep.count + 512 * new.count)
      writer.write(byte: 0)
      writer.write(version)
      writer.write(leases: keep)
      writer.write(new) { writer, assignment in
        writer.write(assignment.lease)
        writer.write(assignment.attempt)
        writer.write(assignment.trial)
        writer.write(assignment.team) { $0.write($1) }
      }
      return writer.bytes
    case .stop: return [1]
    case .goodbye(let finalizes): return [2, finalizes ? 1 : 0]
    }
  }

  package init(decoding bytes: [UInt8]) throws(MessageError) {
    var reader = ByteReader(bytes)
    let kind = try reader.byte()
    switch kind {
    case 0:
      let version = try reader.integer()
      let keep = try reader.leases()
      let new = try reader.list { (reader) throws(MessageError) in
        Assignment(
          lease: try reader.unsigned(), attempt: try reader.integer(), trial: try reader.trial(),
          team: try reader.list { (reader) throws(MessageError) in try reader.integer() })
      }
      self = .lease(version: version, keep: keep, new: new)
    case 1: self = .stop
    case 2: self = .goodbye(finalizes: try reader.boolean())
    default: throw .unknownKind(kind)
    }
    try reader.expectEnd()
  }
}

extension FromWorker {
  package var encoded: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .beat(let seen, let holding, let progress):
      writer.write(byte: 0)
      writer.write(seen)
      writer.write(leases: holding)
      writer.write(progress) { writer, progress in
        writer.write(progress.step)
        writer.write(progress.totalSteps)
        writer.write(progress.metric) { $0.write($1) }
      }
    case .outcomes(let outcomes):
      writer.write(byte: 1)
      writer.write(outcomes) { $0.write($1) }
    case .left: writer.write(byte: 2)
    }
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(MessageError) {
    var reader = ByteReader(bytes)
    let kind = try reader.byte()
    switch kind {
    case 0:
      let seen = try reader.integer()
      let holding = try reader.leases()
      let progress = try reader.optional { (reader) throws(MessageError) in
        TrialProgress(
          step: try reader.integer(), totalSteps: try reader.integer(),
          metric: try reader.optional { (reader) throws(MessageError) in try reader.number() })
      }
      self = .beat(seen: seen, holding: holding, progress: progress)
    case 1:
      self = .outcomes(
        try reader.list { (reader) throws(MessageError) in try reader.outcome() })
    case 2: self = .left
    default: throw .unknownKind(kind)
    }
    try reader.expectEnd()
  }
}

extension ByteWriter {
  /// Ascending lease numbers take a byte each: they are written as differences.
  fileprivate mutating func write(leases: [LeaseNumber]) {
    var previous: LeaseNumber = 0
    write(leases) { writer, lease in
      writer.write(lease &- previous)
      previous = lease
    }
  }

  fileprivate mutating func write(_ outcome: Outcome) {
    write(outcome.lease)
    write(outcome.elapsedSeconds)
    switch outcome.end {
    case .finished(let result):
      write(byte: 0)
      write(result)
    case .preempted(let step):
      write(byte: 1)
      write(step)
    case .abandoned: write(byte: 2)
    case .yielded(let step):
      write(byte: 3)
      write(step)
    case .followed: write(byte: 4)
    case .broken(let step, let reason):
      write(byte: 5)
      write(step)
      write(reason)
    }
  }
}

extension ByteReader {
  fileprivate mutating func leases() throws(MessageError) -> [LeaseNumber] {
    var previous: LeaseNumber = 0
    return try list { (reader) throws(MessageError) in
      previous &+= try reader.unsigned()
      return previous
    }
  }

  fileprivate mutating func outcome() throws(MessageError) -> Outcome {
    let lease = try unsigned()
    let elapsed = try number()
    let kind = try byte()
    switch kind {
    case 0: return Outcome(lease: lease, elapsedSeconds: elapsed, end: .finished(try result()))
    case 1:
      return Outcome(lease: lease, elapsedSeconds: elapsed, end: .preempted(step: try integer()))
    case 2: return Outcome(lease: lease, elapsedSeconds: elapsed, end: .abandoned)
    case 3:
      return Outcome(lease: lease, elapsedSeconds: elapsed, end: .yielded(step: try integer()))
    case 4: return Outcome(lease: lease, elapsedSeconds: elapsed, end: .followed)
    case 5:
      return Outcome(
        lease: lease, elapsedSeconds: elapsed,
        end: .broken(step: try integer(), reason: try text()))
    default: throw .unknownKind(kind)
    }
  }
}
