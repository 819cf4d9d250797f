import ConfigurationSchema
import DeviceModel
import Logging
import Router
import TOMLFile

/// The router's configuration file: what it says, over what holds without one.
struct RouterConfiguration {
    var settings = RouterSettings()
    var logLevel = Logger.Level.info

    private enum Keys {
        static let standard = RouterSettings()
        static let listen = Key.optional(
            "listen", .hostAndPort, default: standard.address, shown: "\"127.0.0.1:8443\"",
            "Where the router listens; 0.0.0.0:443 for the whole world.")
        static let data = Key.optional(
            "data", .path, default: standard.dataDirectory, shown: "\"/var/lib/m2m-router\"",
            "Where its database and certificates are.")
        static let names = Key.optional(
            "names", .list(of: .nonEmptyString), default: [], shown: "none",
            "Further names and addresses by which it is reached, for the certificate that it makes for itself.")
        static let admission = Key.optional(
            "admit_per_second", .integer(1...10_000), default: standard.admission.perSecond, shown: "50",
            "How many devices may connect in a second; the others are told when to come again.")
        static let proxies = Key.optional(
            "trusted_proxies", .proxies, default: standard.trustedProxies, shown: "none",
            "Addresses of proxies before the router, such as \"10.0.0.0/8\", whose X-Forwarded-For is believed.")
        static let releases = Key.optional(
            "release_keys", .list(of: .path), default: [], shown: "none",
            "Public keys (PEM, Ed25519) of those whose signed releases may change what watched files are meant to be.")
        static let certificate = Key<CheckedTable?>.optional(
            "certificate", RouterConfiguration.certificate.kind, "A certificate from elsewhere.")
        static let chain = Key.required("chain", .path, "The certificate and those that signed it, as PEM.")
        static let key = Key.required("key", .path, "Its private key, as PEM.")
        static let log = Key<CheckedTable?>.optional("log", RouterConfiguration.log.kind, "What is logged.")
        static let level = Key.optional(
            "level",
            .choice([
                "debug": Logger.Level.debug, "info": .info, "notice": .notice, "warning": .warning, "error": .error,
            ]),
            default: .info, shown: "\"info\"", "The least important messages that are logged.")
        static let file = TableSchema([listen, data, names, admission, proxies, releases, certificate, log])
    }

    /// The keys of the file.
    static var schema: TableSchema { Keys.file }
    /// The keys of its table `certificate`.
    static var certificate: TableSchema { TableSchema([Keys.chain, Keys.key]) }
    /// The keys of its table `log`.
    static var log: TableSchema { TableSchema([Keys.level]) }

    /// What holds without a file.
    init() {}

    /// Reads a file.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``RouterProblem`` with every mistake that there is; ``TOMLFileError`` when it can't be read.
    init(_ path: String) throws {
        var findings = Findings(file: path)
        let table = try TOMLFile.read(path, &findings)
        let file = Keys.file.check(table, name: "", at: Position(line: 1, column: 1), &findings)
        guard let file, findings.isEmpty else {
            throw RouterProblem(
                .badRequest, path, "the configuration has mistakes\n" + findings.lines.joined(separator: "\n"))
        }
        settings.address = file[Keys.listen]
        settings.dataDirectory = file[Keys.data]
        settings.names = file[Keys.names]
        settings.admission = RouterSettings.AdmissionRate(perSecond: file[Keys.admission])
        settings.trustedProxies = file[Keys.proxies]
        settings.releaseKeys = try ReleaseKeys(files: file[Keys.releases])
        settings.certificate = file[Keys.certificate].map { .init(chain: $0[Keys.chain], key: $0[Keys.key]) }
        logLevel = file[Keys.log]?[Keys.level] ?? .info
    }
}

extension ValueKind where Value == TrustedProxies {
    /// Addresses and ranges of addresses.
    fileprivate static var proxies: Self {
        ValueKind<[String]>.list(of: .nonEmptyString).map("addresses") { texts in
            TrustedProxies(texts).map { .success($0) }
                ?? .failure(Mistake("must be addresses, or ranges of them such as \"10.0.0.0/8\""))
        }
    }
}

extension ValueKind where Value == RouterAddress {
    /// `HOST:PORT`.
    fileprivate static var hostAndPort: Self {
        ValueKind<String>.string.map("HOST:PORT") { text in
            ListenAddress(argument: text).map { .success($0.address) }
                ?? .failure(Mistake("must be HOST:PORT such as \"0.0.0.0:8443\", not \"\(text)\""))
        }
    }
}
