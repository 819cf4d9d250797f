import DeviceModel

/// Something that the owner is told of the watch over the files: an event, and a sentence about it.
struct IntegrityNews: Hashable {
    /// What can happen; what each means is its title, which is also that of the event in the device's description.
    enum Name: String, CaseIterable {
        case changed
        case replaced
        case mended
        case disabled
        case enabled
        case approved
        case expecting
        case windowOpen = "window-open"
        case windowOver = "window-over"
        case overflow
        case explained
        case stuck
        case hampered

        /// What it means, for the device's description.
        var title: String {
            switch self {
            case .changed: "Watched files are not as approved"
            case .replaced: "A watched file was replaced by one that is like it"
            case .mended: "Watched files are as approved again"
            case .disabled: "The device is disabled"
            case .enabled: "The device is commanded again"
            case .approved: "What the files are meant to be was approved"
            case .expecting: "A signed release is about to change files"
            case .windowOpen: "Changes are collected, and nobody is alarmed"
            case .windowOver: "Changes alarm again"
            case .explained: "Changed files match their packages"
            case .stuck: "A file is being looked at, and the look does not come to an end"
            case .hampered: "Something keeps the watch from seeing, or keeping, all that it should"
            case .overflow: "More happened at once than could be told; every file was looked at"
            }
        }
    }

    let name: Name
    let detail: String
    /// What it is about; remarks may still be added to it.
    let changes: [FileChange]

    init(_ name: Name, _ detail: String) {
        self.name = name
        self.detail = detail
        changes = []
    }

    init(_ name: Name, _ changes: [FileChange]) {
        self.name = name
        self.changes = changes
        detail = changes.summary
    }

    /// The same with what the packages say of the files.
    func remarked(_ remarks: [FilePath: String]) -> IntegrityNews {
        changes.isEmpty ? self : IntegrityNews(name, changes.map { $0.remarked(remarks) })
    }
}

extension FileChange {
    /// The same with what its package says of the file.
    func remarked(_ remarks: [FilePath: String]) -> FileChange {
        var change = self
        change.remark = change.remark ?? remarks[path]
        return change
    }
}
