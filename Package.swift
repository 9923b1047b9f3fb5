// swift-tools-version:6.2
import PackageDescription

/// Warnings are errors in this package, and only in this package.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
  name: "memsweep",
  products: [
    .executable(name: "memsweep", targets: ["memsweep"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
  ],
  targets: [
    // MARK: - Command line
    .executableTarget(
      name: "memsweep",
      dependencies: [
        "Sweeps", "MemoryNets", "MPI",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // MARK: - Libraries
    .target(
      name: "Sweeps",
      dependencies: [
        "MemoryNets", "MPI", "CXXHash",
        .product(name: "Yams", package: "Yams"),
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: strict),
    .target(
      name: "MemoryNets", dependencies: ["COpenBLAS", "CZstd", "CZlib", "CXXHash", "CKernels"],
      swiftSettings: strict),
    .target(name: "MPI", dependencies: ["CMPI"], swiftSettings: strict),
    .target(name: "CKernels"),

    // MARK: - System libraries
    .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),

    // MARK: - Tests
    .target(name: "CTestSupport", path: "Tests/CTestSupport"),
    .target(
      name: "TestSupport", dependencies: ["CTestSupport"], path: "Tests/TestSupport",
      swiftSettings: strict),
    .executableTarget(
      name: "mpi-check", dependencies: ["MPI", "Sweeps", "MemoryNets"], path: "Tests/MPICheck",
      swiftSettings: strict),
    .testTarget(
      name: "MPITests", dependencies: ["MPI", "TestSupport", "mpi-check"], swiftSettings: strict),
    .testTarget(
      name: "MemoryNetsTests", dependencies: ["MemoryNets", "CKernels", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "SweepsTests", dependencies: ["Sweeps", "MemoryNets", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests", dependencies: ["memsweep", "TestSupport"], swiftSettings: strict),
  ]
)
