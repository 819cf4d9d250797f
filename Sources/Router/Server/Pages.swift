import DeviceModel
import Hummingbird

/// What a browser sees of a router.
enum Pages {
    static var router: Hummingbird.Router<BasicRequestContext> {
        let router = Hummingbird.Router(options: .autoGenerateHeadEndpoints)
        router.get("/") { _, _ in welcome }
        router.get("/health") { _, _ in "ok\n" }
        return router
    }

    private static let welcome = """
        This is an m2m router, version \(Version.current).

        Devices connect here by themselves. To see and steer yours, use the command line:

            m2m login https://THIS-HOST:PORT --user NAME --ca ca.pem

        """
}
