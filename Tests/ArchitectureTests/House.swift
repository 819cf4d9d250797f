/// The house as it is meant: its storeys, and every arrow between two targets with its reason.
///
/// Whoever adds an arrow to Package.swift writes its reason here. Docs/Architecture.md shows the picture.
enum House {
    /// The targets from the ground up.
    ///
    /// An arrow goes from a higher storey to a lower one.
    static let storeys: [[String]] = [
        ["CLinux", "CGPIO", "CI2C", "CFiles", "CCrypto", "CSQLite", "CTOML", "CKeeper"],
        ["DeviceModel"],
        ["HAL", "ConfigurationSchema", "Wire"],
        ["Components", "HALLinux", "HALSimulated", "HALTestKit"],
        ["DeviceManager", "Transport"],
        ["Store", "TOMLFile", "Keeper", "FileIntegrity", "Link", "LocalAPI", "Doctor", "Router", "Client", "Terminal"],
        ["m2m-agent", "m2m", "m2m-router", "hal-conformance", "websocket-conformance", "m2m-bench"],
    ]

    /// What every target but C may use without a word: the common language, Swift's own library and the C library.
    static let common: Set<String> = ["DeviceModel", "Swift", "Synchronization", "Glibc"]

    /// Every other arrow, and why it is there.
    static let arrows: [String: [String: String]] = [
        "DeviceModel": [
            "CLinux": "clocks and structures that Swift cannot import",
            "Dispatch": "a thread of its own for what blocks",
        ],
        "Components": [
            "HAL": "equipment hangs on a board, whichever it is",
            "ConfigurationSchema": "each model says its own keys",
            "Logging": "what happened that no reading tells",
        ],
        "HALLinux": [
            "HAL": "it is a board",
            "CLinux": "the disk and the boot id",
            "CGPIO": "lines",
            "CI2C": "buses",
            "Dispatch": "one reader for all edges",
        ],
        "HALSimulated": [
            "HAL": "it is a board",
            "ConfigurationSchema": "a scenario is a file with mistakes at lines and columns, too",
        ],
        "HALTestKit": ["HAL": "what every board promises"],
        "DeviceManager": [
            "ConfigurationSchema": "the keys of agent.toml",
            "HAL": "it hands the board to the components",
            "Components": "it runs them",
            "Logging": "the agent's log",
            "ServiceLifecycle": "what lives long is a service",
        ],
        "Transport": [
            "Wire": "a conversation begins with a request",
            "CLinux": "who is at the other end of a Unix socket",
            "NIOCore": "the network", "NIOPosix": "the network", "NIOHTTP1": "the upgrade to a WebSocket",
            "NIOWebSocket": "frames", "NIOSSL": "TLS", "NIOTLS": "when a handshake is over",
        ],
        "Store": [
            "DeviceManager": "it conforms to the core's ports",
            "CSQLite": "the database, by its C API: an ORM costs 7 MB",
        ],
        "Keeper": [
            "DeviceManager": "it conforms to the core's port", "Components": "the plans of the outputs",
            "HAL": "where lines are", "CKeeper": "what m2m-keeper understands",
            "Dispatch": "one reader for its socket", "Logging": "the agent's log",
        ],
        "FileIntegrity": [
            "DeviceManager": "it disables the device, and what it finds goes up by the core",
            "CFiles": "what the kernel says of files, and tells", "CCrypto": "SHA-256",
            "Logging": "the agent's log", "ServiceLifecycle": "it is a service",
        ],
        "TOMLFile": ["ConfigurationSchema": "it makes the tree that schemas check", "CTOML": "the parser"],
        "Link": [
            "DeviceManager": "it carries the core's two roads to the router",
            "Wire": "what is said", "Transport": "how it is carried",
            "CCrypto": "the device's key", "CLinux": "whether the key's file is private",
            "NIOCore": "event loops", "Logging": "the agent's log", "ServiceLifecycle": "it is a service",
        ],
        "Doctor": [
            "DeviceManager": "what is configured", "Components": "what a component has of a board",
            "Transport": "why a router can't be reached",
        ],
        "LocalAPI": [
            "DeviceManager": "it answers for the core",
            "HAL": "the finger that presses on a simulated board",
            "Wire": "what is said", "Transport": "how it is carried", "CLinux": "who is in which group",
            "NIOCore": "event loops", "Logging": "the agent's log", "ServiceLifecycle": "it is a service",
        ],
        "Router": [
            "Wire": "what is said", "Transport": "how it is carried",
            "NIOCore": "the upgrade on the HTTP port", "NIOPosix": "this machine's own addresses",
            "NIOSSL": "TLS", "Logging": "the router's log", "ServiceLifecycle": "it is a service",
            "Crypto": "Ed25519, SHA-256", "CryptoExtras": "scrypt", "X509": "its private CA",
            "SwiftASN1": "its private CA",
            "GRDB": "the database", "Hummingbird": "HTTP", "HummingbirdCore": "HTTP", "HummingbirdTLS": "HTTPS",
            "HTTPTypes": "HTTP", "NIOHTTPTypes": "HTTP", "NIOHTTPTypesHTTP1": "HTTP",
            "Foundation": "swift-certificates speaks Date", "FoundationEssentials": "GRDB and swift-crypto speak Data",
        ],
        "Client": [
            "Wire": "what is said", "Transport": "how it is carried",
            "NIOCore": "event loops", "NIOPosix": "event loops",
            "Foundation": "the session's file is JSON",
        ],
        "Terminal": ["ArgumentParser": "what is typed"],
        "m2m-agent": [
            "ConfigurationSchema": "findings of a check", "HAL": "the board of the configuration",
            "HALLinux": "one of the two boards", "HALSimulated": "the other one",
            "DeviceManager": "the core", "Keeper": "hung above it", "FileIntegrity": "hung above it",
            "Link": "hung above it",
            "LocalAPI": "hung above it", "Doctor": "what it says of this device",
            "Transport": "the doctor asks the agent, and the router", "CLinux": "which process listens on a socket",
            "Store": "hung above it",
            "TOMLFile": "reads the configuration", "Wire": "claim codes as people type them",
            "NIOCore": "event loops", "NIOPosix": "event loops", "Logging": "the agent's log",
            "ServiceLifecycle": "runs the services",
            "UnixSignals": "what ends them, and what reloads the configuration",
        ],
        "m2m": [
            "Wire": "requests and their answers", "Client": "who asks them", "Terminal": "how answers are shown",
            "ArgumentParser": "what is typed", "Foundation": "it runs m2m-agent where no agent answers",
            "UnixSignals": "what ends a hold",
        ],
        "m2m-router": [
            "ConfigurationSchema": "the keys of router.toml", "TOMLFile": "reads it", "Router": "what it runs",
            "Terminal": "prompts and words", "Logging": "the router's log", "ServiceLifecycle": "runs the router",
            "UnixSignals": "what ends it", "ArgumentParser": "what is typed",
        ],
        "m2m-bench": [
            "Wire": "requests", "Client": "who asks them", "Foundation": "processes and JSON",
            "Store": "what is measured against plain C", "Link": "its attempts are measured",
            "DeviceManager": "what is linked", "HALSimulated": "the board of that", "TOMLFile": "its configuration",
            "ConfigurationSchema": "which mistakes that has", "Logging": "where it says nothing",
            "NIOCore": "a server that hangs up", "NIOPosix": "its socket",
            "CKeeper": "orders to the keeper",
        ],
        "hal-conformance": [
            "HAL": "lines and buses by their names", "HALLinux": "the board under test",
            "HALTestKit": "what it has to keep",
        ],
        "websocket-conformance": [
            "Transport": "the channels under test",
            "NIOCore": "what sends every message back", "NIOPosix": "its sockets", "NIOHTTP1": "the upgrade",
            "UnixSignals": "what ends the server",
        ],
    ]
}
