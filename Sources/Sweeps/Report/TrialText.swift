/// The labels of trials, for reading.
enum TrialText {
  /// `lstm, model.hidden_size 50, seed 3`.
  static func label(method: String, parameters: [TrialParameter], seed: Int) -> String {
    let settings = parameters.map { "\($0.path) \(NumberText.value($0.value))" }
    return ([method] + settings + ["seed \(seed)"]).joined(separator: ", ")
  }
}

extension StoredTrial {
  package var label: String {
    TrialText.label(method: method, parameters: parameters, seed: seed)
  }
}

extension UnfinishedTrial {
  package var label: String {
    TrialText.label(method: method, parameters: parameters, seed: seed)
  }
}
