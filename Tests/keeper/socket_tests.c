/* The socket of m2m-keeper: who comes in, what is said to noise, and what happens to those who do not listen. */
#include "program.h"
#include "clock.h"
#include "commands.h"
#include "listener.h"
#include "tests.h"

#include <poll.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void answers_noise(void) {
    start_keeper();
    int fd = enter(&place);
    static char noise[4096];
    for (size_t size = 0; size < sizeof noise; size += size < 300 ? 1 : 211) {
        if (size == sizeof(struct keeper_order)) continue;
        EXPECT(send(fd, noise, size, 0) == (ssize_t)size);
        struct keeper_report report = receive(fd);
        remark("%zu bytes: %d", size, report.status);
        EXPECT(report.status == -EBADMSG);
    }
    EXPECT(ask(fd, KEEPER_HELLO, "", 0, 0).count == 3);
    close(fd);
    stop_keeper();
}

static void has_eight_connections(void) {
    start_keeper();
    int fds[8];
    for (int i = 0; i < 8; i++) {
        fds[i] = enter(&place);
        EXPECT(ask(fds[i], KEEPER_HELLO, "", 0, 0).count == 3);
    }
    int ninth = enter(&place);
    EXPECT(is_closed(ninth));
    close(ninth);
    close(fds[3]);
    for (int i = 0; i < 1000; i++) { /* until the keeper has seen that */
        fds[3] = enter(&place);
        if (ask(fds[3], KEEPER_HELLO, "", 0, 0).count == 3) break;
        close(fds[3]);
    }
    for (int i = 0; i < 8; i++) {
        EXPECT(ask(fds[i], KEEPER_HELLO, "", 0, 0).count == 3);
        close(fds[i]);
    }
    stop_keeper();
}

static void does_not_wait_for_readers(void) {
    start_keeper();
    int agent = adopt_and_set("o0"), other = enter(&place);
    struct keeper_order hello = {.version = 1, .type = KEEPER_HELLO};
    /* Until the keeper has closed it: nothing is read here. */
    int64_t end = clock_now() + PATIENCE_MS * KEEPER_MS;
    while ((send(agent, &hello, sizeof hello, MSG_NOSIGNAL) == sizeof hello || errno == EAGAIN) && clock_now() < end)
        continue;
    wait_until_off("o0");
    EXPECT(ask(other, KEEPER_READ, "o0", 0, 0).cause == KEEPER_CAUSE_AGENT_LOST);
    close(agent);
    close(other);
    stop_keeper();
}

static void is_alone(void) {
    start_keeper();
    struct place first = place;
    snprintf(place.words, sizeof place.words, "%s/second", place.folder);
    EXPECT(run_program("run", NULL) == 1);
    EXPECT(has_said(&place, "another keeper listens"));
    unlink(place.words);
    place = first;
    int fd = enter(&place);
    EXPECT(ask(fd, KEEPER_HELLO, "", 0, 0).count == 3);
    close(fd);
    stop_keeper();
}

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    return address;
}

/* A keeper that is stopped, with as many at its door as there is room for. */
static void nobody_waits_for_ever(void) {
    int error = 0;
    start_keeper();
    kill(server, SIGSTOP);
    waitpid(server, NULL, WUNTRACED);
    struct sockaddr_un address = address_of(place.socket);
    for (int count = 0; error == 0 && count <= LISTENER_BACKLOG + 1; count++) {
        int waiting = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connect(waiting, (struct sockaddr *)&address, sizeof address) != 0) error = errno;
        close(waiting); /* its place at the door stays taken */
    }
    EXPECT(error == EAGAIN);
    struct place asked = place, second = place;
    snprintf(asked.words, sizeof asked.words, "%s/asked", place.folder);
    snprintf(second.words, sizeof second.words, "%s/second", place.folder);
    pid_t status = start(program, &asked, "status", NULL), run = start(program, &second, "run", NULL);
    EXPECT(wait_for_exit(status) == 3 && has_said(&asked, "does not answer: Connection timed out"));
    EXPECT(wait_for_exit(run) == 1 && has_said(&second, "another keeper listens at ") &&
           has_said(&second, ", and does not answer"));
    unlink(asked.words);
    unlink(second.words);
    kill(server, SIGCONT);
    stop_keeper();
}

static void knows_who_is_in_the_way(void) {
    char run_folder[160], problem[KEEPER_TEXT_SIZE];
    struct stat bound;
    make_place(&place);
    write_table(&place, 1);
    snprintf(run_folder, sizeof run_folder, "%s/run", place.folder);
    mkdir(run_folder, 0755);
    struct sockaddr_un address = address_of(place.socket);
    int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(bind(other, (struct sockaddr *)&address, sizeof address) == 0 && listen(other, 1) == 0);
    EXPECT(run_program("run", NULL) == 1);
    EXPECT(has_said(&place, "another program listens at ") && has_said(&place, ", and is no keeper"));

    EXPECT(chmod(place.folder, 0755) == 0 && chmod(place.socket, 0) == 0);
    fflush(stdout);
    pid_t stranger = fork();
    if (stranger == 0) {
        if (geteuid() == 0 && setuid(65534) != 0) _exit(9); /* root may do everything */
        if (listener_open(place.socket, &bound, problem) >= 0) _exit(1);
        _exit(strstr(problem, "it can't be found out who listens") != NULL ? 0 : 2);
    }
    EXPECT(wait_for_exit(stranger) == 0);
    EXPECT(access(place.socket, F_OK) == 0);
    close(other);
    remove_place(&place);
}

static void replaces_a_dead_one(void) {
    start_keeper();
    kill(server, SIGKILL);
    EXPECT(wait_for_exit(server) == 128 + SIGKILL);
    EXPECT(access(place.socket, F_OK) == 0);
    EXPECT(run_program("status", NULL) == 3);
    server = start(program, &place, "run", NULL);
    wait_until_said(&place, "holds 3 of 3");
    int fd = enter(&place);
    EXPECT(ask(fd, KEEPER_HELLO, "", 0, 0).count == 3);
    close(fd);
    stop_keeper();
}

static void spares_what_is_no_socket(void) {
    char run_folder[160];
    make_place(&place);
    write_table(&place, 1);
    snprintf(run_folder, sizeof run_folder, "%s/run", place.folder);
    mkdir(run_folder, 0700);
    write_file(place.socket, "dear to somebody");
    EXPECT(run_program("run", NULL) == 1);
    EXPECT(has_said(&place, "is no socket") && access(place.socket, F_OK) == 0);
    EXPECT(!has_happened("header 0 request m2m-keeper o0", NULL));
    remove_place(&place);
}

static void turns_strangers_away(void) {
    if (geteuid() != 0) {
        printf("# not tried: becoming a stranger takes root\n");
        return;
    }
    start_keeper();
    EXPECT(chmod(place.folder, 0755) == 0);
    pid_t stranger = fork();
    if (stranger == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0) _exit(9);
        int fd = listener_connect(place.socket);
        if (fd < 0) _exit(8);
        _exit(is_closed(fd) ? 0 : 1);
    }
    EXPECT(wait_for_exit(stranger) == 0);
    EXPECT(chown(place.table, 65534, 65534) == 0); /* its table's owner is none */
    int fd = enter(&place);
    EXPECT(ask(fd, KEEPER_RELOAD, "", 0, 0).status == 0);
    stranger = fork();
    if (stranger == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0) _exit(9);
        _exit(ask(listener_connect(place.socket), KEEPER_HELLO, "", 0, 0).count == 3 ? 0 : 1);
    }
    EXPECT(wait_for_exit(stranger) == 0);
    close(fd);
    stop_keeper();
}

static void leaves_anothers_socket(void) {
    start_keeper();
    const struct place first = place;
    const pid_t first_server = server;
    EXPECT(unlink(place.socket) == 0);
    snprintf(place.words, sizeof place.words, "%s/second", place.folder);
    server = start(program, &place, "run", NULL);
    wait_until_said(&place, "holds 3 of 3");
    kill(first_server, SIGTERM);
    EXPECT(wait_for_exit(first_server) == 0 && has_said(&first, "gave all lines back"));
    EXPECT(access(place.socket, F_OK) == 0);
    kill(server, SIGTERM);
    EXPECT(wait_for_exit(server) == 0 && has_said(&place, "gave all lines back"));
    EXPECT(access(place.socket, F_OK) != 0);
    unlink(place.words);
    remove_place(&first);
}

/* Eight have a connection each, and a ninth comes as often as makes a crowd, one after the other. */
static void rests_from_a_crowd(void) {
    int fds[8];
    int64_t since = 0;
    start_keeper();
    for (int i = 0; i < 8; i++)
        fds[i] = enter(&place);
    for (int i = 0; i <= LISTENER_BACKLOG; i++) {
        /* The round in which it was one too many has let in eight at most, so it began after this. */
        if (i == LISTENER_BACKLOG - 9) since = clock_now();
        int ninth = enter(&place);
        EXPECT(is_closed(ninth));
        close(ninth);
    }
    EXPECT(clock_now() - since >= 100 * KEEPER_MS);
    EXPECT(has_said(&place, "one connection more than there is room for came, and was closed\n"));
    EXPECT(!has_said(&place, "times more"));
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    stop_keeper();
}

/* A process of another user that does this and is left with its result. */
static int as(uid_t user, int (*deed)(void)) {
    fflush(stdout);
    pid_t process = fork();
    if (process != 0) return wait_for_exit(process);
    _exit(setgid(user) != 0 || setuid(user) != 0 ? 99 : deed());
}

/* 0 once this user may not even knock. */
static int crowd(void) {
    for (int i = 0; i < 3 * LISTENER_BACKLOG; i++) {
        int fd = listener_connect(place.socket);
        if (fd == -EACCES) return 0;
        close(fd);
    }
    return 1;
}

static int asks_for_status(void) {
    speak_into_words(&place);
    return command_status(place.socket, false);
}

static int is_heard(void) {
    int fd = listener_connect(place.socket);
    return fd >= 0 && ask(fd, KEEPER_HELLO, "", 0, 0).count == 3 ? 0 : 1;
}

static void shuts_its_door_on_strangers(void) {
    if (geteuid() != 0) {
        printf("# not tried: becoming a stranger takes root\n");
        return;
    }
    start_keeper();
    int agent = adopt_and_set("o0");
    EXPECT(chmod(place.folder, 0755) == 0 && chown(place.table, 65534, 65534) == 0);
    EXPECT(ask(agent, KEEPER_RELOAD, "", 0, 0).status == 0);
    EXPECT(as(65533, crowd) == 0);
    EXPECT(as(65534, is_heard) == 0 && is_heard() == 0);
    EXPECT(has_said(&place, "user 65533 may not give orders: only root, this user and the owner of the table may\n") &&
           !has_said(&place, "times more"));
    EXPECT(ask(agent, KEEPER_READ, "o0", 0, 0).value == 1);

    static const char shut[] = "keeper.sock is not open to this user; if a keeper listens there, it answers root, ";
    EXPECT(chmod(place.words, 0666) == 0);
    EXPECT(as(65533, asks_for_status) == 4 && has_said(&place, shut));

    struct stat bound;
    EXPECT(lstat(place.socket, &bound) == 0 && listener_let_knock(place.socket, &bound, true, 65534));
    EXPECT(as(65533, asks_for_status) == 4 && has_said(&place, "closed the connection: it answers root, "));
    EXPECT(as(65533, is_heard) == 1 && lstat(place.socket, &bound) == 0 && (bound.st_mode & 0777) == 0666);
    bound.st_ino++;
    EXPECT(!listener_let_knock(place.socket, &bound, false, 65534));
    close(agent);
    stop_keeper();
}

void socket_tests(void) {
    promise("Messages of all sizes are answered, and the connection stays", answers_noise);
    promise("A ninth connection is closed, and has room when another has gone", has_eight_connections);
    promise("Who does not read is closed, which is a loss", does_not_wait_for_readers);
    promise("A second keeper does not start, and does the first no harm", is_alone);
    promise("A keeper that is stopped keeps nobody waiting for ever", nobody_waits_for_ever);
    promise("What is in the way at the socket's path is told apart", knows_who_is_in_the_way);
    promise("A keeper that was killed is followed by another", replaces_a_dead_one);
    promise("What stands at the socket's path and is no socket is spared", spares_what_is_no_socket);
    promise("Strangers are turned away, the owner of the table is not", turns_strangers_away);
    promise("A keeper that ends leaves the socket of another that has taken its place", leaves_anothers_socket);
    promise("From a crowd that may give orders the keeper rests for a moment", rests_from_a_crowd);
    promise("A crowd of strangers stands before a shut door, where others still come in", shuts_its_door_on_strangers);
}
