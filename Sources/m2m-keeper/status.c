/* status - asks the keeper that runs how its outputs are, and prints that for people or as JSON. */
#include "clock.h"
#include "commands.h"
#include "keeper_protocol.h"
#include "listener.h"
#include "server.h"
#include "text.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static double seconds_from(int64_t from, int64_t to) { return (double)(to - from) / 1e9; }

/* Sends an order and waits for its answer: 0, or -errno. */
static int ask(int fd, const struct keeper_order *order, struct keeper_report *report) {
    if (send(fd, order, sizeof *order, MSG_NOSIGNAL) != (ssize_t)sizeof *order) {
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
    }
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    if (poll(&answer, 1, LISTENER_PATIENCE_S * 1000) != 1) return -ETIMEDOUT;
    ssize_t size = recv(fd, report, sizeof *report, 0);
    if (size < 0) return -errno;
    if (size == 0) return -EPIPE;
    return size == (ssize_t)sizeof *report && report->version == KEEPER_PROTOCOL_VERSION ? 0 : -EPROTO;
}

static const char *words_for(uint32_t cause) {
    switch (cause) {
    case KEEPER_CAUSE_START: return "taken, and safe since";
    case KEEPER_CAUSE_ORDER: return "by order";
    case KEEPER_CAUSE_DEADLINE: return "its deadline has passed";
    case KEEPER_CAUSE_AGENT_LOST: return "its agent was lost";
    case KEEPER_CAUSE_AGENT_SILENT: return "its agent was silent";
    case KEEPER_CAUSE_LINE_FAILED: return "its line has failed";
    default: return "for a reason unknown here";
    }
}

static const char *key_for(uint32_t cause) {
    static const char *const keys[] = {"start", "order", "deadline", "agent-lost", "agent-silent", "line-failed"};
    return cause < sizeof keys / sizeof keys[0] ? keys[cause] : "unknown";
}

/* "on", "off", or what is known instead. */
static const char *value_of(const struct keeper_report *report) {
    if (!report->is_held) return "not held";
    return report->cause == KEEPER_CAUSE_LINE_FAILED ? "unknown" : text_of_value(report->value);
}

static void print_row(const struct keeper_report *report, int64_t now) {
    char until[32] = "-";
    if (report->deadline_ns != 0) text_put(until, sizeof until, "%.1f s", seconds_from(now, report->deadline_ns));
    char since[32];
    text_put(since, sizeof since, "%.1f s", seconds_from(report->since_ns, now));
    printf("%-16s %-8s %-4s %10s  %-24s %10s %6u  %s\n", report->output, value_of(report), text_of_value(report->safe),
           until, report->is_held ? words_for(report->cause) : "-", since, report->interventions, report->text);
}

/* The text as a JSON string. Names that somebody else gave may have any bytes: what is not plain ASCII becomes '?'. */
static void print_json_text(const char *key, const char *text) {
    printf("\"%s\":\"", key);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') putchar('\\');
        putchar(*text < 0x20 || *text > 0x7e ? '?' : *text);
    }
    printf("\",");
}

static void print_json(const struct keeper_report *report, int64_t now) {
    putchar('{');
    print_json_text("output", report->output);
    print_json_text("line", report->text);
    printf("\"held\":%s,", report->is_held ? "true" : "false");
    if (report->is_held && report->cause != KEEPER_CAUSE_LINE_FAILED) {
        print_json_text("value", text_of_value(report->value));
    } else {
        printf("\"value\":null,");
    }
    print_json_text("safe", text_of_value(report->safe));
    if (report->deadline_ns != 0) {
        printf("\"until\":%.3f,", seconds_from(now, report->deadline_ns));
    } else {
        printf("\"until\":null,");
    }
    if (report->is_held) {
        print_json_text("cause", key_for(report->cause));
    } else {
        printf("\"cause\":null,");
    }
    printf("\"for\":%.3f,\"interventions\":%u}\n", seconds_from(report->since_ns, now), report->interventions);
}

/* Asks for all outputs and prints them: 0, or -errno. */
static int print_all(int fd, bool as_json) {
    struct keeper_order order = {.version = KEEPER_PROTOCOL_VERSION, .type = KEEPER_HELLO, .sequence = 1};
    struct keeper_report report;
    int result = ask(fd, &order, &report);
    if (result != 0) return result;
    uint32_t count = report.count;
    if (!as_json && count == 0) printf("the keeper's table has no outputs\n");
    if (!as_json && count != 0) {
        printf("%-16s %-8s %-4s %10s  %-24s %10s %6s  %s\n", "OUTPUT", "VALUE", "SAFE", "UNTIL", "WHY", "FOR", "FORCED",
               "LINE");
    }
    order.type = KEEPER_LIST;
    for (order.index = 0; order.index < count; order.index++) {
        order.sequence++;
        result = ask(fd, &order, &report);
        if (result != 0) return result;
        if (report.status == -ENOENT) break; /* the table has become shorter meanwhile */
        if (as_json) {
            print_json(&report, clock_now());
        } else {
            print_row(&report, clock_now());
        }
    }
    return 0;
}

int command_status(const char *socket_path, bool as_json) {
    int fd = listener_connect(socket_path);
    if (fd < 0 && fd != -ETIMEDOUT && fd != -EACCES) {
        fprintf(stderr, "m2m-keeper: no keeper can be reached at %s: %s\n", socket_path, strerror(-fd));
        return SERVER_EXIT_UNREACHABLE;
    }
    int result = fd < 0 ? fd : print_all(fd, as_json);
    if (fd >= 0) close(fd);
    if (result == 0) return SERVER_EXIT_DONE;
    if (result == -EACCES || result == -EPIPE || result == -ECONNRESET) {
        /* -EACCES: its door is shut, or a folder on the way to it is: then nobody knows whether it is there. */
        fprintf(stderr,
                "m2m-keeper: %s %s it answers root, its own user and the owner of its table, and %d connections at "
                "most\n",
                socket_path,
                result == -EACCES ? "is not open to this user; if a keeper listens there," : "closed the connection:",
                SERVER_CONNECTION_LIMIT);
        return SERVER_EXIT_DENIED;
    }
    fprintf(stderr, "m2m-keeper: the keeper at %s does not answer: %s\n", socket_path, strerror(-result));
    return SERVER_EXIT_UNREACHABLE;
}
