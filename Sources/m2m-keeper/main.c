/*
 * m2m-keeper - holds the output lines of a device, and makes them safe when the agent that steers them does not live.
 *
 * An output must stay what it is while the agent is restarted, and must become safe when the agent is gone for good.
 * Neither can be had from a process that may die, for what the kernel does to a line whose holder died differs. So this
 * program holds the lines, does nothing else, and is small enough to be read in one sitting:
 *
 *     table.h      which outputs there are: the file that the agent has written
 *     line.h       finding and taking the line of an output
 *     keeper.h     the core: deadlines, heartbeats, what happens without the agent; orders.c: its answers
 *     listener.h   the socket, and who may come in
 *     server.h     the loop around all that
 *     commands.h   check and status, for people
 *     clock.h      the time
 *     text.h       words
 */
#include "cgpio.h"
#include "commands.h"
#include "keeper_protocol.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef M2M_VERSION
#define M2M_VERSION "unknown"
#endif

static const char help[] =
    "m2m-keeper holds the output lines of this device, and makes them safe when m2m-agent is gone.\n"
    "\n"
    "  m2m-keeper run     [--table FILE] [--socket PATH]    hold the outputs of the table\n"
    "  m2m-keeper check   [--table FILE]                    look at the lines of the table, without taking them\n"
    "  m2m-keeper status  [--socket PATH] [--json]          how the outputs of the running keeper are\n"
    "  m2m-keeper version | help\n"
    "\n"
    "  --table FILE   default " KEEPER_TABLE ", written by m2m-agent\n"
    "  --socket PATH  default " KEEPER_SOCKET "\n"
    "\n"
    "Exit status: 0 done; 1 it failed, or a line can't be had; 2 the command is wrong; 3 no keeper can be reached, or\n"
    "it does not answer; 4 it does not answer this user; 78 there is no table, or it is damaged.\n";

struct options {
    const char *table;  /* NULL: not given */
    const char *socket; /* NULL: not given */
    bool as_json;
};

static int usage(const char *what, const char *which) {
    fprintf(stderr, "m2m-keeper: %s%s; see m2m-keeper help\n", what, which);
    return SERVER_EXIT_USAGE;
}

/* Reads what stands behind the command: 0, or the exit status after words. */
static int read_options(int count, char **arguments, struct options *options) {
    for (int i = 2; i < count; i++) {
        const char **value = NULL;
        if (strcmp(arguments[i], "--json") == 0) {
            options->as_json = true;
            continue;
        }
        if (strcmp(arguments[i], "--table") == 0) value = &options->table;
        if (strcmp(arguments[i], "--socket") == 0) value = &options->socket;
        if (value == NULL) return usage("unknown option ", arguments[i]);
        if (i + 1 == count || arguments[i + 1][0] == '\0') return usage("there is no value for ", arguments[i]);
        *value = arguments[++i];
    }
    return 0;
}

/* Where 0, 1 or 2 is closed, a connection would get its number, and the log would go there. */
static bool open_standard_files(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd) return false;
    }
    return true;
}

int main(int count, char **arguments) {
    if (!open_standard_files()) return SERVER_EXIT_FAILED; /* and nobody could be told */
    const char *command = count > 1 ? arguments[1] : "";
    struct options options = {0};
    if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0) {
        fputs(help, stdout);
        return SERVER_EXIT_DONE;
    }
    if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0) {
        printf("m2m-keeper %s (libgpiod %s)\n", M2M_VERSION, cgpio_library_version());
        return SERVER_EXIT_DONE;
    }
    int result = read_options(count, arguments, &options);
    if (result != 0) return result;
    const char *table = options.table != NULL ? options.table : KEEPER_TABLE;
    const char *socket = options.socket != NULL ? options.socket : KEEPER_SOCKET;
    if (strcmp(command, "run") == 0) {
        if (options.as_json) return usage("run has no option ", "--json");
        return server_run(table, socket);
    }
    if (strcmp(command, "check") == 0) {
        if (options.as_json || options.socket != NULL) return usage("check has the option --table only", "");
        return command_check(table);
    }
    if (strcmp(command, "status") == 0) {
        if (options.table != NULL) return usage("status has no option ", "--table");
        return command_status(socket, options.as_json);
    }
    return usage(command[0] == '\0' ? "there is no command" : "unknown command ", command);
}
