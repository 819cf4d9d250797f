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

/// m2m-keeper with simulated lines.
public enum SimulatedKeeper {
    /// The program.
    public static var path: String {
        get throws { try Made.simulatedKeeper.path }
    }
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
