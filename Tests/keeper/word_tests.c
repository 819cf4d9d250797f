/* What m2m-keeper says: its log, whoever reads it, and a word to the service manager. */
#include "clock.h"
#include "listener.h"
#include "program.h"
#include "tests.h"
#include "text.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* MARK: its log */

static void speaks_into_no_connection(void) {
    make_place(&place);
    write_table(&place, 3);
    has_standard_files = false;
    server = start(program, &place, "run", NULL);
    has_standard_files = true;
    int agent = adopt_and_set("o0");
    EXPECT(ask(agent, KEEPER_SET, "o0", 1, clock_now() + 20 * KEEPER_MS).status == 0);
    EXPECT(wait_for_news(agent).cause == KEEPER_CAUSE_DEADLINE); /* of which its log has a line */
    EXPECT(ask(agent, KEEPER_HELLO, "", 0, 0).count == 3);
    close(agent);
    kill(server, SIGTERM);
    EXPECT(wait_for_exit(server) == 0);
    remove_place(&place);
}

static void says_it_seldom(void) {
    make_place(&place);
    fflush(stdout);
    pid_t speaker = fork();
    if (speaker == 0) {
        speak_into_words(&place);
        struct text_seldom knocks = {0};
        const int seconds[] = {1, 2, 2, 60, 61, 121, 200, 260};
        for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++)
            text_log_seldom(&knocks, seconds[i] * 1000 * KEEPER_MS, "a knock");
        _exit(0);
    }
    EXPECT(wait_for_exit(speaker) == 0);
    EXPECT(has_said(&place, "m2m-keeper: a knock\n"
                            "m2m-keeper: a knock; 3 times more since this was last said\n"
                            "m2m-keeper: a knock\n"
                            "m2m-keeper: a knock\n"
                            "m2m-keeper: a knock\n"));
    remove_place(&place);
}

/* A log: what the keeper gets as its standard error, and what is read of it here. */
struct log {
    int end, reader;
    char text[1 << 17];
    size_t size;
};

static void open_terminal(struct log *log) {
    log->reader = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT(grantpt(log->reader) == 0 && unlockpt(log->reader) == 0);
    log->end = open(ptsname(log->reader), O_WRONLY | O_NOCTTY | O_CLOEXEC);
}

static void open_pipe(struct log *log) {
    int ends[2];
    EXPECT(pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0);
    log->reader = ends[0], log->end = ends[1];
}

static void open_socket(struct log *log) {
    int ends[2], little = 4096;
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    EXPECT(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof little) == 0);
    log->reader = ends[0], log->end = ends[1];
}

/* Reads what is there; whether it has said this by now. */
static bool reads(struct log *log, const char *words) {
    struct pollfd polled = {.fd = log->reader, .events = POLLIN};
    while (log->size < sizeof log->text - 1 && poll(&polled, 1, 0) == 1) {
        ssize_t size = read(log->reader, log->text + log->size, sizeof log->text - 1 - log->size);
        if (size <= 0) break;
        log->size += (size_t)size;
    }
    log->text[log->size] = '\0';
    return strstr(log->text, words) != NULL;
}

/* How many lines begin with this; each has to stand at the beginning of one. */
static unsigned lines_of(const struct log *log, const char *words) {
    unsigned count = 0;
    for (const char *at = log->text; (at = strstr(at, words)) != NULL; at++) {
        EXPECT(at == log->text || at[-1] == '\n');
        count++;
    }
    return count;
}

/* Has the keeper say more than any log has room for. */
static void make_it_talk(int agent, unsigned lines) {
    for (unsigned i = 0; i < lines; i++)
        EXPECT(ask(agent, KEEPER_RELOAD, "", 0, 0).status == 0);
}

static void waits_for_no_reader(void (*open_log)(struct log *)) {
    static struct log log;
    const unsigned lines = 1000;
    log = (struct log){0};
    open_log(&log);
    make_place(&place);
    write_table(&place, 3);
    standard_error = log.end;
    server = start(program, &place, "run", NULL);
    standard_error = -1;
    int agent = adopt_and_set("o0");
    make_it_talk(agent, lines);
    EXPECT(ask(agent, KEEPER_SET, "o0", 1, clock_now() + 20 * KEEPER_MS).status == 0);
    EXPECT(wait_for_news(agent).cause == KEEPER_CAUSE_DEADLINE);
    EXPECT((fcntl(log.end, F_GETFL) & O_NONBLOCK) == 0); /* of whoever else has it */

    /* It is read after all. */
    write_table(&place, 2);
    WAIT_UNTIL(ask(agent, KEEPER_RELOAD, "", 0, 0).count == 2 && reads(&log, "read the table again: 2 outputs"));
    EXPECT(lines_of(&log, "m2m-keeper: ") < lines);

    make_it_talk(agent, lines);
    kill(server, SIGTERM);
    EXPECT(wait_for_exit(server) == 0);
    close(agent);
    close(log.end);
    close(log.reader);
    remove_place(&place);
}

static void logs_to_a_terminal(void) { waits_for_no_reader(open_terminal); }

static void logs_to_a_pipe(void) { waits_for_no_reader(open_pipe); }

static void logs_to_a_socket(void) { waits_for_no_reader(open_socket); }

/* MARK: the service manager */

/* A socket as the service manager has it, of which whatever is started knows from now on. */
static int open_notify(bool is_abstract, char name[96]) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(name, 96, is_abstract ? "@m2m-keeper-test-%d" : "/tmp/m2m-keeper-test-%d", (int)getpid());
    memcpy(address.sun_path, name, strlen(name));
    if (is_abstract) address.sun_path[0] = '\0';
    int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    EXPECT(bind(notify, (struct sockaddr *)&address, size) == 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return notify;
}

/* Whether this is the next that it is told. */
static bool is_told(int notify, const char *words) {
    char text[256] = "";
    wait_for_input(notify);
    return recv(notify, text, sizeof text - 1, 0) > 0 && strcmp(text, words) == 0;
}

static void tells_systemd(void) {
    for (int is_abstract = 0; is_abstract < 2; is_abstract++) {
        char name[96];
        int notify = open_notify(is_abstract, name);
        start_keeper();
        EXPECT(is_told(notify, "READY=1\nSTATUS=holds 3 of 3 outputs"));
        stop_keeper();
        EXPECT(is_told(notify, "STOPPING=1"));
        unsetenv("NOTIFY_SOCKET");
        close(notify);
        if (!is_abstract) unlink(name);
    }
}

static void tells_a_busy_systemd(void) {
    char name[96];
    int notify = open_notify(true, name), waiting = 0;
    while (waiting < 100000 && listener_notify("STATUS=from others"))
        waiting++;
    EXPECT(waiting > 0 && waiting < 100000);
    start_keeper();
    close(adopt_and_set("o0"));
    wait_until_said(&place, "holds 3 of 3 outputs\nm2m-keeper: the service manager can't take that yet, and is told");
    wait_until_off("o0");
    long before = sleeps();
    WAIT_UNTIL(sleeps() >= before + 5); /* without anybody who wakes it */
    EXPECT(!has_said(&place, "holds 3 of 3 outputs\nm2m-keeper: holds"));
    for (; waiting > 0; waiting--)
        EXPECT(is_told(notify, "STATUS=from others"));
    EXPECT(is_told(notify, "READY=1\nSTATUS=holds 3 of 3 outputs"));
    stop_keeper();
    EXPECT(is_told(notify, "STOPPING=1")); /* and nothing twice */
    unsetenv("NOTIFY_SOCKET");
    close(notify);
}

void word_tests(void) {
    promise("A log that nobody has opened goes to no connection", speaks_into_no_connection);
    promise("What happens very often is said once a minute, and how often", says_it_seldom);
    promise("With a terminal that nobody reads deadlines are kept, and a line that was cut ends", logs_to_a_terminal);
    promise("With a full pipe as its log the keeper works and ends as ever", logs_to_a_pipe);
    promise("With a socket that nobody reads, too", logs_to_a_socket);
    promise("The service manager is told when lines are held and when they are not", tells_systemd);
    promise("A service manager that has no room for that is told as soon as it has", tells_a_busy_systemd);
}
