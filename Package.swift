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
    .executableTarget(name: name, dependencies: uses, swiftSettings: strict)
}

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
    static let nioSSL: Self = .product(name: "NIOSSL", package: "swift-nio-ssl")
    static let logging: Self = .product(name: "Logging", package: "swift-log")
    static let lifecycle: Self = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
}

let package = Package(
    name: "m2m",
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    ],
    targets: [
        // 0: C
        c("CSystem", path: "Sources/DeviceModel/CSystem"),
        c("CGPIO", path: "Sources/HAL/CGPIO", links: ["gpiod"]),
        c("CI2C", path: "Sources/HAL/CI2C", links: ["i2c"]),
        c("CCrypto", path: "Sources/DeviceManager/CCrypto", links: ["crypto"]),
        .systemLibrary(name: "CSQLite", path: "Sources/DeviceManager/CSQLite"),
        .target(
            name: "CTOML", path: "Sources/DeviceManager/CTOML",
            cxxSettings: [.treatAllWarnings(as: .error), .enableWarning("all"), .enableWarning("extra")]),

        // 1: what all speak
        storey("DeviceModel", exclude: ["CSystem"], uses: ["CSystem"]),

        // 2: what can be asked of a board, what can be written in a file, what can be sent
        storey("HAL", path: "Sources/HAL/Interface", uses: ["DeviceModel"]),
        storey("Configuration", path: "Sources/DeviceManager/Configuration", uses: ["DeviceModel"]),
        storey("Wire", uses: ["DeviceModel"]),

        // 3: the equipment, and the boards on which it runs
        storey("Components", uses: ["DeviceModel", "HAL", "Configuration", .logging]),
        storey("HALLinux", path: "Sources/HAL/Linux", uses: ["DeviceModel", "HAL", "CSystem", "CGPIO", "CI2C"]),
        storey("HALSimulated", path: "Sources/HAL/Simulated", uses: ["DeviceModel", "HAL", "Configuration"]),
        storey("HALTestKit", path: "Sources/HAL/TestKit", uses: ["DeviceModel", "HAL"]),

        // 4: what the agent is without network, disk and files; how messages travel
        storey(
            "DeviceManager", path: "Sources/DeviceManager/Core",
            uses: ["DeviceModel", "Configuration", "HAL", "Components", .logging, .lifecycle]),

        // 5: what hangs above the heart and reaches outside
        storey(
            "TOMLFile", path: "Sources/DeviceManager/TOMLFile", uses: ["DeviceModel", "Configuration", "CTOML"]),
        storey(
            "Store", path: "Sources/DeviceManager/Store", uses: ["DeviceModel", "DeviceManager", "CSQLite"]),

        // What is tested, in the same storeys
        .target(
            name: "TestSupport",
            dependencies: [
                "DeviceModel", "HAL", "HALTestKit", "Configuration", "Components", "DeviceManager", .logging,
            ],
            path: "Tests/TestSupport", swiftSettings: strict),
        tests("DeviceModelTests", uses: ["DeviceModel", "HALTestKit", "TestSupport"]),
        tests("ConfigurationTests", uses: ["Configuration", "DeviceModel"]),
        tests("WireTests", uses: ["Wire", "DeviceModel", "TestSupport"]),
        tests(
            "HALTests",
            uses: ["DeviceModel", "HAL", "HALSimulated", "HALTestKit", "Configuration", "TOMLFile", "TestSupport"]),
        tests(
            "ComponentsTests",
            uses: ["Components", "DeviceModel", "HAL", "HALSimulated", "HALTestKit", "Configuration", "TestSupport"]),
        tests(
            "DeviceManagerTests",
            uses: [
                "DeviceManager", "DeviceModel", "HAL", "HALSimulated", "HALTestKit", "Configuration", "TOMLFile",
                "TestSupport", .logging, .lifecycle,
            ]),
        tests("StoreTests", uses: ["Store", "DeviceManager", "DeviceModel", "HALTestKit", "TestSupport"]),
        tests("TOMLFileTests", uses: ["TOMLFile", "Configuration"]),
    ],
    cLanguageStandard: .gnu17,
    cxxLanguageStandard: .cxx20
)
