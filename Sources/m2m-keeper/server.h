/*
 * server - the keeper at work: a socket, at most eight connections, one poll loop around the core.
 *
 * It sleeps until something arrives or is due; once its lines are taken, the service manager knows that and nobody
 * crowds at its door, nothing is due while every output is safe. No memory is allocated after the start, but by
 * libgpiod while it takes a line, and all that there is stays in memory. It waits for a disk when it reads its table,
 * and at no other time, unless standard error is a file or its socket is on one.
 */
#ifndef M2M_KEEPER_SERVER_H
#define M2M_KEEPER_SERVER_H

#define SERVER_CONNECTION_LIMIT 8

/* The exit statuses of the program; 2 is that of a command that was written wrongly. */
enum server_exit {
    SERVER_EXIT_DONE = 0,
    SERVER_EXIT_FAILED = 1,
    SERVER_EXIT_USAGE = 2,
    SERVER_EXIT_UNREACHABLE = 3,
    SERVER_EXIT_DENIED = 4,
    SERVER_EXIT_TABLE = 78, /* EX_CONFIG: no table, or a damaged one */
};

/* Holds the outputs of a table until SIGTERM, SIGINT or SIGHUP. Returns the exit status. */
int server_run(const char *table_path, const char *socket_path);

#endif
