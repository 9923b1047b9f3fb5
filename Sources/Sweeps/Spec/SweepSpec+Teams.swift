import MemoryNets

extension SweepSpec {
  /// The ranks that train a trial of `method` together.
  package func ranks(of method: MethodSpec) -> Int {
    method.resources?.ranksPerTrial ?? resources.ranksPerTrial
  }

  /// Whether the file says anything of ranks or shards that holds for `method`: then a batch is
  /// divided into shards, however many ranks there are.
  func isDataParallel(_ method: MethodSpec) -> Bool {
    saysDataParallel || method.resources != nil
  }

  /// How trials of `method` put their gradients together.
  package func sharing(of method: MethodSpec) -> GradientSharing {
    guard isDataParallel(method) else { return .none }
    guard dataParallel.reduction == .fast else {
      return GradientSharing(shards: dataParallel.shards)
    }
    return GradientSharing(
      shards: ranks(of: method), reduction: .fast, gradients: dataParallel.gradients,
      ranks: ranks(of: method))
  }

  /// The most ranks that a trial of the sweep asks for.
  package var largestTeam: Int { methods.map { ranks(of: $0) }.max() ?? 1 }

  /// Checks ranks against shards, method by method.
  func checkTeams(_ problems: ProblemList) {
    guard dataParallel.reduction == .reproducible else { return }
    for method in methods where ranks(of: method) > dataParallel.shards {
      let ranks = ranks(of: method)
      let own = method.resources == nil ? "" : "methods.\(method.name)."
      problems.add(
        method.resourcesPlace ?? ranksPlace, "\(own)resources.ranks_per_trial",
        "is \(ranks), and a batch has \(dataParallel.shards) shards; at most"
          + " \(dataParallel.shards) ranks, or data_parallel: {shards: \(ranks)}, is needed")
    }
  }

  /// What is wrong with the batch of a configuration of `method`: its rows do not divide.
  func batchProblem(_ sections: ResolvedSections, _ method: MethodSpec) -> String? {
    guard isDataParallel(method), case .integer(let rows)? = sections.train["batch_size"] else {
      return nil
    }
    let sharing = sharing(of: method)
    let (parts, name) =
      sharing.reduction == .fast ? (sharing.ranks, "ranks") : (sharing.shards, "shards")
    guard parts > 1, rows % parts != 0 else { return nil }
    let below = rows / parts * parts
    let batches = below > 0 ? "\(below) or \(below + parts)" : "\(parts)"
    // The largest power of two that divides the rows.
    let fewer = rows & -rows
    let remedy =
      sharing.reduction == .fast
      ? "resources: {ranks_per_trial: \(fewer)}" : "data_parallel: {shards: \(fewer)}"
    return "is \(rows), which \(parts) \(name) do not divide; \(batches) or \(remedy) is needed"
  }
}
