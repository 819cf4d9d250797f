/* csqlite - SQLite's own C interface, with the macros that Swift cannot read as functions. */
#ifndef CSQLITE_H
#define CSQLITE_H

#include <sqlite3.h>

/* Binds bytes that SQLite copies before this returns (SQLITE_TRANSIENT). */
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int count) {
    return sqlite3_bind_text(statement, index, text, count, SQLITE_TRANSIENT);
}

static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}

#endif
