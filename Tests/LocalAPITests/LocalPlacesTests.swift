import Testing

@testable import LocalAPI

/// Promise: nobody who may only read, or nothing, keeps those from the local socket who may switch.
@Suite struct LocalPlacesTests {
    private func fill(_ places: inout LocalPlaces, _ level: LocalAccess.Level, users: Range<UInt32>) -> Int {
        users.reduce(0) { count, user in
            var (count, isRoom) = (count, true)
            while isRoom {
                isRoom = places.take(user, level) != nil
                if isRoom { count += 1 }
            }
            return count
        }
    }

    @Test("However many may read or may nothing, those who may switch find all their places")
    func apart() {
        var places = LocalPlaces()
        #expect(fill(&places, .nothing, users: 2_000..<2_100) == 4)
        #expect(fill(&places, .read, users: 1_000..<1_100) == 16)
        #expect(fill(&places, .control, users: 0..<1) == 32)
    }

    @Test("One reader leaves room for another one")
    func readers() {
        var places = LocalPlaces()
        #expect(fill(&places, .read, users: 1_000..<1_001) == 8)
        #expect(places.take(1_001, .read) != nil)
    }

    @Test("A place that is left can be taken again, and only once")
    func left() throws {
        var places = LocalPlaces()
        let mine = try #require(places.take(0, .control) as LocalPlaces.Place?)
        #expect(fill(&places, .control, users: 0..<1) == 31)
        places.leave(mine)
        #expect(places.take(0, .control) != nil)
        #expect(places.take(0, .control) == nil)
    }
}
