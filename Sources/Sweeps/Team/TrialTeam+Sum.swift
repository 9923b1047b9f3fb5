import MPI
import MemoryNets

extension TrialTeam {
  package func sum(
    _ ranges: [Range<Int>], of gradients: UnsafeMutableRawPointer, precision: Precision
  ) throws(TeamError) {
    guard size > 1 else { return }
    try orBreakUp { () throws(TeamError) in
      if let fast {
        try fast.sum(
          ranges, of: gradients, precision: precision,
          missing: (0..<size).filter { $0 != rank }, patience)
      } else {
        try sumInOrder(ElementRanges(ranges), of: gradients, precision: precision)
      }
    }
  }

  /// The sums of a binary tree over the ranks.
  private func sumInOrder(
    _ elements: ElementRanges, of gradients: UnsafeMutableRawPointer, precision: Precision
  ) throws(TeamError) {
    let place = rank - layout.block.lowerBound
    let own = elements.share(place, of: layout.blockSize)
    if layout.blockSize > 1 {
      try memory?.meet(patience)
      sumShare(own, of: elements, gradients, precision)
    }
    if layout.across.count > 1 {
      try exchangeShare(own, of: elements, gradients, precision)
    }
    guard layout.blockSize > 1, let memory else { return }
    try self.memory?.meet(patience)
    let distance = gradients - memory.parts[memory.index]
    for step in 1..<layout.blockSize {
      let other = (place + step) % layout.blockSize
      elements.forEach(in: elements.share(other, of: layout.blockSize)) { range, _ in
        let start = distance + range.lowerBound * precision.size
        (memory.parts[place] + start).copyMemory(
          from: memory.parts[other] + start, byteCount: range.count * precision.size)
      }
    }
    // Until all have copied nobody writes to his gradients.
    try self.memory?.meet(patience)
  }

  /// Sums the elements at `places` over the block, into this rank's.
  private func sumShare(
    _ places: Range<Int>, of elements: ElementRanges, _ gradients: UnsafeMutableRawPointer,
    _ precision: Precision
  ) {
    guard let memory else { return }
    let kernels = Kernels(options.instructionSet, precision)
    let distance = gradients - memory.parts[memory.index]
    elements.forEach(in: places) { range, _ in
      for other in 0..<layout.blockSize {
        sources[other] = memory.parts[other] + distance + range.lowerBound * precision.size
      }
      kernels.sumTree(
        sources, sourceCount: layout.blockSize,
        into: gradients + range.lowerBound * precision.size, count: range.count)
    }
  }

  /// Sums the elements at `places` over the ranks at this rank's place in other blocks.
  private func exchangeShare(
    _ places: Range<Int>, of elements: ElementRanges, _ gradients: UnsafeMutableRawPointer,
    _ precision: Precision
  ) throws(TeamError) {
    let size = precision.size
    guard let room = exchange.room(places.count * size) else { return }
    elements.forEach(in: places) { range, place in
      (room + (place - places.lowerBound) * size).copyMemory(
        from: gradients + range.lowerBound * size, byteCount: range.count * size)
    }
    try exchange.sum(
      places.count, over: layout.across, index: rank / layout.blockSize, precision: precision,
      patience)
    elements.forEach(in: places) { range, place in
      (gradients + range.lowerBound * size).copyMemory(
        from: room + (place - places.lowerBound) * size, byteCount: range.count * size)
    }
  }
}
