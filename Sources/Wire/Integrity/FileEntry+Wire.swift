import DeviceModel

extension FileEntry {
    /// Writes the entry as a map.
    func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("path", path.bytes)
            map.field("type", kind.word)
            if isMounted { map.field("mounted", true) }
            map.field("mode", Int(mode))
            map.field("uid", Int(owner))
            map.field("gid", Int(group))
            map.field("size", size)
            switch content {
            case .none: break
            case .digest(let digest): map.field("sha256", digest.bytes)
            case .target(let target): map.field("target", target)
            case .tooLarge: map.field("unknown", "too_large")
            case .unreadable: map.field("unknown", "unreadable")
            }
        }
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        var fields = FileEntryFields()
        try reader.readMap { (key, reader) throws(WireError) in try fields.read(key, &reader) }
        self = try fields.entry(reader)
    }
}

/// The fields of a file, as far as they were there.
private struct FileEntryFields {
    private var path: FilePath?
    private var kind: FileKind?
    private var isMounted = false
    private var numbers: [String: UInt64] = [:]
    private var content = FileContent.none

    mutating func read(_ key: String, _ reader: inout MessagePackReader) throws(WireError) {
        switch key {
        case "path": path = try reader.readPath()
        case "type":
            kind = try reader.readText(key) { word in FileKind.allCases.first { $0.word == word } }
        case "mounted": isMounted = try reader.readBool()
        case "mode", "uid", "gid", "size": numbers[key] = try reader.readUInt64()
        case "sha256": content = .digest(try reader.readDigest(key))
        case "target": content = .target(try reader.readPath().bytes)
        case "unknown": content = try reader.readString() == "too_large" ? .tooLarge : .unreadable
        default: try reader.skip()
        }
    }

    func entry(_ reader: MessagePackReader) throws(WireError) -> FileEntry {
        FileEntry(
            path: try reader.require(path, "path"), kind: try reader.require(kind, "type"), isMounted: isMounted,
            mode: UInt16(clamping: try reader.require(numbers["mode"], "mode")),
            owner: UInt32(clamping: try reader.require(numbers["uid"], "uid")),
            group: UInt32(clamping: try reader.require(numbers["gid"], "gid")), size: numbers["size"] ?? 0,
            content: content)
    }
}

extension FileChange {
    /// Writes the change as a map.
    func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("path", path.bytes)
            map.field("kinds", kinds) { $0.write($1.rawValue) }
            map.field("before", before) { $1.encode(into: &$0) }
            map.field("now", now) { $1.encode(into: &$0) }
            map.field("from", from?.bytes)
            map.field("remark", remark)
        }
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        var (path, from): (FilePath?, FilePath?)
        var kinds: [Kind?] = []
        var (before, now): (FileEntry?, FileEntry?)
        var remark: String?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "path": path = try reader.readPath()
            case "from": from = try reader.readPath()
            case "kinds":
                kinds = try reader.readArray { (reader) throws(WireError) in Kind(rawValue: try reader.readString()) }
            case "before": before = try FileEntry(from: &reader)
            case "now": now = try FileEntry(from: &reader)
            case "remark": remark = try reader.readString()
            default: try reader.skip()
            }
        }
        self.init(
            path: try reader.require(path, "path"), kinds: kinds.compactMap(\.self), before: before, now: now,
            from: from, remark: remark)
    }
}

extension MessagePackReader {
    /// Reads a path: bytes, and not more than the kernel takes.
    mutating func readPath() throws(WireError) -> FilePath {
        let start = offset
        let bytes = try readBytes()
        guard bytes.count <= FilePath.limit, !bytes.contains(0) else {
            throw WireError(.invalidValue, at: start, "a path has at most \(FilePath.limit) bytes, none of them 0")
        }
        return FilePath(bytes: bytes)
    }

    /// Reads a SHA-256.
    mutating func readDigest(_ name: String) throws(WireError) -> SHA256Hash {
        let start = offset
        guard let digest = SHA256Hash(bytes: try readBytes()) else {
            throw WireError(.invalidValue, at: start, "\(name) must be \(SHA256Hash.size) bytes")
        }
        return digest
    }
}
