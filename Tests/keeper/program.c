/* program - m2m-keeper as a process of its own, for tests. */
#include "program.h"
#include "listener.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what) {
    printf("Bail out! %s\n", what);
    if (server > 0 && waitpid(server, NULL, WNOHANG) == 0) kill(server, SIGKILL); /* nobody else would end it */
    exit(1);
}

void make_place(struct place *place) {
    const char *base = getenv("TMPDIR");
    snprintf(place->folder, sizeof place->folder, "%s/keeper.XXXXXX",
             base != NULL && strlen(base) < 40 ? base : "/tmp");
    if (mkdtemp(place->folder) == NULL) give_up("no folder can be made");
    snprintf(place->table, sizeof place->table, "%s/outputs.table", place->folder);
    snprintf(place->socket, sizeof place->socket, "%s/run/keeper.sock", place->folder);
    snprintf(place->log, sizeof place->log, "%s/lines.log", place->folder);
    snprintf(place->words, sizeof place->words, "%s/words", place->folder);
    snprintf(place->failing, sizeof place->failing, "%s/failing", place->folder);
}

void remove_place(const struct place *place) {
    char run[160];
    snprintf(run, sizeof run, "%s/run", place->folder);
    unlink(place->table);
    unlink(place->socket);
    unlink(place->log);
    unlink(place->words);
    unlink(place->failing);
    rmdir(run);
    if (rmdir(place->folder) != 0) give_up("a test left something in its folder");
}

void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) give_up("a file can't be written");
}

void write_table(const struct place *place, unsigned count) {
    char text[8000] = "m2m-keeper table 1\nheartbeat 60000\n", file[8192];
    for (unsigned i = 0; i < count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length,
                 "output o%u\nchip header\noffset %u\nline GPIO%u\nactive high\nbias as-is\nsafe 0\nagent-lost %u\n", i,
                 i, i, i == 1 ? 3600000u : 0u);
    }
    finish_table(file, text, count);
    write_file(place->table, file);
}

void speak_into_words(const struct place *place) {
    int words = open(place->words, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    dup2(words, STDOUT_FILENO);
    dup2(words, STDERR_FILENO);
}

bool has_standard_files = true;
int standard_error = -1;

pid_t start(const char *program, const struct place *place, const char *command, const char *option) {
    fflush(stdout);
    pid_t process = fork();
    if (process != 0) return process;
    speak_into_words(place);
    if (standard_error >= 0) dup2(standard_error, STDERR_FILENO);
    for (int fd = 0; fd <= 2 && !has_standard_files; fd++)
        close(fd);
    setenv("M2M_FAKE_CHIPS", "header:28:GPIO%", 1);
    setenv("M2M_FAKE_LOG", place->log, 1);
    setenv("M2M_FAKE_FAIL", place->failing, 1);
    const char *arguments[8] = {program, command};
    int count = 2;
    if (strcmp(command, "status") != 0) arguments[count++] = "--table", arguments[count++] = place->table;
    if (strcmp(command, "check") != 0) arguments[count++] = "--socket", arguments[count++] = place->socket;
    arguments[count] = option;
    execv(program, (char **)arguments);
    _exit(127);
}

/* A moment that ends by itself: for what can only be polled, such as a file. */
void a_moment(int *left, const char *awaited) {
    if ((*left -= 5) < 0) give_up(awaited);
    poll(NULL, 0, 5);
}

int wait_for_exit(pid_t process) {
    int status = 0;
    pid_t ended;
    WAIT_UNTIL((ended = waitpid(process, &status, WNOHANG)) != 0);
    if (ended != process) give_up("a process can't be waited for");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool has_said(const struct place *place, const char *words) {
    static char text[65536];
    FILE *file = fopen(place->words, "r");
    if (file == NULL) return false;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return strstr(text, words) != NULL;
}

void wait_until_said(const struct place *place, const char *words) { WAIT_UNTIL(has_said(place, words)); }

int enter(const struct place *place) {
    int fd;
    WAIT_UNTIL((fd = listener_connect(place->socket)) >= 0);
    return fd;
}

void wait_for_input(int fd) {
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    if (poll(&polled, 1, PATIENCE_MS) != 1) give_up("nothing arrives, and nothing is closed");
}

struct keeper_report receive(int fd) {
    struct keeper_report report = {0};
    wait_for_input(fd);
    ssize_t size = recv(fd, &report, sizeof report, 0);
    if (size != (ssize_t)sizeof report) return (struct keeper_report){0};
    return report;
}

struct keeper_report ask(int fd, enum keeper_type type, const char *output, int value, int64_t deadline_ns) {
    struct keeper_order order = {.version = KEEPER_PROTOCOL_VERSION, .type = (uint16_t)type, .value = value};
    order.deadline_ns = deadline_ns;
    snprintf(order.output, sizeof order.output, "%s", output);
    if (send(fd, &order, sizeof order, MSG_NOSIGNAL) < 0) return (struct keeper_report){0};
    struct keeper_report report;
    do
        report = receive(fd);
    while (report.type == KEEPER_NEWS);
    return report;
}

struct keeper_report wait_for_news(int fd) {
    struct keeper_report report = receive(fd);
    EXPECT(report.type == KEEPER_NEWS);
    return report;
}

bool is_closed(int fd) {
    struct keeper_report report;
    wait_for_input(fd);
    return recv(fd, &report, sizeof report, 0) <= 0;
}

/* MARK: the keeper of a test */

const char *program;
struct place place;
pid_t server;

void start_keeper(void) {
    make_place(&place);
    write_table(&place, 3);
    server = start(program, &place, "run", NULL);
    wait_until_said(&place, "holds ");
}

void stop_keeper(void) {
    kill(server, SIGTERM);
    EXPECT(wait_for_exit(server) == 0);
    EXPECT(access(place.socket, F_OK) != 0);
    EXPECT(has_said(&place, "gave all lines back"));
    remove_place(&place);
}

int run_program(const char *command, const char *option) {
    return wait_for_exit(start(program, &place, command, option));
}

bool has_happened(const char *what, int64_t *at) {
    char line[256];
    bool is_there = false;
    FILE *log = fopen(place.log, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = NULL;
        int64_t time = strtoll(line, &rest, 10);
        if (strcmp(rest + 1, what) != 0) continue;
        is_there = true;
        if (at != NULL) *at = time;
    }
    if (log != NULL) fclose(log);
    return is_there;
}

long kernel_says(const char *name) {
    char path[64], line[256];
    long number = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)server);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        size_t length = strlen(name);
        if (strncmp(line, name, length) == 0 && line[length] == ':') number = strtol(line + length + 1, NULL, 10);
    }
    if (file != NULL) fclose(file);
    return number;
}

long sleeps(void) { return kernel_says("voluntary_ctxt_switches"); }

int adopt_and_set(const char *output) {
    int agent = enter(&place);
    EXPECT(ask(agent, KEEPER_ADOPT, output, 0, 0).status == 0);
    EXPECT(ask(agent, KEEPER_SET, output, 1, 0).status == 0);
    return agent;
}

void wait_until_off(const char *output) {
    int person = enter(&place);
    WAIT_UNTIL(ask(person, KEEPER_READ, output, 0, 0).value == 0);
    close(person);
}
