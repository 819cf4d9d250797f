extension MessagePackWriter {
    /// A map whose keys are known: each ``field(_:_:)-(String,String?)`` inside adds one, unless its value is nil.
    public mutating func writeMap(_ fields: (inout MessagePackWriter) -> Void) {
        let head = beginMap()
        fields(&self)
        endMap(head)
    }

    /// A list, each element written by a closure.
    public mutating func writeArray<Element>(
        _ elements: some Collection<Element>, _ write: (inout MessagePackWriter, Element) -> Void
    ) {
        writeArray(elements.count)
        for element in elements { write(&self, element) }
    }

    /// A field with a text.
    public mutating func field(_ name: String, _ text: String?) {
        guard let text else { return }
        key(name)
        write(text)
    }

    /// A field with a whole number.
    public mutating func field(_ name: String, _ number: Int64?) {
        guard let number else { return }
        key(name)
        write(number)
    }

    /// A field with a whole number that is not negative.
    public mutating func field(_ name: String, _ number: UInt64?) {
        guard let number else { return }
        key(name)
        write(number)
    }

    /// A field with a whole number.
    public mutating func field(_ name: String, _ number: Int?) {
        field(name, number.map(Int64.init))
    }

    /// A field with a number.
    public mutating func field(_ name: String, _ number: Double?) {
        guard let number else { return }
        key(name)
        write(number)
    }

    /// A field with a truth value.
    public mutating func field(_ name: String, _ boolean: Bool?) {
        guard let boolean else { return }
        key(name)
        write(boolean)
    }

    /// A field with bytes.
    public mutating func field(_ name: String, _ data: [UInt8]?) {
        guard let data else { return }
        key(name)
        write(data)
    }

    /// A field with a list, each element written by a closure.
    public mutating func field<Element>(
        _ name: String, _ elements: some Collection<Element>, _ write: (inout MessagePackWriter, Element) -> Void
    ) {
        key(name)
        writeArray(elements, write)
    }

    /// A field whose value a closure writes; nothing where the value is nil.
    public mutating func field<Value>(
        _ name: String, _ value: Value?, _ write: (inout MessagePackWriter, Value) -> Void
    ) {
        guard let value else { return }
        key(name)
        write(&self, value)
    }
}
