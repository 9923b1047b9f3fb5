import Foundation

/// Texts in files: as they are or packed by gzip or zstd, by themselves or in tar archives.
///
/// Read in pieces, so that memory does not grow with them.
package struct TextFiles: TextSource {
  /// Names of texts end with one of these, but for files that are named one by one.
  package static let endings = ["txt", "md", "markdown"]

  /// The paths of the files, in the order of reading.
  package let paths: [String]

  /// Files, and all texts in folders, in the order of their paths.
  package init(_ arguments: [String]) throws(TaskError) {
    var paths: [String] = []
    for argument in arguments {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else {
        throw .unusableText(
          path: argument, problem: "there is no such file or folder",
          remedy: "name files and folders of texts")
      }
      paths += isFolder.boolValue ? try Self.texts(in: argument) : [argument]
    }
    self.paths = paths
  }

  private static func texts(in folder: String) throws(TaskError) -> [String] {
    let found = FileManager.default.enumerator(atPath: folder)
    var paths: [String] = []
    while let name = found?.nextObject() as? String {
      let form = FileForm(name)
      if form.isArchive || form.isText { paths.append("\(folder)/\(name)") }
    }
    guard !paths.isEmpty else {
      throw .unreadableFile(
        path: folder,
        reason: "it holds no file that ends with .txt, .md, .markdown or .tar, packed "
          + "with gzip, zstd or not")
    }
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  package func read(_ visitor: inout some TextVisitor) throws {
    for path in paths {
      let form = FileForm(path)
      do {
        var bytes: any ByteStream = try FileBytes(path: path)
        if let compression = form.compression { bytes = compression.stream(bytes) }
        if form.isArchive {
          try read(archive: bytes, path, &visitor)
        } else {
          try visitor.begin(path)
          try read(bytes, count: .max, &visitor)
          try visitor.end()
        }
      } catch let error as ByteStreamError {
        throw error.error(of: path, source: "it can be made anew from what it holds")
      }
    }
  }

  private func read(
    archive: any ByteStream, _ path: String, _ visitor: inout some TextVisitor
  ) throws {
    let block = UnsafeMutableRawBufferPointer.allocate(
      byteCount: TarHeader.blockBytes, alignment: 16)
    defer { block.deallocate() }
    while true {
      let count = try archive.fill(block)
      if count == 0 || block[0] == 0 { return }
      guard let header = TarHeader(block), count == block.count else {
        throw ByteStreamError.damaged(problem: "it is no whole tar archive")
      }
      let form = FileForm(header.name)
      if header.isFile && form.isText && form.compression == nil {
        try visitor.begin("\(path)/\(header.name)")
        try read(archive, count: header.size, &visitor)
        try visitor.end()
        var padding = NoVisitor()
        try read(archive, count: header.paddedSize - header.size, &padding)
      } else {
        var rest = NoVisitor()
        try read(archive, count: header.paddedSize, &rest)
      }
    }
  }

  /// Hands on the next `count` bytes; all that there are where `count` is the largest number.
  private func read(
    _ bytes: any ByteStream, count: Int, _ visitor: inout some TextVisitor
  ) throws {
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { piece.deallocate() }
    var rest = count
    while rest > 0 {
      let room = UnsafeMutableRawBufferPointer(rebasing: piece[..<min(piece.count, rest)])
      let got = try bytes.read(into: room)
      if got == 0 {
        if count == .max { return }
        throw ByteStreamError.damaged(problem: "it ends within a file")
      }
      try visitor.take(UnsafeRawBufferPointer(rebasing: room[..<got]))
      rest -= got
    }
  }

  /// Passes over bytes.
  private struct NoVisitor: TextVisitor {
    mutating func begin(_ name: String) {}
    mutating func take(_ bytes: UnsafeRawBufferPointer) {}
    mutating func end() {}
  }
}

/// What a file's name says of what is in it: `books.tar.zst`.
private struct FileForm {
  var compression: Compression?
  var isArchive = false
  var isText = false

  init(_ path: String) {
    let name = path.split(separator: "/").last ?? ""
    guard !name.hasPrefix(".") else { return }
    var endings = name.lowercased().split(separator: ".").dropFirst()
    switch endings.last {
    case "gz": compression = .gzip
    case "tgz": (compression, isArchive) = (.gzip, true)
    case "zst": compression = .zstandard
    default: break
    }
    if compression != nil { endings = endings.dropLast() }
    if endings.last == "tar" { isArchive = true }
    isText = !isArchive && TextFiles.endings.contains(String(endings.last ?? ""))
  }
}
