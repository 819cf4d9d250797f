import DeviceManager
import DeviceModel
import Synchronization
import Wire

/// Answers what the router asks about the files: list by list, and all pages of a list from the same moment, however the
/// files change meanwhile.
final class IntegrityAnswers: Sendable {
    /// How many bytes of changes or files go in one answer, roughly; one goes in any case.
    private static let pageSize = 200_000

    private let desk: (any IntegrityDesk)?
    /// What is being told page by page: nothing else is kept.
    private let told = Mutex<IntegritySnapshot?>(nil)

    /// - Parameter desk: Who knows of the files; nil: they are not watched.
    init(from desk: (any IntegrityDesk)?) {
        self.desk = desk
    }

    /// Answers a question, or does what the owner wants.
    func answer(_ ask: IntegrityAsk) async -> IntegrityAnswer {
        guard let desk else {
            let words = "this device does not watch over its files; [integrity] in agent.toml lets it"
            return IntegrityAnswer(
                id: ask.id, CommandOutcome(.refused, words), status: IntegrityStatus(state: .off))
        }
        var answer = IntegrityAnswer(id: ask.id)
        let snapshot: IntegritySnapshot?
        switch ask.want {
        case .status: snapshot = desk.snapshot
        case .changes(let start):
            snapshot = self.snapshot(desk, from: start)
            answer.changes = Self.page(of: snapshot?.changes ?? [], from: start) { $0.before.size + $0.now.size + 200 }
            answer.total = snapshot?.changes.count
            forget(after: start + answer.changes.count, of: answer.total)
        case .entries(let start):
            snapshot = self.snapshot(desk, from: start)
            answer.entries = Self.page(of: snapshot?.entries ?? [], from: start) { Optional($0).size }
            answer.total = snapshot?.entries.count
            forget(after: start + answer.entries.count, of: answer.total)
        case .order(let order):
            answer.outcome = await desk.heed(order)
            snapshot = desk.snapshot
        }
        var status = desk.status
        status.found = snapshot?.root
        answer.status = status
        return answer
    }

    /// What is told from a number on: of this moment where that is the first, and else of the moment of the page before.
    private func snapshot(_ desk: any IntegrityDesk, from start: Int) -> IntegritySnapshot? {
        if start > 0, let snapshot = told.withLock(\.self) { return snapshot }
        let snapshot = desk.snapshot
        told.withLock { $0 = snapshot }
        return snapshot
    }

    private func forget(after count: Int, of total: Int?) {
        if count >= total ?? 0 { told.withLock { $0 = nil } }
    }

    /// As many elements from a number on as one answer has room for.
    private static func page<Element>(
        of all: [Element], from start: Int, size: (Element) -> Int
    ) -> [Element] {
        var (page, bytes) = ([Element](), 0)
        for element in all.dropFirst(start) {
            bytes += size(element)
            guard bytes <= pageSize || page.isEmpty else { break }
            page.append(element)
        }
        return page
    }
}

extension FileEntry? {
    /// How many bytes it takes in a message, at most.
    fileprivate var size: Int {
        guard let entry = self else { return 0 }
        guard case .target(let target) = entry.content else { return 200 + entry.path.bytes.count }
        return 200 + entry.path.bytes.count + target.count
    }
}
