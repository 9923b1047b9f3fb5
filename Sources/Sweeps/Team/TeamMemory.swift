import MemoryNets
import Synchronization

/// What the ranks of a block share: how far each has come, small messages, and the gradients.
///
/// A rank writes its own part only, and to the counter only while it is this team's, so that one of an
/// earlier team which comes back late spoils nothing. Words in each part say for which teams the rank
/// works and how often it has met the others; those of its last teams stay, for ranks that have not
/// yet seen the last meeting.
struct TeamMemory {
  /// Where gradients begin in a part.
  static let roomOffset = 69632
  /// Numbers that a small message holds.
  static let messageCount = 512
  /// Teams that a rank keeps the word and the messages of.
  private static let kept = 8
  private static let counterOffset = 64
  private static let messageOffset = 128
  private static let hasLeft: UInt64 = 1 << 31

  /// Of the block's ranks, in order, and the index of this rank's.
  let parts: [UnsafeMutableRawPointer]
  let index: Int
  /// The position in the team of the first of them.
  private let first: Int
  /// Tells teams apart; that of a later team is larger, or wraps around.
  let serial: UInt32
  /// Where each rank has its word for this team, once it has been seen.
  private var places: [Int?]
  private(set) var meeting: UInt64 = 0

  /// `formed` counts the teams of this rank.
  init(
    parts: [UnsafeMutableRawPointer], index: Int, first: Int, serial: UInt32, formed: Int
  ) {
    self.parts = parts
    self.index = index
    self.first = first
    self.serial = serial
    places = parts.map { _ in nil }
    places[index] = formed % Self.kept
    write(0)
  }

  private func word(_ index: Int, _ place: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    parts[index].assumingMemoryBound(to: Atomic<UInt64>.self) + place
  }

  private func write(_ value: UInt64) {
    guard let place = places[index] else { return }
    word(index, place).pointee.store(UInt64(serial) << 32 | value, ordering: .releasing)
  }

  /// A number for all ranks, in the part of the first.
  var counter: UnsafeMutablePointer<UInt64> {
    (parts[0] + Self.counterOffset).assumingMemoryBound(to: UInt64.self)
  }

  /// Leaves a message for the next meeting, of at most `messageCount` numbers.
  func say(_ numbers: ArraySlice<Double>) {
    let message = message(index, meeting + 1)
    for (i, number) in numbers.enumerated() { message[i] = number }
  }

  /// Those of two meetings in a row stand apart.
  private func message(_ index: Int, _ meeting: UInt64) -> UnsafeMutablePointer<Double> {
    let place = 2 * (places[index] ?? 0) + Int(meeting & 1)
    return (parts[index] + Self.messageOffset).assumingMemoryBound(to: Double.self)
      + place * Self.messageCount
  }

  /// Hands over the message that a rank had for the last meeting.
  func read(_ index: Int, _ body: (UnsafePointer<Double>) -> Void) throws(TeamError) {
    body(message(index, meeting))
    atomicMemoryFence(ordering: .acquiring)
    guard let place = places[index], holds(index, place) else { throw gone(index) }
  }

  /// Waits until all ranks of the block have come here as often; what they wrote before is there.
  mutating func meet(_ patience: Patience) throws(TeamError) {
    meeting += 1
    write(meeting)
    try patience.wait(missing: { others(.missing) }) { () throws(TeamError) in
      for other in parts.indices where other != index {
        if places[other] == nil { places[other] = place(of: other) }
        switch state(of: other) {
        case .there: continue
        case .missing: return false
        case .gone: throw gone(other)
        }
      }
      return true
    }
  }

  /// Tells the others that this rank comes to no more meetings.
  func leave() { write(Self.hasLeft | meeting) }

  private enum State { case there, missing, gone }

  /// Where `other` stands with respect to the last meeting.
  private func state(of other: Int) -> State {
    guard let place = places[other] else { return hasMovedOn(other) ? .gone : .missing }
    let value = word(other, place).pointee.load(ordering: .acquiring)
    guard value >> 32 == UInt64(serial) else { return .gone }
    if value & (Self.hasLeft - 1) >= meeting { return .there }
    return value & Self.hasLeft == 0 ? .missing : .gone
  }

  private func others(_ state: State) -> [Int] {
    parts.indices.filter { $0 != index && self.state(of: $0) == state }.map { first + $0 }
  }

  private func holds(_ other: Int, _ place: Int) -> Bool {
    word(other, place).pointee.load(ordering: .acquiring) >> 32 == UInt64(serial)
  }

  /// Where `other` has its word for this team; nil if it has not come yet.
  private func place(of other: Int) -> Int? {
    (0..<Self.kept).first { holds(other, $0) }
  }

  /// Whether `other` has a word for a later team.
  private func hasMovedOn(_ other: Int) -> Bool {
    (0..<Self.kept).contains { place in
      let theirs = UInt32(
        truncatingIfNeeded: word(other, place).pointee.load(ordering: .acquiring) >> 32)
      return Int32(bitPattern: theirs &- serial) > 0
    }
  }

  private func gone(_ other: Int) -> TeamError {
    let missing = others(.missing).map(String.init).joined(separator: ", ")
    return .failed(
      "rank \(first + other) of the team has left it"
        + (missing.isEmpty ? "" : "; there was no answer from \(missing)"))
  }
}
