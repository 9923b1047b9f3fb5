/// The images of handwritten digits of LeCun and Cortes, as they stand in the four files.
package struct MnistSet: Sendable {
  /// Pixels of an image, row by row.
  package static let pixels = 28 * 28
  /// Training, validation and test images in that order, all their pixels and their labels.
  package let images: [UInt8]
  package let labels: [UInt8]
  private let sizes: [Int]

  /// How many images the published files give for training, validation and testing.
  package static let published = [50_000, 10_000, 10_000]

  /// Where the files come from.
  package static let source =
    "the four gzip files of MNIST (LeCun and Cortes) are distributed in many places under these "
    + "names, in a folder mnist; docs/tasks.md has their digests"

  /// Within the data folder: name, dimensions in order, XXH3-128 of the unpacked file.
  package static let files: [(name: String, dimensions: [Int], digest: String)] = [
    ("train-images-idx3-ubyte.gz", [60_000, 28, 28], "e12946a8ab9bd74359bf22c057c52478"),
    ("train-labels-idx1-ubyte.gz", [60_000], "81c6f5433a9d34628839fd1c4bb36825"),
    ("t10k-images-idx3-ubyte.gz", [10_000, 28, 28], "a912d49f199ea2d36aa8aa9c0102c17c"),
    ("t10k-labels-idx1-ubyte.gz", [10_000], "507d8d921945ef3663c4bd8be7e7204f"),
  ]

  /// Stands for the four files.
  package static let digest = contentDigest(Array(files.map(\.digest).joined().utf8))

  /// `sizes` are the numbers of images of training, validation and test.
  package init(images: [UInt8], labels: [UInt8], sizes: [Int] = published) {
    precondition(images.count == labels.count * Self.pixels, "\(images.count) pixels")
    precondition(labels.count == sizes.reduce(0, +), "\(labels.count) images")
    self.images = images
    self.labels = labels
    self.sizes = sizes
  }

  /// The numbers of the images of `split`.
  package func numbers(of split: DataSplit) -> Range<Int> {
    switch split {
    case .train: 0..<sizes[0]
    case .validation: sizes[0]..<sizes[0] + sizes[1]
    case .test: sizes[0] + sizes[1]..<labels.count
    }
  }

  /// Reads and verifies the four files.
  package init(from folder: DataFolder) throws(TaskError) {
    var contents: [[UInt8]] = []
    for file in Self.files {
      let data = DataFile(name: "mnist/" + file.name, source: Self.source)
      let path = try data.path(in: folder)
      let packed = try data.bytes(in: folder)
      let unpacked: [UInt8]
      do throws(ByteStreamError) {
        unpacked = try Compression.gzip.unpacked(packed)
      } catch {
        throw error.error(of: path, source: Self.source)
      }
      let header = try Self.header(unpacked, path: path)
      let digest = contentDigest(unpacked)
      guard digest == file.digest else {
        throw .alteredFile(
          path: path, found: "\(Self.text(header)) bytes, digest \(digest)",
          expected: "\(Self.text(file.dimensions)) bytes, digest \(file.digest)",
          source: Self.source)
      }
      contents.append(Array(unpacked[(4 + 4 * header.count)...]))
    }
    self.init(images: contents[0] + contents[2], labels: contents[1] + contents[3])
  }

  /// The dimensions that an idx file of bytes states.
  package static func header(_ bytes: [UInt8], path: String) throws(TaskError) -> [Int] {
    func damaged(_ problem: String) -> TaskError {
      .damagedFile(path: path, problem: problem, source: source)
    }
    guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0, bytes[2] == 8 else {
      throw damaged("it does not begin as an idx file of bytes")
    }
    let count = Int(bytes[3])
    guard bytes.count >= 4 + 4 * count else { throw damaged("its header ends early") }
    let dimensions = (0..<count).map { i in
      bytes[4 + 4 * i..<8 + 4 * i].reduce(0) { $0 << 8 | Int($1) }
    }
    let wanted = dimensions.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard bytes.count - 4 - 4 * count == wanted else {
      throw damaged("it states \(text(dimensions)) bytes and holds \(bytes.count - 4 - 4 * count)")
    }
    return dimensions
  }

  private static func text(_ dimensions: [Int]) -> String {
    dimensions.map { "\($0)" }.joined(separator: " x ")
  }
}
