public import DeviceModel

/// How a router is set up.
public struct RouterSettings: Sendable {
    /// Where it listens.
    public var address: RouterAddress
    /// Where its database, its certificates and its pepper are.
    public var dataDirectory: String
    /// Further names and addresses by which it is reached; they go into the certificate that it makes for itself.
    public var names: [String]
    /// A certificate chain (PEM) and its key to use instead of its own.
    public var certificate: CertificateFiles?
    /// How often it sends a heartbeat to each device.
    ///
    /// After two and a quarter of these without an answer one is gone.
    public var heartbeat: Duration
    /// How many devices may connect.
    public var admission: AdmissionRate
    /// The proxies that are believed when they say for whom they ask.
    public var trustedProxies: TrustedProxies
    /// Those whose releases may change what the files of devices are meant to be.
    public var releaseKeys: ReleaseKeys

    /// How many devices may connect, one after the other.
    public struct AdmissionRate: Hashable, Sendable {
        /// How many in a second, over a longer time.
        public var perSecond: Int
        /// How many at once, after a time in which there were fewer.
        public var burst: Int

        /// - Parameters:
        ///   - perSecond: At least 1.
        ///   - burst: At least 1; nil: as many as in a second.
        public init(perSecond: Int, burst: Int? = nil) {
            (self.perSecond, self.burst) = (perSecond, burst ?? perSecond)
        }
    }

    /// A certificate and its key.
    public struct CertificateFiles: Hashable, Sendable {
        /// The certificate and those that signed it, as PEM.
        public var chain: String
        /// The private key, as PEM.
        public var key: String

        /// A certificate and its key.
        public init(chain: String, key: String) {
            self.chain = chain
            self.key = key
        }
    }

    /// Settings.
    public init(
        address: RouterAddress = Self.standardAddress, dataDirectory: String = Self.standardDirectory,
        names: [String] = [], certificate: CertificateFiles? = nil, heartbeat: Duration = .seconds(20),
        admission: AdmissionRate = AdmissionRate(perSecond: 50), trustedProxies: TrustedProxies = .none,
        releaseKeys: ReleaseKeys = .none
    ) {
        self.address = address
        self.dataDirectory = dataDirectory
        self.names = names
        self.certificate = certificate
        self.heartbeat = heartbeat
        self.admission = admission
        self.trustedProxies = trustedProxies
        self.releaseKeys = releaseKeys
    }

    /// Where a router listens unless it is told otherwise: on this machine only.
    public static let standardAddress = RouterAddress(host: "127.0.0.1", port: 8_443)
    /// Where a router keeps everything unless it is told otherwise.
    public static let standardDirectory = "/var/lib/m2m-router"
}

/// What went wrong in a router, in words.
public struct RouterProblem: ExplainedError, Hashable {
    /// The kind of failure.
    public let code: ErrorCode
    /// What it is about.
    public let resource: String
    /// The failure in words.
    public let description: String

    /// Something went wrong.
    public init(_ code: ErrorCode, _ resource: String, _ description: String) {
        self.code = code
        self.resource = resource
        self.description = description
    }
}
