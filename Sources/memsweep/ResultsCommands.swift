import ArgumentParser
import Foundation
import Sweeps

/// Says how far the sweep of an output folder is.
struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says how far the sweep of an output folder is.",
    discussion: """
      Finished trials from the store, those under way or interrupted from their last checkpoints.
      """)

  @Argument(help: "The output folder.")
  var directory: String

  @Flag(help: "One line of JSON.")
  var json = false

  func run() throws {
    let reader = try ResultReader(directory: directory)
    let status = try StoreStatus(
      reader, unfinished: UnfinishedTrial.all(in: directory, reader))
    Terminal.answer(json ? status.json + "\n" : status.text)
  }
}

/// Prints the table of a sweep.
struct ReportResults: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Prints the table of a sweep as Markdown.")

  @Argument(help: "The output folder.")
  var directory: String

  @Flag(help: "Leaves out what depends on the speed of the machine.")
  var noTimings = false

  @Flag(help: "The text of the table as one JSON string in one line.")
  var json = false

  func run() throws {
    let summary = try Summary(try ResultReader(directory: directory))
    let text = Report(summary, showsTimings: !noTimings).markdown
    if json {
      Terminal.answer(json: .object(["markdown": .string(text)]))
    } else {
      Terminal.answer(text)
    }
  }
}
