import Dispatch
import Glibc
import TestSupport

/// What a program says on one of its streams, line by line, as it comes.
final class Lines: Sendable {
    struct State: Sendable {
        var lines: [String] = []
        var hasEnded = false
        /// How many lines have been looked at by ``Lines/next(_:where:)``.
        var seen = 0
    }

    private let name: String
    private let state = Watched(State())

    /// - Parameter name: What people call the stream.
    init(_ name: String) {
        self.name = name
    }

    /// All that was said so far.
    var all: [String] { state.now.lines }

    /// Reads a stream until its end, on a thread of its own; then closes it.
    func read(_ descriptor: Int32) {
        DispatchQueue(label: "m2m.test.\(name)").async { [self] in
            var rest: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                rest += buffer.prefix(count)
                var parts = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                rest = Array(parts.removeLast())
                let lines = parts.map { String(decoding: $0, as: UTF8.self) }
                if !lines.isEmpty { state.change { $0.lines += lines } }
            }
            close(descriptor)
            let last = rest.isEmpty ? [] : [String(decoding: rest, as: UTF8.self)]
            state.change { state in
                state.lines += last
                state.hasEnded = true
            }
        }
    }

    /// Waits for the next line of a kind; those before it are passed over.
    ///
    /// - Parameters:
    ///   - what: What the line is, in words.
    ///   - isIt: Knows it.
    /// - Throws: ``HarnessError`` with all that was said, when the line does not come.
    /// - Returns: The line.
    @discardableResult
    func next(_ what: String, where isIt: @escaping @Sendable (String) -> Bool) async throws -> String {
        try await wait(what) { state in
            while state.seen < state.lines.count {
                state.seen += 1
                if isIt(state.lines[state.seen - 1]) { return state.lines[state.seen - 1] }
            }
            return nil
        }
    }

    /// Waits for the next line with a text.
    @discardableResult
    func next(with text: String) async throws -> String {
        try await next("line with '\(text)'") { $0.contains(text) }
    }

    /// Waits until a line with a text has been said, before or after whatever else was waited for.
    func hold(_ text: String) async throws {
        _ = try await wait("line with '\(text)'") { state in state.lines.first { $0.contains(text) } }
    }

    /// Waits for the end of the stream.
    ///
    /// - Returns: All lines.
    func end() async throws -> [String] {
        try await wait("end") { $0.hasEnded ? $0.lines : nil }
    }

    private func wait<Found: Sendable>(
        _ what: String, _ look: @escaping @Sendable (inout State) -> Found?
    ) async throws -> Found {
        let name = name
        do {
            return try await state.wait(for: "\(what) on \(name)") { state in
                if let found = look(&state) { return found }
                if state.hasEnded { throw HarnessError(description: "\(name) ended without a \(what)") }
                return nil
            }
        } catch {
            throw HarnessError(description: "\(error); it said:\n\(all.joined(separator: "\n"))")
        }
    }
}
