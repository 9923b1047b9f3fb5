import CKernels

/// The instructions that kernels may use; part of the numeric contract.
package enum InstructionSet: String, CaseIterable, Sendable {
  case baseline, avx2, avx512, amx

  /// The highest level that this processor has.
  package static var best: InstructionSet {
    switch Int(ms_best_level()) {
    case MS_AMX: .amx
    case MS_AVX512: .avx512
    case MS_AVX2: .avx2
    default: .baseline
    }
  }

  /// The levels that this processor has, lowest first.
  package static var available: [InstructionSet] {
    allCases.filter { Kernels.table($0, .float) != nil }
  }
}

/// The table of kernels for one element type at one instruction level.
package struct Kernels: @unchecked Sendable {
  package let table: UnsafePointer<ms_kernels>

  package init(_ instructionSet: InstructionSet, _ precision: Precision) {
    guard let table = Self.table(instructionSet, precision) else {
      preconditionFailure("this processor has no \(instructionSet)")
    }
    self.table = table
  }

  static func table(_ level: InstructionSet, _ precision: Precision) -> UnsafePointer<ms_kernels>? {
    let number =
      switch level {
      case .baseline: MS_BASELINE
      case .avx2: MS_AVX2
      case .avx512: MS_AVX512
      case .amx: MS_AMX
      }
    return ms_kernels_for(Int32(number), Int32(precision.size))
  }
}
