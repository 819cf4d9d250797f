import Testing

@testable import Router

/// Promise: the work of passwords is bounded, and strangers can't keep those from it who have been here before.
@Suite struct WorkPlacesTests {
    @Test("One address has four places, all strangers twelve, and who is known the last four")
    func bounds() {
        var places = WorkPlaces()
        for source in ["a", "b", "c"] {
            for _ in 0..<4 { #expect(places.take(source, isKnown: false) == true) }
            #expect(places.take(source, isKnown: true) == false)
        }
        #expect(places.take("d", isKnown: false) == false)
        for _ in 0..<4 { #expect(places.take("d", isKnown: true) == true) }
        #expect(places.take("e", isKnown: true) == false)
        places.leave("d")
        #expect(places.take("e", isKnown: false) == false)
        #expect(places.take("e", isKnown: true) == true)
    }

    @Test("A place that is left can be taken again, and only once")
    func left() {
        var places = WorkPlaces()
        for _ in 0..<4 { _ = places.take("a", isKnown: false) }
        places.leave("a")
        #expect(places.take("a", isKnown: false) == true)
        #expect(places.take("a", isKnown: false) == false)
    }
}
