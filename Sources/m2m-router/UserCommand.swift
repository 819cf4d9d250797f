import ArgumentParser
import DeviceModel
import Router
import Terminal

struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Manage the accounts.",
        subcommands: [Add.self, List.self, Secrets.self, Unlock.self, Remove.self])

    struct DataOption: ParsableArguments {
        @Option(help: "The router's folder. (default: /var/lib/m2m-router)")
        var data: String = RouterSettings.standardDirectory

        func administration() throws -> RouterAdministration {
            try RouterAdministration(dataDirectory: data, time: try SystemTime())
        }
    }

    /// What a person chooses: the password and the security code.
    private static func newSecrets() throws -> (password: String, code: String) {
        (
            try SecretReader.read("Password", isNew: true),
            try SecretReader.read("Security code (six digits)", isNew: true)
        )
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an account; password and security code from a prompt, or two lines on standard input.")

        @Argument(help: "The account's name.")
        var name: String

        @OptionGroup var data: DataOption

        func run() async throws {
            let administration = try data.administration()
            try await administration.check(newName: name)
            let (password, code) = try UserCommand.newSecrets()
            try await administration.addAccount(name, password: password, code: code)
            Output.line("account '\(name)' is there")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the accounts.")

        @OptionGroup var data: DataOption
        @Flag(help: "One JSON object a line.")
        var json = false

        func run() async throws {
            let accounts = try await data.administration().accounts()
            var table = TextTable(["ACCOUNT", "STATE"])
            for account in accounts {
                var object = JSONObject()
                object.add("user", account.name)
                object.add("locked", account.isLocked)
                if json { Output.line(object.text) }
                table.add([account.name, account.isLocked ? Style.bad.apply("locked") : "open"])
            }
            if !json {
                (table.isEmpty ? ["no accounts yet; `m2m-router user add NAME` makes one"] : table.lines).forEach(
                    Output.line)
            }
        }
    }

    struct Secrets: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an account another password and security code, and end its sessions.",
            discussion: "Both come from a prompt, or as two lines on standard input. A locked account is open then.")

        @Argument(help: "The account's name.")
        var name: String

        @OptionGroup var data: DataOption

        func run() async throws {
            let administration = try data.administration()
            try await administration.check(name: name)
            let (password, code) = try UserCommand.newSecrets()
            try await administration.changeSecrets(name, password: password, code: code)
            Output.line("account '\(name)' has other secrets, and is logged in nowhere")
        }
    }

    struct Unlock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Unlock an account after five wrong codes.")

        @Argument(help: "The account's name.")
        var name: String

        @OptionGroup var data: DataOption

        func run() async throws {
            try await data.administration().unlock(name)
            Output.line("account '\(name)' is open")
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an account with its devices and their history.")

        @Argument(help: "The account's name.")
        var name: String

        @OptionGroup var data: DataOption

        func run() async throws {
            let administration = try data.administration()
            if SecretReader.isInteractive {
                let answer = SecretReader.answer(
                    "Remove '\(name)', all its devices and their history? Type the name again:")
                guard answer == name else {
                    Output.error("nothing was removed")
                    throw ProgramExit(.failed)
                }
            }
            try await administration.removeAccount(name)
            Output.line("account '\(name)' is gone")
        }
    }
}
