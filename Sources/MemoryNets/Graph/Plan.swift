import CKernels

/// Where an operand of a kernel call stands.
package struct Address: Hashable {
  package enum Space: Hashable {
    /// Activations, gradients and caches of one tile.
    case arena
    /// What all tiles of a batch share: flat rows, tables and weights laid out anew.
    case shared
    /// Room that a call may use while it runs.
    case scratch
    /// The flat buffer of parameters.
    case values
    /// The flat buffer of their gradients.
    case gradients
    /// No operand.
    case none
  }

  package var space: Space
  /// In elements of the plan's precision.
  package var offset: Int
  /// Elements from one step to the next.
  package var stride: Int

  package static let none = Address(space: .none, offset: 0, stride: 0)

  /// The operand `features` further on.
  func advanced(features: Int) -> Address {
    Address(space: space, offset: offset + features * Int(MS_LANES), stride: stride)
  }
}

/// A compiled model: the kernel calls of one tile of sequences, over one arena.
///
/// A function of the graph and of shapes alone.
package struct Plan {
  typealias Kernel = KeyPath<ms_kernels, UnsafePointerToKernel>
  typealias UnsafePointerToKernel = (
    @convention(c) (UnsafePointer<ms_instruction>?, UnsafePointer<ms_context>?, Int64) -> Void
  )?

  /// How often a call is made.
  enum Scope {
    /// For each tile; in a segment, at each step.
    case tile
    /// In a segment, at each step, for all tiles that go through the steps together.
    case tiles
    /// For each vector of flat rows.
    case flat
    /// Once for all flat rows of a batch.
    case batch
  }

  /// One kernel call; its operands, sizes and scalars are those that the kernel's comment lists.
  struct Call {
    var kernel: Kernel
    var operands: [Address]
    var sizes: [Int] = []
    var scalars: [Double] = []
    var scope = Scope.tile
  }

  /// Calls that are made for each of several steps before the next segment starts.
  struct Segment {
    /// Whether they are made for the last step only.
    var isLastStepOnly: Bool
    var calls: [Call] = []
  }

  /// A carried vector or matrix in the arena: the first `depth` slots hold its initial values, the
  /// oldest first, the slots after them those after each step.
  struct CarriedSlot {
    let name: String
    var slots: Address
    /// The gradient of the initial values, after the backward pass.
    var initialGradient: Address
    /// Features.
    var size: Int
    /// How many steps its values are carried for.
    var depth = 1
    /// Numbers that are carried.
    var count: Int { size * depth }
  }

  /// Where the gradients of lookups in a table stand, apart from its other gradients.
  struct LookupRoom {
    let table: String
    /// The first element of the room and of the table's gradient.
    let room, gradient: Int
  }

  /// A read-out with its loss, over flat rows.
  struct Readout {
    var classes, inputs: Int
    /// Elements of the gradients that it alone adds to.
    var gradients: [Range<Int>]
  }

  var parameters: [ParameterDeclaration] = []
  /// The names of tables that are looked up in and not used otherwise, in the order of parameters.
  var lookupTables: [String] = []
  /// Of tables that are used otherwise, too.
  var lookupRooms: [LookupRoom] = []
  package var maximumSteps = 0
  /// Elements of the arena of one tile.
  package var arenaCount = 0
  /// Elements of the gradients: of the parameters, and of what is computed of them.
  package var gradientCount = 0
  /// Elements that all tiles share.
  package var sharedCount = 0
  /// Elements of the room that calls use while they run.
  package var scratchCount = 0
  /// Whether what does not recur is computed over the flat rows of a batch, for which all its tiles
  /// go through the steps together.
  package var isFlat = false
  /// The most tiles that go through the steps together.
  package var tiles = 1
  /// Numbers carried from step to step for each sequence, as the cells define them.
  package var stateSize = 0

  /// Weights that never change, and where they stand.
  var fixedWeights: [(address: Address, values: [Double])] = []
  /// Once a batch, before the first tile: what is made of the parameters alone.
  var batchStart: [Call] = []
  /// Once a batch that is trained on, before the first tile.
  var gradientStart: [Call] = []
  /// Steps ascending.
  var forward: [Segment] = []
  var loss = Segment(isLastStepOnly: false)
  /// Once, before the backward pass of a tile.
  var backwardStart: [Call] = []
  /// Steps descending.
  var backward: [Segment] = []
  /// Once, after the backward pass of a tile.
  var finish: [Call] = []
  /// Once a batch that is trained on, when its gradient has been summed over tiles, shards and ranks.
  var gradientEnd: [Call] = []

  var readout: Readout?
  /// Vectors of flat rows at most.
  var flatVectors = 0
  var carried: [CarriedSlot] = []
  var output = Address.none
  var outputGradient = Address.none
  var outputSize = 0
  /// What is looked at from outside, after the forward pass.
  var observed = Address.none
  var observedSize = 0
  /// The input vector and its gradient, where the caller gives the one and wants the other.
  var input = Address.none
  var inputGradient = Address.none
}

extension Plan {
  /// Whether every sum over the rows of a batch is one call that sums shard by shard, as `shards.h`
  /// has it, so that a batch can be run as a whole.
  var sumsByShard: Bool {
    let known: [Kernel] = [
      \.flat_gradient, \.shard_bias_gradient, \.shard_lookup_gradient, \.softmax_readout_backward,
    ]
    var written: Set<Address> = []
    for call in (backward + [Segment(isLastStepOnly: false, calls: backwardStart + finish)])
      .flatMap(\.calls)
    {
      for operand in call.operands where operand.space == .gradients {
        guard known.contains(call.kernel), written.insert(operand).inserted else { return false }
      }
    }
    return isFlat
  }
}

/// A switchable transformation of the plan.
package enum PlanPass: String, CaseIterable, Sendable {
  /// What is not part of a recurrence runs for all steps at once.
  case hoist
  /// Gradients of weights are one product over all steps of a tile.
  case `defer`
  /// A linear map of tokens is read from a table over the vocabulary.
  case fold
  /// Weights of products lie in panels, in the order in which the kernel reads them.
  case pack
  /// What does not recur runs over the rows of the whole batch, packed densely.
  case flatten
  /// A decaying sum of outer products is kept as its history where that is cheaper.
  case lowerMemories = "lower_memories"
}
