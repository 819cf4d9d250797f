import ConfigurationSchema
import DeviceManager
import DeviceModel
import HAL
import HALLinux
import HALSimulated

/// `m2m-agent check`: every mistake of the configuration, and with `--probe` everything that can be seen of the board.
struct CheckCommand {
    let configurationFile: String
    let probe: Bool
    let json: Bool

    func run() async -> ExitStatus {
        var status = ExitStatus.done
        var loaded: LoadedConfiguration?
        do throws(ConfigurationMistakes) {
            loaded = try LoadedConfiguration.load(configurationFile)
            if !json, !probe { print("\(configurationFile): all right") }
        } catch {
            if probe, !SafeFile.exists(configurationFile) {
                printError("there is no \(configurationFile) yet: only the hardware is looked at")
            } else {
                show(error)
                status = .failed
            }
        }
        if probe {
            do {
                let inventory = try await board(loaded).inventory()
                if json { print(inventory.json.text) } else { inventory.lines.forEach { print($0) } }
            } catch {
                printError(error.explanation)
                status = .failed
            }
        }
        return status
    }

    /// The board of the configuration; the machine's own where there is none.
    private func board(_ loaded: LoadedConfiguration?) throws -> any Board {
        let time = try SystemTime()
        guard let loaded, loaded.agent.boardKind == .simulated else {
            return LinuxBoard(stateDirectory: loaded?.agent.stateDirectory ?? "/", time: time)
        }
        return SimulatedBoard(scenario: loaded.scenario, time: time)
    }

    private func show(_ mistakes: ConfigurationMistakes) {
        guard json else { return print(mistakes.description) }
        for (file, finding) in mistakes.findings {
            var object = JSONObject()
            object.add("file", file)
            object.add("line", finding.position.line)
            object.add("column", finding.position.column)
            object.add("severity", "error")
            object.add("message", finding.message)
            print(object.text)
        }
        if mistakes.findings.isEmpty {
            var object = JSONObject()
            object.add("file", configurationFile)
            object.add("severity", "error")
            object.add("message", mistakes.description)
            print(object.text)
        }
    }
}
