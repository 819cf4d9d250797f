/* csqlite - SQLite's own C interface, with the macros that Swift cannot read as functions. */
#ifndef CSQLITE_H
#define CSQLITE_H

#include <sqlite3.h>
#include <stddef.h>

/* Binds bytes that SQLite copies before this returns (SQLITE_TRANSIENT). */
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int count) {
    return sqlite3_bind_text(statement, index, text, count, SQLITE_TRANSIENT);
}

static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}

/*
 * Before anything else is asked of SQLite: pages are taken from the heap as they are needed, not twenty at once for
 * each connection (SQLITE_CONFIG_PAGECACHE). Where SQLite is in use already, nothing changes.
 */
static inline void csqlite_save_memory(void) { sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0); }

#endif
