import Foundation
import FuzzTargets
import TestSupport

/// The files of Tests/Corpus: a folder for each target.
enum Corpus {
    /// One file.
    struct File: Sendable {
        /// Its folder and its name, such as `login/everything`.
        let path: String
        let bytes: [UInt8]

        /// Whether it nests lists and tables far too deeply, or announces far more than there is: nobody may read it.
        var isTooMuch: Bool {
            let name = path.split(separator: "/").last ?? ""
            return ["nesting-10000", "dots-10000", "announces-"].contains { name.hasPrefix($0) }
        }
    }

    private static let root = URL(fileURLWithPath: Repository.path("Tests/Corpus"))

    /// The names of the folders.
    static func folders() throws -> Set<String> {
        Set(try names(in: root))
    }

    /// The files of a folder; none where there is no such folder.
    static func files(in folder: String) throws -> [File] {
        try names(in: root.appendingPathComponent(folder)).map { name in
            let url = root.appendingPathComponent(folder).appendingPathComponent(name)
            return File(path: "\(folder)/\(name)", bytes: [UInt8](try Data(contentsOf: url)))
        }
    }

    /// All files with which a target begins.
    static func files(of target: FuzzTarget) throws -> [File] {
        try target.seeds.flatMap { try files(in: $0) }
    }

    private static func names(in folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }.sorted()
    }
}
