import Transport

extension FuzzTarget {
    /// What a server says that it is.
    static let certificates = [
        // The certificate of a server, and the same once more as that of the CA above it.
        FuzzTarget("certificates") { (bytes) throws(BrokenPromise) in
            let refusals = [[bytes], [bytes, bytes]].map(CertificateRules.refusal(of:))
            for refusal in refusals.compactMap(\.self) where refusal.utf8.count > longestRefusal {
                throw BrokenPromise("\(refusal.utf8.count) bytes are said of a certificate of \(bytes.count)")
            }
            guard let unreadable = CertificateRules.refusal(of: [[]]) else { throw BrokenPromise("nothing is fine") }
            return refusals.contains(unreadable) ? .refused(unreadable) : .read
        }
    ]

    /// What is wrong is said in a log and on a terminal: 8 names of 253 bytes, and some words.
    private static let longestRefusal = 2_400
}
