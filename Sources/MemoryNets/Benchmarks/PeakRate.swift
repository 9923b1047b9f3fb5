/// The rate at which this core multiplies and adds where nothing else holds it up.
package enum PeakRate {
  /// Operations a second, two for a multiply-add: the best of several short runs.
  package static func measured(_ kernels: Kernels) -> Double {
    var element = 0.0
    let rounds: Int64 = 200_000
    var operations = 0.0
    let timings = Timings(repetitions: 15) {
      operations = kernels.table.pointee.multiply_adds(rounds, &element)
    }
    return operations / timings.minimum
  }
}
