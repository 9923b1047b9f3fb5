/// The order in which the pixels of an image are shown.
package enum PixelOrder: String, Codable, CaseIterable, Sendable {
  /// Row by row.
  case sequential
  /// In one random order, the same for every image and every trial.
  case permuted
}

/// The options of `mnist_pixels`.
package struct MnistPixelsOptions: Options {
  /// The order of the pixels.
  package var order = PixelOrder.sequential
  /// Training images that are used, from the first on.
  package var trainSize = MnistSet.published[0]
  /// Validation images that are used.
  package var validationSize = MnistSet.published[1]
  /// Test images that are used.
  package var testSize = MnistSet.published[2]

  package init() {}

  package func validate() -> [OptionProblem] {
    let sizes = [
      ("train_size", trainSize, MnistSet.published[0]),
      ("validation_size", validationSize, MnistSet.published[1]),
      ("test_size", testSize, MnistSet.published[2]),
    ]
    return sizes.compactMap { name, size, most in
      1...most ~= size
        ? nil : OptionProblem(name, "is \(size); 1 to \(most) images are possible")
    }
  }
}

/// Which digit is it? An image pixel by pixel, one number in [0, 1] a step, 784 steps.
///
/// The first 50000 training images, the other 10000 for validation, the 10000 test images. As in
/// Le, Jaitly and Hinton 2015, arXiv:1504.00941, with a permutation of its own.
package final class MnistPixels: SequenceSource {
  package let shape = TaskShape(
    input: .features(size: 1), outputSize: 10, loss: .softmaxCrossEntropy, outputSteps: .last,
    maximumSteps: MnistSet.pixels)
  package let baselines: [TrivialBaseline]
  package let dataDigest = MnistSet.digest
  private let options: MnistPixelsOptions
  private let set: MnistSet
  /// By step: the pixel that it shows.
  private let pixels: [Int]

  package init(options: MnistPixelsOptions, set: MnistSet) {
    self.options = options
    self.set = set
    pixels = options.order == .sequential ? Array(0..<MnistSet.pixels) : Self.permutation
    // The most frequent digit of the training images, on the others.
    let splits = DataSplit.allCases.map { Self.numbers(of: $0, options, set) }
    var counts = [Int](repeating: 0, count: 10)
    for i in splits[0] { counts[Int(set.labels[i])] += 1 }
    let guess = counts.indices.reduce(0) { counts[$1] > counts[$0] ? $1 : $0 }
    baselines = zip([DataSplit.validation, .test], splits[1...]).map { split, numbers in
      TrivialBaseline(
        name: "most frequent digit", metric: "\(split.rawValue).accuracy",
        value: Double(numbers.count { Int(set.labels[$0]) == guess }) / Double(numbers.count))
    }
  }

  /// The permutation: a Fisher-Yates shuffle by stream 0 of the key 0 derived for "mnist_pixels".
  package static let permutation: [Int] = {
    var pixels = Array(0..<MnistSet.pixels)
    var draws = PhiloxStream(key: PhiloxKey(0).derived("mnist_pixels"), stream: 0)
    draws.shuffle(&pixels)
    return pixels
  }()

  package var byteCount: Int { self.set.images.count + self.set.labels.count }

  package func count(of split: DataSplit) -> Int { Self.numbers(of: split, options, set).count }

  private static func numbers(
    of split: DataSplit, _ options: MnistPixelsOptions, _ set: MnistSet
  ) -> Range<Int> {
    let size =
      switch split {
      case .train: options.trainSize
      case .validation: options.validationSize
      case .test: options.testSize
      }
    let first = set.numbers(of: split).lowerBound
    return first..<first + size
  }

  package func write(_ index: Int, of split: DataSplit, to batch: Batch, row: Int) {
    let image = Self.numbers(of: split, options, set).lowerBound + index
    let rows = batch.rows
    let features = batch.features.baseAddress! + row
    set.images.withUnsafeBufferPointer { images in
      for step in 0..<MnistSet.pixels {
        let pixel = images[image &* MnistSet.pixels &+ pixels[step]]
        features[step &* rows] = Float(pixel) / 255
      }
    }
    batch.classes[row] = Int32(set.labels[image])
    batch.weights[row] = 1
  }
}
