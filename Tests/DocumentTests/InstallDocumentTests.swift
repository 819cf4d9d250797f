import Foundation
import TestSupport
import Testing

/// What Docs/Install.md tells people to type is what the packages are tried with, on a real system.
@Suite struct InstallDocumentTests {
    @Test("each command is one of Scripts/vm/packages-test, or says nothing of the packages")
    func commands() throws {
        let tried = try Document("Scripts/vm/packages-test").lines.joined(separator: "\n")
        let commands = try Document("Docs/Install.md").blocks.filter { $0.kind == "sh" }
            .flatMap { $0.text.split(separator: "\n").map(String.init) }
        #expect(commands.count > 12)
        for command in commands where !["make deb", "sudo usermod -aG m2m $USER"].contains(command) {
            // There the router is on the same machine, and nobody is asked.
            let here = command.replacing("router.example", with: "127.0.0.1").replacing("ca.pem", with: "/tmp/ca.pem")
                .replacing("tls//tmp/", with: "tls/").replacing("apt ", with: "apt --yes ")
                .replacing(" ./m2m", with: " ./one/m2m")
            #expect(tried.contains(here) || here.contains("/m2m_*"), "\(command), there as \(here)")
        }
    }

    @Test("it names the packages that there are")
    func packages() throws {
        let names = try Document("Packaging/debian/control").lines.filter { $0.hasPrefix("Package: ") }
            .map { String($0.dropFirst("Package: ".count)) }
        #expect(Set(names) == ["m2m-agent", "m2m-router", "m2m"])
        let text = try Document("Docs/Install.md").lines.joined(separator: "\n")
        for name in names { #expect(text.contains("./\(name)_*.deb"), "\(name)") }
    }
}
