/// The element of `names` that `name` was most likely meant to be, if any is near.
///
/// Near is an edit distance (insert, delete, replace, swap of neighbours) of at most two and less
/// than half the length of `name`, or one being the start of the other. Of equally near ones the
/// first counts.
package func nearestName(to name: String, in names: [String]) -> String? {
  let wanted = Array(name.lowercased().utf8.prefix(64))
  let limit = min(2, max(1, (wanted.count - 1) / 2))
  var best: (name: String, distance: Int)?
  for candidate in names {
    let other = Array(candidate.lowercased().utf8.prefix(64))
    let distance = editDistance(wanted, other)
    if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  if let best { return best.name }
  guard wanted.count >= 3 else { return nil }
  return names.first {
    let other = Array($0.lowercased().utf8)
    return other.starts(with: wanted) || (other.count >= 3 && wanted.starts(with: other))
  }
}

/// The optimal string alignment distance: Levenshtein's with swaps of neighbours.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
  var beforePrevious: [Int] = []
  var previous = Array(0...b.count)
  for i in 1...a.count {
    var row = [i]
    for j in 1...b.count {
      let change = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
      var distance = min(change, previous[j] + 1, row[j - 1] + 1)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        distance = min(distance, beforePrevious[j - 2] + 1)
      }
      row.append(distance)
    }
    (beforePrevious, previous) = (previous, row)
  }
  return previous[b.count]
}
