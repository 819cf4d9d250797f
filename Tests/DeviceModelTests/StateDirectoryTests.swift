import DeviceModel
import Glibc
import TestSupport
import Testing

/// A folder with state belongs to one process at a time, and says so to the second.
@Suite struct StateDirectoryTests {
    private static let owner = StateDirectory.Owner("agent", setting: "device.state_directory")

    @Test func itIsMadeAndHeldByOne() throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("var/lib/agent")
        var held: StateDirectory? = try StateDirectory(path, of: Self.owner)
        #expect(held?.file("x") == "\(path)/x")
        #expect { try StateDirectory(path, of: Self.owner) } throws: {
            "\($0)".contains("another agent (process ") && ($0 as? StateDirectoryError)?.code == .busy
        }
        held = nil
        _ = try StateDirectory(path, of: Self.owner)
    }

    @Test func itIsHeldAlsoWhereItsLockFileWent() throws {
        let folder = try TemporaryDirectory()
        let held = try StateDirectory(folder.path, of: Self.owner)
        #expect(unlink(held.file("lock")) == 0)
        #expect { try StateDirectory(folder.path, of: Self.owner) } throws: {
            ($0 as? StateDirectoryError)?.code == .busy
        }
        withExtendedLifetime(held) {}
    }

    @Test func whereItCannotBeItSaysWhatToDo() {
        #expect { try StateDirectory("/proc/agent", of: Self.owner) } throws: {
            "\($0)".contains("device.state_directory")
        }
    }
}
