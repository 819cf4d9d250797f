import DeviceManager
import DeviceModel
import Wire

extension IntegrityAnswer {
    /// How many bytes of changes or files go in one answer, roughly; one goes in any case.
    private static let pageSize = 200_000

    /// - Parameters:
    ///   - ask: What the owner wants.
    ///   - desk: Who knows of the files; nil: they are not watched.
    init(to ask: IntegrityAsk, from desk: (any IntegrityDesk)?) async {
        guard let desk else {
            let words = "this device does not watch over its files; [integrity] in agent.toml lets it"
            self.init(id: ask.id, CommandOutcome(.refused, words), status: IntegrityStatus(state: .off))
            return
        }
        switch ask.want {
        case .status: self.init(id: ask.id, status: desk.status(found: desk.changes().root))
        case .changes(let start):
            let (changes, root) = desk.changes()
            let page = Self.page(of: changes, from: start) { 600 + 3 * $0.path.bytes.count }
            self.init(id: ask.id, status: desk.status(found: root), changes: page, total: changes.count)
        case .entries(let start):
            let (entries, root) = desk.entries()
            let page = Self.page(of: entries, from: start) { 200 + $0.path.bytes.count }
            self.init(id: ask.id, status: desk.status(found: root), entries: page, total: entries.count)
        case .order(let order):
            let outcome = await desk.heed(order)
            self.init(id: ask.id, outcome, status: desk.status(found: desk.changes().root))
        }
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

extension IntegrityDesk {
    /// The status with the root that belongs to what was just read.
    fileprivate func status(found root: SHA256Hash?) -> IntegrityStatus {
        var status = status
        status.found = root
        return status
    }
}
