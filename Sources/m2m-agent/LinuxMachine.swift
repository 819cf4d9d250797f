import CLinux
import DeviceModel
import Doctor
import Glibc
import Link
import NIOCore
import Transport

/// This machine, as the doctor looks at it.
struct LinuxMachine: Machine {
    let time: any TimeSource
    let group: any EventLoopGroup
    private let queue = BlockingQueue(label: "m2m.doctor")

    init(time: any TimeSource, group: any EventLoopGroup) {
        self.time = time
        self.group = group
    }

    func text(of path: String) throws(FileError) -> String? {
        try SafeFile.read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }

    func node(_ path: String) -> DeviceNode? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let group = getgrgid(status.st_gid).map { String(cString: $0.pointee.gr_name) }
        return DeviceNode(group: group ?? "\(status.st_gid)", isOpenToGroup: status.st_mode & 0o060 == 0o060)
    }

    func disk(under path: String) -> DiskSpace? {
        var disk = statvfs()
        guard statvfs(path, &disk) == 0 else { return nil }
        let block = Int(disk.f_frsize)
        return DiskSpace(
            size: Int(disk.f_blocks) * block, free: Int(disk.f_bavail) * block,
            isReadOnly: disk.f_flag & 1 != 0)  // ST_RDONLY
    }

    func hasGroup(_ name: String) -> Bool { getgrnam(name) != nil }

    func run(_ words: [String]) async -> ProgramResult? {
        await queue.run { ShortProgram(words).result() } ?? nil
    }

    func canResolve(_ host: String) async -> Bool {
        await queue.run {
            var result: UnsafeMutablePointer<addrinfo>?
            defer { freeaddrinfo(result) }
            return getaddrinfo(host, nil, nil, &result) == 0
        } ?? false
    }

    func reach(_ router: RouterAddress, _ trust: TLSTrust) async throws(TransportError) {
        let client = WebSocketClient(group: group, agent: M2MAgent.software)
        try await client.connect(to: router, path: RouterAccess.path, trust: trust).close()
    }

    var wall: WallTime { time.wall }
    var isClockSynchronised: Bool { time.isWallSynchronised }
    var isRoot: Bool { getuid() == 0 }
}
