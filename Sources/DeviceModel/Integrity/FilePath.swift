import Glibc

/// The name of a file with all folders above it, as the kernel has it: bytes, which need not be text.
public struct FilePath: Hashable, Sendable {
    /// The bytes; none is 0.
    public let bytes: [UInt8]

    /// How long a path may be (PATH_MAX, limits.h).
    public static let limit = 4_096
    private static let slash = UInt8(ascii: "/")

    /// - Parameter bytes: The bytes.
    public init(bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// - Parameter text: The path as text; a slash at its end is left away.
    public init(_ text: some StringProtocol) {
        var bytes = Array(text.utf8)
        while bytes.count > 1, bytes.last == Self.slash { bytes.removeLast() }
        self.bytes = bytes
    }

    /// The folder in which this process is (getcwd(3)).
    public static var current: FilePath {
        guard let name = getcwd(nil, 0) else { return FilePath("/") }
        defer { free(name) }
        return FilePath(String(cString: name))
    }

    /// A file in this folder.
    public func appending(_ name: some Collection<UInt8>) -> FilePath {
        var all = bytes
        all.reserveCapacity(bytes.count + 1 + name.count)
        if all.last != Self.slash { all.append(Self.slash) }
        all.append(contentsOf: name)
        return FilePath(bytes: all)
    }

    /// The name of the file in its folder.
    public var name: ArraySlice<UInt8> {
        bytes[(bytes.lastIndex(of: Self.slash).map { $0 + 1 } ?? 0)...]
    }

    /// The folder in which the file is; nil: it is the root, or has no folder in its name.
    public var folder: FilePath? {
        guard let end = bytes.lastIndex(of: Self.slash), bytes.count > 1 else { return nil }
        return FilePath(bytes: end == 0 ? bytes[...0] : bytes[..<end])
    }

    /// Whether it is another path, or somewhere below that.
    public func isWithin(_ other: FilePath) -> Bool {
        guard bytes.starts(with: other.bytes) else { return false }
        return bytes.count == other.bytes.count || other.bytes.last == Self.slash
            || bytes[other.bytes.count] == Self.slash
    }
}

extension FilePath {
    /// All bytes at once: a path is looked up often, and an array would be hashed byte by byte.
    public func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension FilePath: Comparable {
    /// A folder goes before what is in it, and that before what only begins with the same name: the order of a walk.
    public static func < (one: FilePath, other: FilePath) -> Bool {
        one.bytes.withUnsafeBufferPointer { one in
            other.bytes.withUnsafeBufferPointer { other in
                let count = min(one.count, other.count)
                var index = 0
                while index < count, one[index] == other[index] { index += 1 }
                guard index < count else { return one.count < other.count }
                // As if a slash were 0, which no name has in it.
                let (left, right) = (one[index], other[index])
                return left == slash || right != slash && left < right
            }
        }
    }
}

extension FilePath: CustomStringConvertible {
    /// The path as people read it; what is no printable text is written as `\xNN`, and a backslash as `\\`.
    public var description: String {
        var text = ""
        var rest = bytes[...]
        while let first = rest.first {
            // The longest piece that is text: most paths are one.
            if let scalar = Self.scalar(at: rest) {
                if scalar == "\\" { text += "\\\\" } else { text.unicodeScalars.append(scalar) }
                rest = rest.dropFirst(UTF8.width(scalar))
            } else {
                text += "\\x\(first.padded(to: 2, radix: 16))"
                rest = rest.dropFirst()
            }
        }
        return text
    }

    /// The character that the bytes begin with; nil where they begin with none that can be shown.
    private static func scalar(at bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
        var decoder = UTF8()
        var iterator = bytes.prefix(4).makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return nil
        default: return scalar
        }
    }
}

extension FilePath {
    /// - Parameter text: What ``description`` has given; nil for anything else, and for no bytes at all.
    public init?(escaped text: some StringProtocol) {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "x"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let byte = UInt8(digits, radix: 16), byte != 0 else { return nil }
                bytes.append(byte)
                rest = rest.dropFirst(2)
            default: return nil
            }
        }
        guard !bytes.isEmpty, bytes.count <= Self.limit else { return nil }
        self.init(bytes: bytes)
    }
}
