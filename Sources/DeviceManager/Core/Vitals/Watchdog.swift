import DeviceModel

/// Whether the agent lives: all its vital parts have answered since it was last said.
///
/// A plain value: what happened goes in, what to do comes out.
struct Watchdog {
    /// What can happen.
    enum Event: Hashable {
        /// A part has made progress since it was asked.
        case progress(String)
        /// It is time to say something.
        case tick
    }

    /// What is to be done.
    enum Action: Hashable {
        /// Ask a part for a sign of life.
        case ask(String)
        /// Say that the agent has started.
        case ready
        /// Say that the agent lives.
        case alive
        /// These parts have not answered, so nothing is said.
        case stuck([String])
    }

    private let parts: [String]
    private var asked: Set<String> = []
    private var isReady = false

    init(_ parts: [String]) {
        self.parts = parts
    }

    /// The first questions.
    mutating func begin() -> [Action] {
        asked = Set(parts)
        return parts.map(Action.ask)
    }

    mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .progress(let part):
            asked.remove(part)
            guard asked.isEmpty, !isReady else { return [] }
            isReady = true
            return [.ready]
        case .tick:
            // Who has not answered has been asked already, and is not asked twice.
            guard asked.isEmpty else { return [.stuck(asked.sorted())] }
            return [.alive] + begin()
        }
    }
}
