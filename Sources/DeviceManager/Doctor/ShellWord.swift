extension String {
    /// The text as one word of a command that somebody types: in quotes where the shell would make anything else of it
    /// (POSIX.1-2017, Shell Command Language, 2.2.2).
    var shellWord: String {
        let isPlain =
            !isEmpty
            && utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true  // digits and letters
                default: "/._-+,:@%".utf8.contains(byte)
                }
            }
        return isPlain
            ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
