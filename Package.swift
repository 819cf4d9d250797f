// swift-tools-version: 6.2
import PackageDescription

// The house, storey by storey: see Docs/Architecture.md. Arrows only point down; Tests/ArchitectureTests checks them.

/// Every target of ours is held to the same rules.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
let strictC: [CSetting] = [.treatAllWarnings(as: .error), .enableWarning("all"), .enableWarning("extra")]

/// A library target of ours; `path` is given where several targets share a folder.
func storey(_ name: String, path: String? = nil, exclude: [String] = [], uses: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: uses, path: path, exclude: exclude, swiftSettings: strict)
}

/// A program of ours.
func program(_ name: String, uses: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: uses, swiftSettings: strict,
        linkerSettings: [.unsafeFlags(small, .when(configuration: .release))])
}

/// What makes a program smaller, and lets it sleep: Docs/Decisions/0030-what-the-agent-weighs.md.
let small = [
    "-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
    "-Xlinker", "--wrap=dispatch_source_set_timer",  // CLinux/dispatch_monitor.c
]

/// Where libgpiod is, when it is not the one of this machine: a folder as `Scripts/fetch-libgpiod2` makes it.
///
/// Only CGPIO is compiled anew then.
let libgpiod = Context.environment["M2M_LIBGPIOD"]
let foreignCSettings: [CSetting] = libgpiod.map { [.unsafeFlags(["-I", "\($0)/usr/include"])] } ?? []
let foreignLinkerSettings: [LinkerSetting] = libgpiod.map { [.unsafeFlags(["-L\($0)/lib"])] } ?? []

/// The program in which libFuzzer searches: it brings its own `main` along, and is there only for `make fuzz`.
let fuzzer: [Target] =
    Context.environment["M2M_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "m2m-fuzz", dependencies: ["FuzzTargets"], path: "Tests/m2m-fuzz",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])])
    ]

/// A C target of ours.
func c(_ name: String, path: String, links: [String] = []) -> Target {
    .target(
        name: name, path: path, cSettings: strictC,
        linkerSettings: links.map { .linkedLibrary($0) })
}

func tests(_ name: String, uses: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: uses, swiftSettings: strict)
}

extension Target.Dependency {
    static let nioCore: Self = .product(name: "NIOCore", package: "swift-nio")
    static let nioPosix: Self = .product(name: "NIOPosix", package: "swift-nio")
    static let nioHTTP1: Self = .product(name: "NIOHTTP1", package: "swift-nio")
    static let nioWebSocket: Self = .product(name: "NIOWebSocket", package: "swift-nio")
    static let nioTLS: Self = .product(name: "NIOTLS", package: "swift-nio")
    static let nioSSL: Self = .product(name: "NIOSSL", package: "swift-nio-ssl")
    static let logging: Self = .product(name: "Logging", package: "swift-log")
    static let argumentParser: Self = .product(name: "ArgumentParser", package: "swift-argument-parser")
    static let unixSignals: Self = .product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let lifecycle: Self = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
}

let package = Package(
    name: "m2m",
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.90.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.34.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.15.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.4.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.5.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.15.0", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.25.0"),
    ],
    targets: [
        // 0: C
        c("CLinux", path: "Sources/DeviceModel/CLinux"),
        .target(
            name: "CGPIO", path: "Sources/HAL/CGPIO", cSettings: strictC + foreignCSettings,
            linkerSettings: foreignLinkerSettings + [.linkedLibrary("gpiod")]),
        c("CI2C", path: "Sources/HAL/CI2C", links: ["i2c"]),
        c("CFiles", path: "Sources/DeviceManager/CFiles"),
        c("CCrypto", path: "Sources/DeviceManager/CCrypto", links: ["crypto"]),
        .systemLibrary(name: "CSQLite", path: "Sources/DeviceManager/CSQLite"),
        .systemLibrary(name: "CKeeper", path: "Sources/m2m-keeper/protocol"),
        .target(
            name: "CTOML", path: "Sources/DeviceManager/CTOML",
            cxxSettings: [.treatAllWarnings(as: .error), .enableWarning("all"), .enableWarning("extra")]),

        // 1: what all speak
        storey("DeviceModel", exclude: ["CLinux"], uses: ["CLinux"]),

        // 2: what can be asked of a board, what can be written in a file, what can be sent
        storey("HAL", path: "Sources/HAL/Interface", uses: ["DeviceModel"]),
        storey("ConfigurationSchema", path: "Sources/DeviceManager/Configuration", uses: ["DeviceModel"]),
        storey("Wire", uses: ["DeviceModel"]),

        // 3: the equipment, and the boards on which it runs
        storey("Components", uses: ["DeviceModel", "HAL", "ConfigurationSchema", .logging]),
        storey("HALLinux", path: "Sources/HAL/Linux", uses: ["DeviceModel", "HAL", "CLinux", "CGPIO", "CI2C"]),
        storey("HALSimulated", path: "Sources/HAL/Simulated", uses: ["DeviceModel", "HAL", "ConfigurationSchema"]),
        storey("HALTestKit", path: "Sources/HAL/TestKit", uses: ["DeviceModel", "HAL"]),

        // 4: what the agent is without network, disk and files; how messages travel
        storey(
            "DeviceManager", path: "Sources/DeviceManager/Core",
            uses: ["DeviceModel", "ConfigurationSchema", "HAL", "Components", .logging, .lifecycle]),

        storey(
            "Transport",
            uses: ["DeviceModel", "Wire", "CLinux", .nioCore, .nioPosix, .nioHTTP1, .nioWebSocket, .nioTLS, .nioSSL]),

        // 5: what hangs above the heart and reaches outside
        storey(
            "TOMLFile", path: "Sources/DeviceManager/TOMLFile", uses: ["DeviceModel", "ConfigurationSchema", "CTOML"]),
        storey(
            "Store", path: "Sources/DeviceManager/Store", uses: ["DeviceModel", "DeviceManager", "CSQLite"]),

        storey(
            "Keeper", path: "Sources/DeviceManager/Keeper",
            uses: ["DeviceModel", "HAL", "Components", "DeviceManager", "CKeeper", .logging]),

        storey(
            "FileIntegrity", path: "Sources/DeviceManager/FileIntegrity",
            uses: ["DeviceModel", "DeviceManager", "CCrypto", "CFiles", .logging, .lifecycle]),

        storey(
            "Link", path: "Sources/DeviceManager/Link",
            uses: [
                "DeviceModel", "DeviceManager", "Wire", "Transport", "CCrypto", "CLinux", .nioCore, .logging,
                .lifecycle,
            ]),

        storey(
            "Doctor", path: "Sources/DeviceManager/Doctor",
            uses: ["DeviceModel", "Components", "DeviceManager", "Transport"]),

        storey(
            "LocalAPI", path: "Sources/DeviceManager/LocalAPI",
            uses: [
                "DeviceModel", "DeviceManager", "HAL", "Wire", "Transport", "CLinux", .nioCore, .logging, .lifecycle,
            ]),

        storey(
            "Router",
            uses: [
                "DeviceModel", "Wire", "Transport", .nioCore, .nioPosix, .nioSSL, .logging, .lifecycle,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ]),

        storey("Client", uses: ["DeviceModel", "Wire", "Transport", .nioCore, .nioPosix]),
        storey("Terminal", uses: ["DeviceModel", .argumentParser]),

        // 6: the programs
        program(
            "m2m-agent",
            uses: [
                "DeviceModel", "ConfigurationSchema", "HAL", "HALLinux", "HALSimulated", "DeviceManager", "Wire",
                "Doctor", "Keeper", "FileIntegrity", "Link", "LocalAPI", "Store", "TOMLFile", "Transport",
                "CLinux", .nioCore, .nioPosix, .logging, .lifecycle, .unixSignals,
            ]),

        program("m2m", uses: ["DeviceModel", "Wire", "Client", "Terminal", .argumentParser, .unixSignals]),
        program(
            "m2m-router",
            uses: [
                "DeviceModel", "ConfigurationSchema", "TOMLFile", "Router", "Terminal", .logging, .lifecycle,
                .unixSignals, .argumentParser,
            ]),

        // What is tested, in the same storeys
        .executableTarget(
            name: "hal-conformance", dependencies: ["DeviceModel", "HAL", "HALLinux", "HALTestKit"],
            path: "Tests/hal-conformance", swiftSettings: strict),
        .executableTarget(
            name: "websocket-conformance",
            dependencies: ["DeviceModel", "Transport", .nioCore, .nioPosix, .nioHTTP1, .unixSignals],
            path: "Tests/websocket-conformance", swiftSettings: strict),
        .executableTarget(
            name: "m2m-bench",
            dependencies: [
                "DeviceModel", "ConfigurationSchema", "HALSimulated", "DeviceManager", "Wire", "Client", "Link",
                "Store", "CKeeper", "TOMLFile", .nioCore, .nioPosix, .logging,
            ],
            path: "Benchmarks/m2m-bench", swiftSettings: strict),
        c("CSimulatedDisk", path: "Tests/SimulatedDisk", links: ["sqlite3"]),
        .target(
            name: "TestSupport",
            dependencies: [
                "DeviceModel", "HAL", "HALTestKit", "ConfigurationSchema", "Components", "DeviceManager",
                "CSimulatedDisk", .logging,
            ],
            path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "DeviceModel", "ConfigurationSchema", "Wire", "HALSimulated", "DeviceManager", "Transport", "TOMLFile",
                .nioCore, .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            path: "Tests/FuzzTargets", swiftSettings: strict),
        tests("FuzzTests", uses: ["FuzzTargets", "TestSupport"]),
        tests("DeviceModelTests", uses: ["DeviceModel", "CLinux", "HALTestKit", "TestSupport"]),
        tests("ConfigurationSchemaTests", uses: ["ConfigurationSchema", "DeviceModel"]),
        tests("WireTests", uses: ["Wire", "DeviceModel", "TestSupport"]),
        tests(
            "HALTests",
            uses: [
                "DeviceModel", "HAL", "HALSimulated", "HALTestKit", "ConfigurationSchema", "TOMLFile", "TestSupport",
            ]),
        tests(
            "ComponentsTests",
            uses: [
                "Components", "DeviceModel", "HAL", "HALSimulated", "HALTestKit", "ConfigurationSchema", "TestSupport",
            ]),
        tests(
            "DeviceManagerTests",
            uses: [
                "DeviceManager", "DeviceModel", "Components", "HAL", "HALSimulated", "HALTestKit",
                "ConfigurationSchema",
                "TOMLFile", "TestSupport", .logging, .lifecycle,
            ]),
        tests(
            "KeeperTests",
            uses: [
                "Keeper", "CKeeper", "DeviceManager", "DeviceModel", "Components", "HAL", "HALSimulated", "HALTestKit",
                "TestSupport", .logging,
            ]),
        tests(
            "FileIntegrityTests",
            uses: [
                "FileIntegrity", "DeviceManager", "DeviceModel", "CFiles", "HALTestKit", "TestSupport", .logging,
            ]),
        tests(
            "TransportTests",
            uses: [
                "Transport", "CLinux", "DeviceModel", "Router", "TestSupport", .nioCore, .nioPosix, .nioHTTP1,
                .nioWebSocket, .nioSSL,
                .product(name: "NIOEmbedded", package: "swift-nio"), .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ]),
        tests(
            "RouterTests",
            uses: [
                "Router", "Wire", "DeviceModel", "Transport", "TestSupport", "HALTestKit", .nioCore, .nioPosix,
                .logging, .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        tests(
            "LinkTests",
            uses: [
                "Link", "DeviceManager", "DeviceModel", "Wire", "Transport", "Router", "Store", "HAL", "HALSimulated",
                "HALTestKit", "ConfigurationSchema", "TOMLFile", "TestSupport", .nioCore, .nioPosix, .nioHTTP1, .nioSSL,
                .logging, .lifecycle, .product(name: "Crypto", package: "swift-crypto"),
            ]),
        tests(
            "LocalAPITests",
            uses: [
                "LocalAPI", "DeviceManager", "DeviceModel", "Wire", "Transport", "Client", "HAL", "HALSimulated",
                "HALTestKit", "ConfigurationSchema", "TOMLFile", "TestSupport", .nioCore, .nioPosix, .logging,
                .lifecycle,
            ]),
        tests(
            "ClientTests",
            uses: [
                "Client", "DeviceModel", "Wire", "Transport", "Router", "HALTestKit", "TestSupport", .nioCore,
                .nioPosix, .nioHTTP1, .nioSSL, .logging,
            ]),
        tests("TerminalTests", uses: ["Terminal", "DeviceModel", "TestSupport", .argumentParser]),
        tests(
            "ProgramTests",
            uses: [
                "TestSupport", "DeviceModel", "m2m-agent", "m2m-router", "m2m", "websocket-conformance", .nioCore,
                .nioPosix, .nioSSL, .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        tests(
            "EndToEndTests",
            uses: [
                "m2m-agent", "Router", "Client", "Link", "DeviceManager", "DeviceModel", "Wire", "TestSupport",
                .nioCore, .nioPosix, .logging, .lifecycle,
            ]),
        tests(
            "DocumentTests",
            uses: [
                "Components", "ConfigurationSchema", "DeviceManager", "HALSimulated", "TOMLFile", "Wire", "TestSupport",
                "m2m-agent", "m2m-router",
            ]),
        tests("ArchitectureTests", uses: ["TestSupport"]),
        tests(
            "StoreTests",
            uses: ["Store", "DeviceManager", "DeviceModel", "HALTestKit", "TestSupport"]),
        tests(
            "SimulationTests",
            uses: [
                "DeviceModel", "DeviceManager", "Store", "Link", "Router", "Wire", "CSimulatedDisk", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        tests(
            "DoctorTests",
            uses: [
                "Doctor", "DeviceModel", "DeviceManager", "ConfigurationSchema", "TOMLFile", "Transport",
            ]),
        tests("TOMLFileTests", uses: ["TOMLFile", "ConfigurationSchema"]),
    ] + fuzzer,
    cLanguageStandard: .gnu17,
    cxxLanguageStandard: .cxx20
)
