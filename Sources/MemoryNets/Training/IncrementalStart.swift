/// A memory that grows by a module at a time, each started from a linear autoencoder of the hidden states
/// at the steps at which it is to run.
///
/// Module g is started before update g x `growEvery` with
///
///     W_hm of the module = A,   W_mm of the module with itself = B,   all else of it 0
///
/// so that the function is unchanged until training makes use of it. A module that is all zero has no
/// gradient but zero: those to come stand still. Carta, Sperduti and Bacciu 2020, arXiv:2006.16800.
struct IncrementalStart: DataStart {
  let name = "incremental"
  let sequenceLimit: Int
  /// Of a module.
  let memorySize: Int
  let modules: Int
  let growEvery: Int

  func isDue(before update: Int) -> Bool {
    update % growEvery == 0 && update / growEvery < modules
  }

  func set(_ weights: ParameterStore, from data: TrainingSequences, before update: Int) {
    let module = update / growEvery
    if module == 0 {
      for name in ["W_mh", "W_hm", "b_m"] { weights.fill("layer0." + name, with: 0) }
      for i in 0..<modules { weights.fill("layer0.W_mm_\(i)", with: 0) }
      weights.fill(weights.firstReadout, with: 0)
    }
    let memory = LinearAutoencoder(
      fitting: data.vectors.every(1 << module), memorySize: memorySize)
    var entry = weights.numbers("layer0.W_hm")
    let first = module * memorySize * data.vectors.size
    entry.replaceSubrange(first..<first + memory.encoder.count, with: memory.encoder)
    weights.replace("layer0.W_hm", by: entry)
    let name = "layer0.W_mm_\(module)"
    var own = weights.numbers(name)
    let width = weights.shape(name)[1]
    for i in memory.recurrence.indices {
      own[i / memorySize * width + i % memorySize] = memory.recurrence[i]
    }
    weights.replace(name, by: own)
  }
}
