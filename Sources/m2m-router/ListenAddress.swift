import ArgumentParser
import DeviceModel

/// Where a router listens: `HOST:PORT`, or a port alone for this machine only.
///
/// Port 0 lets the system choose.
struct ListenAddress: ExpressibleByArgument {
    let address: RouterAddress

    init?(argument: String) {
        if argument.hasSuffix(":0"), let any = RouterAddress("wss://" + argument.dropLast(2)) {
            address = RouterAddress(host: any.host, port: 0)
        } else if let port = Int(argument), (0...65_535).contains(port) {
            address = RouterAddress(host: "127.0.0.1", port: port)
        } else {
            guard argument.contains(":"), let address = RouterAddress("wss://\(argument)") else { return nil }
            self.address = address
        }
    }
}
