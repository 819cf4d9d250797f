import DeviceModel

/// The watch over the files as a component: what it says goes up by the same road as everything else.
enum IntegrityComponent {
    /// Its name, which no other component may have.
    static let id = ComponentID.integrity

    /// What it can tell.
    static let description = ComponentDescription(
        id: id, model: "integrity", label: "Watch over this device's files",
        properties: [
            PropertyDescription(
                "state", "State: \(IntegrityStatus.State.allCases.map(\.rawValue).joined(separator: ", "))", type: .text
            ),
            PropertyDescription("changes", "Files that are not as approved", type: .integer),
        ],
        events: IntegrityNews.Name.allCases.map { EventDescription($0.rawValue, $0.title) })

    /// What is observed of its state.
    static func readings(_ status: IntegrityStatus) -> [Observation.Content] {
        [
            .reading(Reading(component: id, property: "state", value: .text(status.state.rawValue))),
            .reading(Reading(component: id, property: "changes", value: .integer(Int64(status.changes)))),
        ]
    }
}
