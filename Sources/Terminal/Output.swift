import DeviceModel
import Glibc

/// What a program says, line by line, at once.
public enum Output {
    /// Says a line on standard output.
    ///
    /// When nobody listens any more the program ends: there is nothing left to do.
    public static func line(_ text: String) {
        write(text.withoutControls, to: STDOUT_FILENO)
    }

    /// Says a line on standard error.
    public static func error(_ text: String) {
        write(text.withoutControls, to: STDERR_FILENO)
    }

    /// Asks a question on the terminal, without a line end.
    static func ask(_ question: String) {
        write(question, to: STDERR_FILENO, end: "")
    }

    static func flush() {
        fflush(nil)
    }

    static func exit(_ status: ExitStatus) -> Never {
        flush()
        Glibc.exit(status.rawValue)
    }

    /// Whether standard output is a terminal that wants colours (no-color.org).
    public static var hasColours: Bool {
        isatty(STDOUT_FILENO) == 1 && (getenv("NO_COLOR")?.pointee ?? 0) == 0
    }

    private static func write(_ text: String, to descriptor: Int32, end: String = "\n") {
        var rest = Array((text + end).utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                Glibc.exit(errno == EPIPE ? ExitStatus.done.rawValue : ExitStatus.failed.rawValue)
            }
            rest = rest.dropFirst(count)
        }
    }
}

extension String {
    /// The text without what could command a terminal: a device's words may hold anything.
    ///
    /// Line ends, tabs and the colours of ``Style`` stay.
    var withoutControls: String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        var clean = String.UnicodeScalarView()
        var rest = unicodeScalars[...]
        while let scalar = rest.first {
            if let colour = Style.escape(in: rest) {
                clean.append(contentsOf: rest.prefix(colour))
                rest = rest.dropFirst(colour)
            } else {
                clean.append(scalar.isControl ? "\u{FFFD}" : scalar)
                rest = rest.dropFirst()
            }
        }
        return String(clean)
    }
}

extension Unicode.Scalar {
    /// Whether it is a control character but a line feed or a tab.
    fileprivate var isControl: Bool {
        properties.generalCategory == .control && self != "\n" && self != "\t"
    }
}
