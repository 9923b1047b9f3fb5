/// Reads names, types and values off a set of options by being its encoder.
struct OptionEncoder: Encoder {
  /// Collects the fields in the order in which they are declared.
  final class Fields {
    var all: [OptionField] = []
  }

  let fields = Fields()
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// The fields of `options`, with its values as the defaults.
  static func fields(of options: any Options) -> [OptionField] {
    let encoder = OptionEncoder()
    do {
      try options.encode(to: encoder)
    } catch {
      preconditionFailure("\(type(of: options)) cannot be encoded: \(error)")
    }
    return encoder.fields.all
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(OptionFieldContainer(fields: fields))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    preconditionFailure("options are a struct of named properties")
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    preconditionFailure("options are a struct of named properties")
  }
}

private struct OptionFieldContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let fields: OptionEncoder.Fields
  var codingPath: [any CodingKey] { [] }

  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    guard let type = optionType(of: T.self), let value = optionValue(of: value) else {
      preconditionFailure("\(key.stringValue) is a \(T.self), which an option cannot be")
    }
    fields.all.append(OptionField(name: snakeCase(key.stringValue), type: type, value: value))
  }

  func encodeNil(forKey key: Key) throws {
    preconditionFailure("\(key.stringValue) is optional; options have defaults instead")
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy keyType: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    preconditionFailure("\(key.stringValue) is nested; options are flat")
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    preconditionFailure("\(key.stringValue) is nested; options are flat")
  }

  func superEncoder() -> any Encoder { preconditionFailure("options have no superclass") }

  func superEncoder(forKey key: Key) -> any Encoder {
    preconditionFailure("options have no superclass")
  }
}

/// `hiddenSize` is `hidden_size`.
func snakeCase(_ name: String) -> String {
  var result = ""
  var previousIsLower = false
  for character in name {
    if character.isUppercase, previousIsLower { result.append("_") }
    previousIsLower = !character.isUppercase && character != "_"
    result.append(contentsOf: character.lowercased())
  }
  return result
}

/// A list with elements of one type, whatever that is.
private protocol AnyOptionList {
  static var elementType: Any.Type { get }
  var elements: [Any] { get }
}

extension Array: AnyOptionList {
  static var elementType: Any.Type { Element.self }
  var elements: [Any] { self }
}

private func optionType(of type: Any.Type) -> OptionType? {
  switch type {
  case is Int.Type: return .integer
  case is Double.Type: return .number
  case is Bool.Type: return .boolean
  case is String.Type: return .string
  case let list as any AnyOptionList.Type:
    return optionType(of: list.elementType).map(OptionType.list)
  case let choice as any CaseIterable.Type: return caseNames(choice).map(OptionType.choice)
  default: return nil
  }
}

private func caseNames<T: CaseIterable>(_ type: T.Type) -> [String]? {
  let names = type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
  return names.count == type.allCases.count ? names : nil
}

private func optionValue(of value: Any) -> OptionValue? {
  switch value {
  case let x as Int: return .integer(x)
  case let x as Double: return .number(x)
  case let x as Bool: return .boolean(x)
  case let x as String: return .string(x)
  case let list as any AnyOptionList:
    let values = list.elements.compactMap(optionValue)
    return values.count == list.elements.count ? .list(values) : nil
  case let x as any RawRepresentable: return (x.rawValue as? String).map(OptionValue.string)
  default: return nil
  }
}
