import Foundation

/// How SQLite keeps a commit whole.
package enum JournalMode: String {
  /// Write-ahead: one fsync a commit, and readers beside the writer. It needs memory shared by all
  /// processes that have the file open, so all of them on one machine.
  case wal
  /// A rollback journal: works where other machines read the same files.
  case truncate

  /// Write-ahead on a local file system, a rollback journal on one that machines share.
  package static func suiting(_ path: String) -> JournalMode {
    guard let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8) else {
      return .wal
    }
    let folder = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    return suiting(folder, mounts: mounts)
  }

  /// `mounts` is in the format of `/proc/self/mounts`: device, folder, type, options.
  package static func suiting(_ path: String, mounts: String) -> JournalMode {
    var longest = -1
    var type = ""
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count >= 3 else { continue }
      let folder = fields[1].replacing("\\040", with: " ")
      let isInside = folder == "/" || path == folder || path.hasPrefix(folder + "/")
      // Of two mounts on one folder the later one is seen.
      guard isInside, folder.utf8.count >= longest else { continue }
      longest = folder.utf8.count
      type = String(fields[2])
    }
    let isShared = sharedTypes.contains(type) || type.hasPrefix("fuse")
    return isShared ? .truncate : .wal
  }

  private static let sharedTypes: Set = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "afs", "pvfs2",
    "panfs", "wekafs", "9p", "glusterfs",
  ]
}
