public import NIOCore

extension NIOBSDSocket.Option {
    /// For how long what was sent may stay unacknowledged, in milliseconds (`TCP_USER_TIMEOUT`, tcp(7)).
    public static let userTimeout = NIOBSDSocket.Option(rawValue: 18)
    /// How many bytes may wait in the kernel that were not sent yet (`TCP_NOTSENT_LOWAT`, tcp(7)).
    public static let notSentLowWaterMark = NIOBSDSocket.Option(rawValue: 25)
}

/// How the sockets of connections are set.
public enum TCPSettings {
    /// The kernel gives a connection up at the time at which this end's own clock would: 45 s.
    public static let userTimeout: Int = 45_000
    /// No more than this waits before a message that is in a hurry: 16 KiB.
    public static let notSentLowWaterMark: Int = 16_384
}
