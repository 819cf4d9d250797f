/// The version of all programs of this package; they are released together.
public enum Version {
    /// The version, after semver.org.
    public static let current = "0.1.0"
}
