import Client
import DeviceModel
import Foundation
import Glibc
import Terminal

/// The agent's own program, for what it alone can tell of this machine.
enum AgentProgram {
    /// Where it is: beside this program, or where its package puts it; nil: nowhere.
    static var path: String? {
        // By the kernel's word: what is typed has no folder where the shell has found it, and then the folder in which a
        // person stands would count.
        let link = "/proc/self/exe"
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: link)  // safe: then it is not beside it
        let beside = own.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/m2m-agent" }
        let candidates = [beside, "/usr/bin/m2m-agent", "/usr/local/bin/m2m-agent"].compactMap(\.self)
        return candidates.first { access($0, X_OK) == 0 }
    }

    /// Runs it in the place of this program (execve(2)): whatever ends this one ends it, and it ends as it does.
    ///
    /// - Parameters:
    ///   - arguments: Its arguments.
    ///   - reason: Why it is wanted, where it is not there.
    /// - Throws: ``ClientError`` when it is not there, or can't be run.
    static func run(_ arguments: [String], or reason: String) throws {
        guard let path else { throw ClientError(.unreachable, Place.socket, reason) }
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { word in strdup(word) } + [nil]
        execv(path, &words)
        throw ClientError(.systemFailure, path, "\(path) can't be run: \(errorText(errno))")
    }
}
