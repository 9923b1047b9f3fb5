import Testing

/// The program as its users meet it: real processes, real signals, real MPI.
///
/// One test at a time, since each uses all cores and some kill what they started.
@Suite(.serialized) struct EndToEnd {}
