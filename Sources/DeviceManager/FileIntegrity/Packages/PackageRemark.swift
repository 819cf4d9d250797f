/// What a package says of a file.
struct PackageRemark: Hashable, Sendable {
    /// Whether the file is as the package wants it.
    var matches: Bool
    /// The same as people read it.
    var words: String
}
