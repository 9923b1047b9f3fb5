/// Makes a set of options from values that have been checked against its schema.
struct OptionDecoder: Decoder {
  let values: OptionDictionary
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(OptionValueContainer(values: values))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    throw unusable("options are a struct of named properties")
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    throw unusable("options are a struct of named properties")
  }
}

private struct OptionValueContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let values: OptionDictionary
  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { values.keys.compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool { values[snakeCase(key.stringValue)] != nil }

  func decodeNil(forKey key: Key) -> Bool { !contains(key) }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    let name = snakeCase(key.stringValue)
    guard let value = values[name] else { throw unusable("\(name) is missing") }
    return try decodeValue(value, as: type)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    throw unusable("options are flat")
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    throw unusable("options are flat")
  }

  func superDecoder() throws -> any Decoder { throw unusable("options have no superclass") }

  func superDecoder(forKey key: Key) throws -> any Decoder {
    throw unusable("options have no superclass")
  }
}

/// One value: a number, a word or a list of these.
private struct OptionValueDecoder: Decoder, SingleValueDecodingContainer {
  let value: OptionValue
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    throw unusable("options are flat")
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .list(let values) = value else { throw unusable("\(value.text) is not a list") }
    return OptionListContainer(values: values)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { false }

  func decode<T: Decodable>(_ type: T.Type) throws -> T { try decodeValue(value, as: type) }
}

private struct OptionListContainer: UnkeyedDecodingContainer {
  let values: [OptionValue]
  var currentIndex = 0
  var codingPath: [any CodingKey] { [] }
  var count: Int? { values.count }
  var isAtEnd: Bool { currentIndex == values.count }

  init(values: [OptionValue]) { self.values = values }

  mutating func decodeNil() -> Bool { false }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    guard !isAtEnd else { throw unusable("the list is too short") }
    defer { currentIndex += 1 }
    return try decodeValue(values[currentIndex], as: type)
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    throw unusable("options are flat")
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    throw unusable("lists hold no lists")
  }

  mutating func superDecoder() throws -> any Decoder {
    throw unusable("options have no superclass")
  }
}

private func decodeValue<T: Decodable>(_ value: OptionValue, as type: T.Type) throws -> T {
  let plain: Any? =
    switch value {
    case .integer(let x): T.self == Double.self ? Double(x) : x
    case .number(let x): x
    case .boolean(let x): x
    case .string(let x): x
    case .list: nil
    }
  if let plain = plain as? T { return plain }
  if ([Int.self, Double.self, Bool.self, String.self] as [Any.Type]).contains(where: {
    $0 == T.self
  }) {
    throw unusable("\(value.text) is not \(T.self)")
  }
  return try T(from: OptionValueDecoder(value: value))
}

private func unusable(_ problem: String) -> DecodingError {
  .dataCorrupted(.init(codingPath: [], debugDescription: problem))
}
