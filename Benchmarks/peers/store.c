/*
 * store - what plain C puts into SQLite in a second: the peer of the agent's store in `make bench`.
 *
 * The same rows into the same table with the same indexes and pragmas as in Sources/DeviceManager/Store, numbered in
 * the same transaction. What the agent's store does besides is not done here: no bounds, no gaps, no check of anything.
 */
#include "peer.h"

#include <getopt.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/stat.h>

static const char help[] =
    "usage: store FILE [--rows N] [--batch N]\n"
    "\n"
    "  FILE       a database, made where there is none; it may be one that the agent has made\n"
    "  --rows N   how many rows (200000)\n"
    "  --batch N  how many of them in a transaction (100)\n"
    "\n"
    "Prints a JSON object: the time from the first BEGIN to the end of the last COMMIT, what the process has worked\n"
    "meanwhile and what it gave to the disk, and the size of the database when it is closed.\n";

static const char pragmas[] = "PRAGMA busy_timeout = 2000;"
                              "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = FULL;"
                              "PRAGMA journal_size_limit = 1048576;"
                              "PRAGMA wal_autocheckpoint = 250;";

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS streams (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, next INTEGER NOT NULL)"
    "    WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS observations ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    stream TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    "    boot INTEGER NOT NULL, at INTEGER NOT NULL, wall INTEGER NOT NULL, synced INTEGER NOT NULL,"
    "    kind INTEGER NOT NULL, component TEXT NOT NULL, name TEXT NOT NULL,"
    "    type TEXT, value, quality TEXT, reason TEXT, command TEXT, status TEXT);"
    "CREATE INDEX IF NOT EXISTS observationNumbers ON observations (stream, epoch, sequence);"
    "CREATE INDEX IF NOT EXISTS observationStreams ON observations (stream);";

static const char insert_row[] =
    "INSERT INTO observations (stream, epoch, sequence, boot, at, wall, synced, kind, component, name, type, value,"
    "    quality, reason, command, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

static sqlite3 *database;

/* What a stream goes on from. */
struct stream {
    int64_t epoch, next;
};

static void check(int result) {
    if (result != SQLITE_OK && result != SQLITE_ROW && result != SQLITE_DONE) die("%s", sqlite3_errmsg(database));
}

static void execute(const char *sql) { check(sqlite3_exec(database, sql, NULL, NULL, NULL)); }

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL));
    return statement;
}

/* Runs a statement that gives no rows. */
static void run(sqlite3_stmt *statement) {
    check(sqlite3_step(statement));
    check(sqlite3_reset(statement));
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text) {
    check(sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC));
}

static void open_database(const char *path) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(path, &database, flags, NULL) != SQLITE_OK) die("%s can't be opened", path);
    execute(pragmas);
    execute(tables);
}

/* The stream of readings, begun with a random epoch where there is none. */
static struct stream open_stream(void) {
    int64_t epoch;
    if (getrandom(&epoch, sizeof epoch, 0) != sizeof epoch) die("there is no randomness");
    sqlite3_stmt *begin = prepare("INSERT OR IGNORE INTO streams (name, epoch, next) VALUES ('telemetry', ?, 1)");
    check(sqlite3_bind_int64(begin, 1, epoch));
    run(begin);
    sqlite3_finalize(begin);
    sqlite3_stmt *known = prepare("SELECT epoch, next FROM streams WHERE name = 'telemetry'");
    check(sqlite3_step(known));
    struct stream stream = {sqlite3_column_int64(known, 0), sqlite3_column_int64(known, 1)};
    sqlite3_finalize(known);
    return stream;
}

/* One reading of two sensors that take turns, each once a second. */
static void insert_reading(sqlite3_stmt *insert, const struct stream *stream, int64_t started) {
    int64_t at = stream->next * 500000000;
    bool is_first = stream->next % 2 == 0;
    bind_text(insert, 1, "telemetry");
    check(sqlite3_bind_int64(insert, 2, stream->epoch));
    check(sqlite3_bind_int64(insert, 3, stream->next));
    check(sqlite3_bind_int64(insert, 4, 1));
    check(sqlite3_bind_int64(insert, 5, at));
    check(sqlite3_bind_int64(insert, 6, started + at));
    check(sqlite3_bind_int64(insert, 7, 1));
    check(sqlite3_bind_int64(insert, 8, 0));
    bind_text(insert, 9, is_first ? "climate" : "cellar");
    bind_text(insert, 10, is_first ? "temperature" : "pressure");
    bind_text(insert, 11, "number");
    check(sqlite3_bind_double(insert, 12, (is_first ? 290 : 100000) + (double)(stream->next % 1000) / 100));
    bind_text(insert, 13, "good");
    run(insert); /* 14 to 16 stay NULL: reason, command, status */
}

/* What the kernel has been given to write, as proc(5) counts it: pages that were made dirty. -1: not known. */
static long long written_bytes(void) {
    long long bytes = -1;
    char line[128];
    FILE *file = fopen("/proc/self/io", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "write_bytes: %lld", &bytes);
    if (file != NULL) fclose(file);
    return bytes;
}

int main(int count, char **arguments) {
    static const struct option options[] = {
        {"rows", required_argument, NULL, 'r'}, {"batch", required_argument, NULL, 'b'}, {NULL, 0, NULL, 0}};
    long rows = 200000, batch = 100;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 'r')
            rows = number(optarg, 1, 1000000000);
        else if (option == 'b')
            batch = number(optarg, 1, 1000000);
        else
            usage(help);
    }
    if (optind + 1 != count) usage(help);
    const char *path = arguments[optind];

    open_database(path);
    struct stream stream = open_stream();
    sqlite3_stmt *begin = prepare("BEGIN IMMEDIATE"), *commit = prepare("COMMIT"), *insert = prepare(insert_row);
    sqlite3_stmt *advance = prepare("UPDATE streams SET next = ? WHERE name = 'telemetry'");
    int64_t wall = (int64_t)time(NULL) * 1000000000;

    long long written = written_bytes();
    double start = seconds(CLOCK_MONOTONIC), worked = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (long row = 0; row < rows;) {
        run(begin);
        for (long end = row + batch; row < end && row < rows; row++, stream.next++)
            insert_reading(insert, &stream, wall);
        check(sqlite3_bind_int64(advance, 1, stream.next));
        run(advance);
        run(commit);
    }
    double took = seconds(CLOCK_MONOTONIC) - start;
    worked = seconds(CLOCK_PROCESS_CPUTIME_ID) - worked;
    written = written < 0 ? written : written_bytes() - written;

    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    sqlite3_finalize(insert);
    sqlite3_finalize(advance);
    struct stat file;
    if (sqlite3_close(database) != SQLITE_OK || stat(path, &file) != 0) die("%s can't be closed", path);
    printf("{\"peer\":\"store\",\"rows\":%ld,\"batch\":%ld,\"seconds\":%.6f,\"rows_per_second\":%.1f,"
           "\"cpu_seconds\":%.6f,\"bytes\":%lld,\"written_bytes\":%lld}\n",
           rows, batch, took, (double)rows / took, worked, (long long)file.st_size, written);
    return 0;
}
