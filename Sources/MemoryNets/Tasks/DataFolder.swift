/// The folder of real data sets, from `--data` or `MEMSWEEP_DATA`; there may be none.
package struct DataFolder: Sendable {
  /// The folder's path, or nil when none was named.
  package let path: String?

  package init(path: String?) {
    self.path = path
  }
}
