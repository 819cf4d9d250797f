/// All models of components that there are.
///
/// A new one is added here, and nowhere else.
public enum Catalogue {
    /// The models, in the order in which the documentation lists them.
    public static let models: [any Component.Type] = [
        BMP280.self,
        Button.self,
        Contact.self,
        Relay.self,
        HostSystem.self,
    ]

    /// The model of a name, if there is one.
    public static func model(named name: String) -> (any Component.Type)? {
        models.first { $0.model == name }
    }
}
