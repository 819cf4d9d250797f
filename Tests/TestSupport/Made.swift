import Glibc

/// What the Makefile makes for tests, because SwiftPM has no part in it.
public enum Made: String, Sendable {
    /// m2m-keeper, as it is installed.
    case keeper = "m2m-keeper"
    /// m2m-keeper with simulated lines.
    case simulatedKeeper = "m2m-keeper-simulated"
    /// A library that moves the wall clock of a program that is started with it in `LD_PRELOAD`.
    case wallClock = "wall_clock.so"

    /// Where it is.
    public var path: String {
        get throws {
            let path = Repository.path(".build/keeper/\(rawValue)")
            guard access(path, R_OK) == 0 else {
                throw HarnessError(description: "there is no \(path): `make keeper` makes it, and `make test` too")
            }
            return path
        }
    }
}

/// What SwiftPM builds before the tests run.
public enum Built {
    /// The folder of the programs, with a slash at its end: that of the test bundle, which is a program itself.
    public static let folder: String = {
        guard let bundle = realpath("/proc/self/exe", nil) else { return "" }
        defer { free(bundle) }
        let path = String(cString: bundle)
        return String(path[...(path.lastIndex(of: "/") ?? path.startIndex)])
    }()
}

/// The files of this repository.
public enum Repository {
    /// The path of a file.
    ///
    /// - Parameter name: Its name in the repository; empty: the folder of all.
    /// - Returns: Its path.
    public static func path(_ name: String) -> String {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(root)/\(name)"
    }
}
