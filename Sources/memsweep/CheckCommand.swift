import ArgumentParser
import MemoryNets
import Sweeps

/// Checks a sweep file and everything that it names, and trains nothing.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks a sweep file; names every mistake with its place.")

  @OptionGroup var sweep: SweepArguments

  @Flag(help: "One line of JSON.")
  var json = false

  func run() throws {
    let (spec, problems) = examined()
    if json {
      var answer: [String: JSONValue] = [
        "file": .string(sweep.file), "is_valid": .boolean(problems.isEmpty),
        "problems": .array(problems.map { .string($0.description) }),
      ]
      if let spec {
        let plan = SweepPlan(spec)
        answer["name"] = .string(spec.name)
        answer["output_directory"] = .string(spec.outputDirectory)
        answer["trials"] = .integer(plan.trials)
      }
      Terminal.answer(json: .object(answer))
    }
    if !problems.isEmpty { throw Failure(SpecErrors(problems: problems).description, .badInput) }
    guard !json, let spec else { return }
    let plan = SweepPlan(spec)
    Terminal.answer(
      "\(sweep.file): \(counted(plan.methods.count, "method")), "
        + "\(counted(plan.configurations, "configuration")), \(counted(plan.seeds, "seed")), "
        + "\(plan.isExact ? "" : "at most ")\(counted(plan.trials, "trial"))\n")
  }

  private func examined() -> (SweepSpec?, [SpecProblem]) {
    do {
      let spec = try sweep.load()
      return (spec, try sweep.setup(spec).problems())
    } catch let errors as SpecErrors {
      return (nil, errors.problems)
    } catch {
      let place = SpecPlace.commandLine(sweep.file)
      return (
        nil,
        [
          SpecProblem(
            file: sweep.file, place: place, path: "", message: Failure(describing: error).message)
        ]
      )
    }
  }
}
