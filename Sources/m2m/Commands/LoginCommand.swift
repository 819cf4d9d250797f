import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in to a router; password and security code from a prompt, or two lines on standard input.")

    @Argument(help: "The router, such as https://router.example or wss://192.168.1.5:8443.")
    var url: String

    @Option(help: "Your account.")
    var user: String

    @Option(help: "The router's CA (its tls/ca.pem), where the system does not know its certificate.")
    var ca: String?

    func run() async throws {
        guard let address = RouterAddress(url) else {
            throw ValidationError("'\(url)' is no router's address: write https://HOST[:PORT] or wss://HOST[:PORT]")
        }
        let pem = try ca.map { path in
            guard let bytes = try SafeFile.read(path) else {
                throw ClientError(.notFound, path, "\(path) does not exist; it should hold the router's CA")
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard text.contains("-----BEGIN CERTIFICATE-----") else {
                throw ClientError(
                    .badRequest, path, "\(path) holds no certificate (PEM); the router's CA is in its tls/ca.pem")
            }
            return text
        }
        let password = try SecretReader.read("Password")
        let session = try await RouterLogin.login(to: address, user: user, ca: pem, password: password) {
            try SecretReader.read("Security code")
        }
        try session.save()
        Output.line("logged in to \(address) as \(session.user)")
    }
}

struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "logout", abstract: "End the session for good.")

    func run() async throws {
        guard let session = try StoredSession.load() else { return Output.line("you were not logged in") }
        do {
            try await RouterLogin.logout(try await Place.router())
        } catch let failure as Failure where failure.code == .notAuthenticated {
            // It has ended by itself.
        }
        StoredSession.remove()
        Output.line("logged out of \(session.url)")
    }
}

struct WhoamiCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "whoami", abstract: "Show who you are, and where.")

    @OptionGroup var format: Format

    func run() async throws {
        var connection = try StoredSession.load() == nil ? try await Place.local() : try await Place.router()
        format.show(try await connection.ask(.whoami))
        await connection.close()
    }
}
