/* server - the keeper at work: a socket, at most eight connections, one poll loop around the core. */
#include "server.h"
#include "clock.h"
#include "keeper.h"
#include "listener.h"
#include "table.h"
#include "text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

/* How many orders of one connection are answered before the others have their turn. */
#define ORDERS_AT_ONCE 16
/* How many turned away in a row are a crowd: no fewer than may wait, or who waits among them would wait for long. */
#define CROWD LISTENER_BACKLOG
/* How long strangers may not even knock then, … */
#define SHUT (60 * 1000 * KEEPER_MS)
/* … and where that can't be had, how long nobody is let in; so, too, for want of descriptors. */
#define DEAF (100 * KEEPER_MS)
/* How long until the service manager is told again that it is ready, where it had no room for that. */
#define TELL_AGAIN (100 * KEEPER_MS)
/* How often it looks around where the system does not let it wait. */
#define GLANCE_MS 10
/* Standard files, the listener, connections, two for each line, and some for a moment: a table, a chip, a guest. */
#define DESCRIPTORS (3 + 1 + SERVER_CONNECTION_LIMIT + 2 * KEEPER_OUTPUT_LIMIT + 4)

struct connection {
    int fd;       /* -1: free */
    bool is_lost; /* it ended, or did not read what was sent: to be closed in this round */
};

struct server {
    const char *table_path, *socket_path;
    uid_t owner;       /* of the table */
    struct stat bound; /* the socket's file */
    int listener;
    int64_t deaf_until;   /* 0: connections are let in */
    int64_t shut_until;   /* 0: everybody may knock */
    unsigned turned_away; /* in a row */
    struct text_seldom strangers, too_many, failures;
    bool is_ready; /* the lines are taken, and the log says so */
    bool is_told;  /* the service manager, too, if there is one */
    struct connection connections[SERVER_CONNECTION_LIMIT];
    struct keeper keeper;
};

static volatile sig_atomic_t stopped_by;

static void stop(int signal) { stopped_by = signal; }

/* MARK: what is said */

/* Never waits: who does not read what is sent to it counts as lost. The end of who has gone comes behind its orders. */
static void send_report(struct connection *connection, const struct keeper_report *report) {
    if (connection->fd < 0 || connection->is_lost) return;
    ssize_t sent = send(connection->fd, report, sizeof *report, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return;
    if (sent != (ssize_t)sizeof *report) connection->is_lost = true;
}

static void log_news(const struct keeper_report *news) {
    const char *value = text_of_value(news->value);
    if (news->cause == KEEPER_CAUSE_LINE_FAILED) { /* held or, at the end, given back */
        text_log("%s is not known to be safe: %s", news->output, news->text);
    } else if (!news->is_held) {
        text_log("%s is not held: %s", news->output, news->text);
    } else if (news->cause == KEEPER_CAUSE_START) {
        text_log("%s is held and %s: %s", news->output, value, news->text);
    } else if (news->cause == KEEPER_CAUSE_DEADLINE) {
        text_log("%s was made safe (%s): its deadline has passed", news->output, value);
    } else if (news->cause == KEEPER_CAUSE_AGENT_LOST) {
        text_log("%s was made safe (%s): the connection of its agent has ended", news->output, value);
    } else if (news->cause == KEEPER_CAUSE_AGENT_SILENT) {
        text_log("%s was made safe (%s): its agent gave no sign of life", news->output, value);
    } else {
        text_log("%s was made safe (%s) at last", news->output, value);
    }
}

static void tell_news(struct server *server) {
    struct keeper_report news;
    int to;
    while (keeper_take_news(&server->keeper, &news, &to)) {
        log_news(&news);
        if (to != KEEPER_NOBODY) send_report(&server->connections[to], &news);
    }
}

/* Once the lines are taken: says so, and how many; to the service manager until it has taken that. */
static void tell_ready(struct server *server) {
    if (server->is_told || !keeper_is_settled(&server->keeper)) return;
    uint32_t held = 0;
    for (uint32_t i = 0; i < server->keeper.count; i++)
        held += server->keeper.outputs[i].line != NULL;
    if (!server->is_ready) text_log("holds %u of %u outputs", held, server->keeper.count);
    char message[KEEPER_TEXT_SIZE];
    text_put(message, sizeof message, "READY=1\nSTATUS=holds %u of %u outputs", held, server->keeper.count);
    server->is_told = listener_notify(message);
    if (!server->is_told && !server->is_ready) text_log("the service manager can't take that yet, and is told again");
    server->is_ready = true;
}

/* MARK: what is heard */

/* Of a crowd the keeper rests: from strangers for long, where they alone can be kept from the door. */
static void note_turned_away(struct server *server, const uid_t *stranger, int64_t now) {
    if (stranger != NULL) {
        char words[KEEPER_TEXT_SIZE];
        text_put(words, sizeof words,
                 "user %u may not give orders: only root, this user and the owner of the table may", *stranger);
        text_log_seldom(&server->strangers, now, words);
    } else {
        text_log_seldom(&server->too_many, now, "one connection more than there is room for came, and was closed");
    }
    if (++server->turned_away < CROWD) return;
    server->turned_away = 0;
    if (stranger != NULL && listener_let_knock(server->socket_path, &server->bound, false, server->owner)) {
        server->shut_until = now + SHUT;
    } else {
        server->deaf_until = now + DEAF;
    }
}

/* Ends a rest from strangers or from everybody when it is over. */
static void open_door(struct server *server, int64_t now) {
    if (now >= server->deaf_until) server->deaf_until = 0;
    if (server->shut_until == 0 || now < server->shut_until) return;
    bool is_open = listener_let_knock(server->socket_path, &server->bound, true, server->owner);
    server->shut_until = is_open ? 0 : now + SHUT;
}

/* As many as there is room for and no more, so that a crowd at the door keeps nobody from safety. */
static void let_in(struct server *server, int64_t now) {
    for (int round = 0; round < SERVER_CONNECTION_LIMIT && server->deaf_until == 0; round++) {
        uid_t stranger;
        int fd = listener_accept(server->listener, server->owner, &stranger);
        if (fd == -EPERM) note_turned_away(server, &stranger, now);
        if (fd == -EPERM || fd == -ECONNABORTED || fd == -EINTR) continue;
        if (fd < 0) {
            if (fd != -EAGAIN) server->deaf_until = now + DEAF;
            return;
        }
        struct connection *free_one = NULL;
        for (int i = 0; i < SERVER_CONNECTION_LIMIT && free_one == NULL; i++) {
            if (server->connections[i].fd < 0) free_one = &server->connections[i];
        }
        if (free_one != NULL) {
            *free_one = (struct connection){.fd = fd};
            server->turned_away = 0;
        } else {
            close(fd);
            note_turned_away(server, NULL, now);
        }
    }
}

/* Reads the table again for an order that is answered here, because the core reads no files. */
static void reload(struct server *server, struct keeper_report *report) {
    struct table table;
    uid_t owner;
    if (!table_read(server->table_path, &table, &owner, report->text)) {
        report->status = -EINVAL;
        text_log("the table stays as it was: %s", report->text);
        return;
    }
    server->owner = owner;
    keeper_reload(&server->keeper, &table, clock_now(), report->text);
    report->count = server->keeper.count;
    report->table = server->keeper.checksum;
    text_log("read the table again: %u outputs", table.count);
    if (report->text[0] != '\0') text_log("%s", report->text);
}

/* Whether the other end has ended, whatever still waits to be read; also where that can't be found out. */
static bool is_gone(const struct connection *connection) {
    struct pollfd polled = {.fd = connection->fd, .events = POLLRDHUP};
    return poll(&polled, 1, 0) != 0;
}

/* Answers the orders that wait at a connection, also those of somebody who has gone. */
static void hear(struct server *server, int who) {
    struct connection *connection = &server->connections[who];
    for (int i = 0; i < ORDERS_AT_ONCE && !connection->is_lost; i++) {
        struct keeper_order order;
        /* MSG_TRUNC: the size it was sent with, also where that is more than fits. */
        ssize_t size = recv(connection->fd, &order, sizeof order, MSG_DONTWAIT | MSG_TRUNC);
        if (size < 0 && (errno == EINTR || errno == ECONNRESET)) continue; /* reset: told once, before what waits */
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (size < 0 || (size == 0 && is_gone(connection))) {
            connection->is_lost = true;
            return;
        }
        /* Whoever sent it is gone, and nobody answers for what it would switch on. */
        if (keeper_leaves_safe(&server->keeper, &order, (size_t)size) && is_gone(connection)) continue;
        struct keeper_report report;
        if (keeper_order(&server->keeper, who, &order, (size_t)size, clock_now(), &report)) reload(server, &report);
        /* What is due has come before the order, so the news of it goes before the answer. */
        tell_news(server);
        send_report(connection, &report);
    }
}

/* Closes what is lost. That may be news, and its sending may lose another connection: until nothing changes. */
static void close_lost(struct server *server) {
    bool is_any_lost = true;
    while (is_any_lost) {
        is_any_lost = false;
        for (int who = 0; who < SERVER_CONNECTION_LIMIT; who++) {
            struct connection *connection = &server->connections[who];
            if (connection->fd < 0 || !connection->is_lost) continue;
            is_any_lost = true;
            close(connection->fd);
            *connection = (struct connection){.fd = -1};
            keeper_lost(&server->keeper, who, clock_now());
        }
        tell_news(server);
    }
}

/* MARK: the loop */

/* Waits until something arrives, is due, or a signal comes. Where that can't be had, everything is looked at often. */
static void wait_for(struct server *server, struct pollfd polled[], const sigset_t *signals) {
    for (int i = 0; i < SERVER_CONNECTION_LIMIT; i++) {
        polled[i] = (struct pollfd){.fd = server->connections[i].fd, .events = POLLIN | POLLRDHUP};
    }
    polled[SERVER_CONNECTION_LIMIT] = (struct pollfd){.fd = server->listener, .events = POLLIN};
    int64_t next = keeper_next(&server->keeper);
    if (server->deaf_until != 0) {
        polled[SERVER_CONNECTION_LIMIT].fd = -1;
        if (server->deaf_until < next) next = server->deaf_until;
    }
    if (server->shut_until != 0 && server->shut_until < next) next = server->shut_until;
    int64_t now = clock_now();
    if (server->is_ready && !server->is_told && now + TELL_AGAIN < next) next = now + TELL_AGAIN;
    int64_t left = next > now ? next - now : 0; /* an order may bring any deadline */
    struct timespec timeout = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    if (ppoll(polled, SERVER_CONNECTION_LIMIT + 1, next != KEEPER_NEVER ? &timeout : NULL, signals) >= 0) return;
    bool is_signal = errno == EINTR;
    if (!is_signal) {
        char words[KEEPER_TEXT_SIZE];
        text_put(words, sizeof words, "can't wait (%s), and looks every %d ms instead", strerror(errno), GLANCE_MS);
        text_log_seldom(&server->failures, clock_now(), words);
        struct timespec glance = {.tv_nsec = GLANCE_MS * KEEPER_MS};
        pselect(0, NULL, NULL, NULL, &glance, signals); /* has no need of descriptors */
    }
    for (int i = 0; i <= SERVER_CONNECTION_LIMIT; i++)
        polled[i].revents = !is_signal && polled[i].fd >= 0 ? POLLIN : 0;
}

/* One round, in the order that keeper.h asks for. */
static void round_of(struct server *server, const struct pollfd polled[]) {
    int64_t now = clock_now();
    open_door(server, now);
    keeper_tick(&server->keeper, now);
    tell_news(server);
    for (int who = 0; who < SERVER_CONNECTION_LIMIT; who++) {
        if (polled[who].revents != 0) hear(server, who);
    }
    close_lost(server);
    keeper_listen(&server->keeper, clock_now());
    tell_news(server);
    if (polled[SERVER_CONNECTION_LIMIT].revents != 0) let_in(server, now);
    tell_ready(server);
}

static void serve(struct server *server, const sigset_t *signals) {
    struct pollfd polled[SERVER_CONNECTION_LIMIT + 1];
    tell_news(server);
    tell_ready(server);
    while (stopped_by == 0) {
        wait_for(server, polled, signals);
        round_of(server, polled);
        close_lost(server);
    }
}

/* Signals arrive while the loop waits, and nowhere else. Returns the mask to wait with. */
static sigset_t catch_signals(void) {
    const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = stop};
    sigset_t blocked, before;
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        sigaddset(&blocked, signals[i]);
        sigaction(signals[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN); /* whoever reads standard error may die */
    signal(SIGTTOU, SIG_IGN); /* and a shell may want nothing said in the background: no line waits for that */
    sigprocmask(SIG_BLOCK, &blocked, &before);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigdelset(&before, signals[i]);
    return before;
}

/*
 * From now on no page has to come from a disk, which may be slow, or dead: a deadline would be missed meanwhile. What
 * is needed for reading a table only is on the stack, because that is locked as a whole, however little of it is in
 * use.
 */
static void stay_in_memory(void) {
    if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) return;
    text_log("its memory can't be locked (%s): when the disk fails, outputs may not be made safe in time",
             strerror(errno));
}

/* With fewer descriptors than this it could not wait, or not hold every table that is right. */
static bool has_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS) return true;
    text_log("needs %d descriptors for its lines and connections, and may have %u only: see ulimit -n or LimitNOFILE=",
             DESCRIPTORS, (unsigned)limit.rlim_cur);
    return false;
}

int server_run(const char *table_path, const char *socket_path) {
    static struct server server;
    struct table table;
    server.table_path = table_path;
    server.socket_path = socket_path;
    stopped_by = 0;
    for (int i = 0; i < SERVER_CONNECTION_LIMIT; i++)
        server.connections[i] = (struct connection){.fd = -1};
    sigset_t signals = catch_signals();
    text_begin();
    if (!has_descriptors()) return SERVER_EXIT_FAILED;

    char problem[KEEPER_TEXT_SIZE];
    if (!table_read(table_path, &table, &server.owner, problem)) {
        text_log("%s", problem);
        text_log("holds nothing: the table is written by m2m-agent, so start that, and then this again");
        return SERVER_EXIT_TABLE;
    }
    server.listener = listener_open(socket_path, &server.bound, problem);
    if (server.listener < 0) {
        text_log("%s", problem);
        return SERVER_EXIT_FAILED;
    }
    keeper_start(&server.keeper, &table, clock_now());
    stay_in_memory();
    serve(&server, &signals);

    listener_notify("STOPPING=1"); /* what it had no room for it finds out when this ends */
    uint32_t away = keeper_stop(&server.keeper, clock_now());
    tell_news(&server); /* of those that could not be made safe */
    uint32_t failed = 0;
    for (uint32_t i = 0; i < server.keeper.count; i++)
        failed += server.keeper.outputs[i].retry != 0;
    listener_remove(socket_path, &server.bound);
    text_log("stopped by '%s': made %u of %u outputs safe, and gave all lines back", strsignal(stopped_by),
             away - failed, server.keeper.count);
    return failed == 0 ? SERVER_EXIT_DONE : SERVER_EXIT_FAILED;
}
