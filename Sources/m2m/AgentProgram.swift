import Client
import DeviceModel
import Foundation
import Glibc
import Terminal

/// The agent's own program, for what it alone can tell of this machine.
enum AgentProgram {
    /// Where it is: beside this program, or where its package puts it; nil: nowhere.
    static var path: String? {
        let beside = CommandLine.arguments.first.map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/m2m-agent"
        }
        let candidates = [beside, "/usr/bin/m2m-agent", "/usr/local/bin/m2m-agent"].compactMap(\.self)
        return candidates.first { access($0, X_OK) == 0 }
    }

    /// Runs it in the place of this program, and ends as it does.
    ///
    /// - Parameters:
    ///   - arguments: Its arguments.
    ///   - reason: Why it is wanted, where it is not there.
    /// - Throws: ``ClientError`` when it is not there; ``ProgramExit`` when it ends with anything but 0.
    static func run(_ arguments: [String], or reason: String) throws {
        guard let path else { throw ClientError(.unreachable, Place.socket, reason) }
        let agent = Process()
        agent.executableURL = URL(fileURLWithPath: path)
        agent.arguments = arguments
        try agent.run()
        agent.waitUntilExit()
        guard agent.terminationReason == .exit else { throw ProgramExit(.failed) }
        let status = ExitStatus(rawValue: agent.terminationStatus) ?? .failed
        if status != .done { throw ProgramExit(status) }
    }
}
