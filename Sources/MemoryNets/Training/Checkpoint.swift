import Foundation

/// The state of a training at one step: named arrays, to be written to a file.
///
/// The file format is described in `docs/checkpoint-format.md`.
package struct Checkpoint {
  package static let formatVersion = 2

  /// The trial's identity, 32 lower-case hexadecimal digits.
  package let identity: String
  package let step: Int
  package let precision: Precision
  package private(set) var sections: [Section]

  package init(identity: String, step: Int, precision: Precision, sections: [Section] = []) {
    precondition(
      identity.utf8.count == 32 && UInt64(identity.prefix(16), radix: 16) != nil
        && UInt64(identity.suffix(16), radix: 16) != nil, "\(identity) is no identity")
    self.identity = identity
    self.step = step
    self.precision = precision
    self.sections = sections
  }

  package mutating func append(_ section: Section) {
    sections.append(section)
  }

  package func section(named name: String) -> Section? {
    sections.first { $0.name == name }
  }
}

extension Checkpoint {
  /// The type of a section's elements; the raw value is that of the file.
  package enum ElementType: UInt8, Sendable {
    case byte = 1
    case float = 2
    case double = 3

    package init(_ precision: Precision) {
      self = precision == .float ? .float : .double
    }

    package var size: Int {
      switch self {
      case .byte: 1
      case .float: 4
      case .double: 8
      }
    }
  }

  /// A named array.
  ///
  /// Its memory belongs to `owner` and must not change before it is written.
  package struct Section {
    package let name: String
    package let type: ElementType
    package let shape: [Int]
    package let bytes: UnsafeRawBufferPointer
    private let owner: AnyObject

    package init(
      _ name: String, _ type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer,
      owner: AnyObject
    ) {
      precondition(bytes.count == shape.reduce(type.size, *), "\(bytes.count) bytes for \(shape)")
      self.name = name
      self.type = type
      self.shape = shape
      self.bytes = bytes
      self.owner = owner
    }

    /// A section with a copy of `bytes`.
    package init(_ name: String, copying bytes: some Collection<UInt8>) {
      let storage = Storage(byteCount: bytes.count)
      storage.bytes.copyBytes(from: bytes)
      self.init(
        name, .byte, shape: [bytes.count], bytes: UnsafeRawBufferPointer(storage.bytes),
        owner: storage)
    }

    /// A section with `value` as JSON, keys in ascending order.
    package init(_ name: String, json value: some Encodable) {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      guard let data = try? encoder.encode(value) else {
        preconditionFailure("\(name) holds what JSON cannot say")
      }
      self.init(name, copying: data)
    }

    /// The value of a section of JSON; nil when it is something else.
    package func json<Value: Decodable>(_ type: Value.Type) -> Value? {
      try? JSONDecoder().decode(type, from: Data(bytes))
    }
  }

  /// Memory of a section that nobody else owns.
  package final class Storage {
    package let bytes: UnsafeMutableRawBufferPointer

    package init(byteCount: Int) {
      bytes = .allocate(byteCount: byteCount, alignment: 64)
    }

    deinit { bytes.deallocate() }
  }
}

/// The names, groups and places of a model's parameters within the flat weights of a checkpoint.
package struct ParameterLayout: Codable, Hashable, Sendable {
  package struct Entry: Codable, Hashable, Sendable {
    package let name: String
    package let group: ParameterGroup
    package let shape: [Int]
    package let offset: Int
  }

  package let parameters: [Entry]

  package init(_ parameters: ParameterStore) {
    self.parameters = parameters.views.map {
      Entry(name: $0.name, group: $0.group, shape: $0.shape, offset: $0.offset)
    }
  }
}
