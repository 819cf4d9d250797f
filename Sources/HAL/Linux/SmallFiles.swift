import Glibc

/// The text of a small file of /proc or /sys without the spaces, line ends and zeros around it; nil when it can't be
/// read.
func readFile(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 8_192)
    let count = read(file, &buffer, buffer.count)
    guard count >= 0 else { return nil }
    let isSpace: (UInt8) -> Bool = { $0 <= 0x20 }
    let text = buffer.prefix(count).drop(while: isSpace)
    return String(
        decoding: text.prefix((text.lastIndex { !isSpace($0) } ?? text.startIndex - 1) - text.startIndex + 1),
        as: UTF8.self)
}

/// The names in a directory; none when it can't be read.
func directoryEntries(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
