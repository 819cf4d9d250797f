/* m2m-keeper as it is started by systemd and by people: its signals, exit statuses, deadlines and words. */
#include "clock.h"
#include "program.h"
#include "tests.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void ends_safe(void) {
    const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < 3; i++) {
        start_keeper();
        EXPECT(has_happened("header 0 request m2m-keeper o0", NULL) && !has_happened("header 0 level 1", NULL));
        int agent = adopt_and_set("o1");
        EXPECT(has_happened("header 1 level 1", NULL));
        kill(server, signals[i]);
        EXPECT(wait_for_exit(server) == 0);
        EXPECT(is_closed(agent));
        int64_t off = 0, released = 0;
        EXPECT(has_happened("header 1 level 0", &off) && has_happened("header 1 release", &released));
        EXPECT(off != 0 && off < released);
        EXPECT(has_said(&place, "made 1 of 3 outputs safe"));
        EXPECT(access(place.socket, F_OK) != 0);
        close(agent);
        remove_place(&place);
    }
}

static void notices_a_death(void) {
    start_keeper();
    pid_t agent = fork();
    if (agent == 0) {
        int fd = enter(&place);
        ask(fd, KEEPER_ADOPT, "o0", 0, 0);
        ask(fd, KEEPER_ADOPT, "o1", 0, 0);
        ask(fd, KEEPER_SET, "o0", 1, 0);
        ask(fd, KEEPER_SET, "o1", 1, 0);
        for (;;)
            pause();
    }
    int person = enter(&place);
    WAIT_UNTIL(ask(person, KEEPER_READ, "o1", 0, 0).value == 1);
    kill(agent, SIGKILL);
    wait_for_exit(agent);
    wait_until_off("o0");
    EXPECT(ask(person, KEEPER_READ, "o0", 0, 0).cause == KEEPER_CAUSE_AGENT_LOST);
    /* o1 is held for an hour: the next agent goes on with it. */
    EXPECT(ask(person, KEEPER_READ, "o1", 0, 0).deadline_ns > clock_now() + 3000 * 1000 * KEEPER_MS);
    struct keeper_report adopted = ask(person, KEEPER_ADOPT, "o1", 0, 0);
    EXPECT(adopted.value == 1 && adopted.deadline_ns == 0 && !has_happened("header 1 level 0", NULL));
    close(person);
    stop_keeper();
}

static void keeps_deadlines(void) {
    start_keeper();
    int agent = adopt_and_set("o0");
    for (int i = 0; i < 5; i++) {
        /* On it already: what would switch it on is refused if this test stalls until the deadline has passed. */
        EXPECT(ask(agent, KEEPER_SET, "o0", 1, 0).status == 0);
        int64_t deadline = clock_now() + 20 * KEEPER_MS, at = 0;
        EXPECT(ask(agent, KEEPER_SET, "o0", 1, deadline).deadline_ns == deadline);
        struct keeper_report news = wait_for_news(agent);
        EXPECT(news.cause == KEEPER_CAUSE_DEADLINE && news.value == 0);
        EXPECT(has_happened("header 0 level 0", &at) && at >= deadline);
        if (i == 4) printf("# a deadline was met %.2f ms late\n", (double)(at - deadline) / 1e6);
    }
    EXPECT(ask(agent, KEEPER_SET, "o0", 1, 0).status == 0);
    EXPECT(ask(agent, KEEPER_SET, "o0", 1, INT64_MIN).status == 0); /* as long ago as can be said */
    EXPECT(wait_for_news(agent).cause == KEEPER_CAUSE_DEADLINE);
    close(agent);
    stop_keeper();
}

static void deadlines_come_first(void) {
    start_keeper();
    int agent = adopt_and_set("o0");
    int64_t deadline = clock_now() + 50 * KEEPER_MS;
    EXPECT(ask(agent, KEEPER_SET, "o0", 1, deadline).status == 0);
    kill(server, SIGSTOP);
    waitpid(server, NULL, WUNTRACED);
    struct keeper_order late = {.version = 1, .type = KEEPER_SET, .output = "o0", .value = 1, .not_after_ns = deadline};
    EXPECT(send(agent, &late, sizeof late, 0) == sizeof late);
    while (clock_now() < deadline)
        poll(NULL, 0, 5);
    kill(server, SIGCONT);
    EXPECT(wait_for_news(agent).cause == KEEPER_CAUSE_DEADLINE);
    EXPECT(receive(agent).status == -ETIME);
    close(agent);
    stop_keeper();
}

/* An agent that dies with orders under way and, where `leaves_unread`, with an answer that it has not read. */
static void dies_with_orders(bool leaves_unread) {
    const struct keeper_order hello = {.version = 1, .type = KEEPER_HELLO};
    const struct keeper_order last[] = {{.version = 1, .type = KEEPER_SET, .output = "o2", .value = 1},
                                        {.version = 1, .type = KEEPER_HEARTBEAT},
                                        {.version = 1, .type = KEEPER_SET, .output = "o1", .value = 0}};
    start_keeper();
    int agent = adopt_and_set("o1"); /* may be held for 1 h without its agent */
    EXPECT(ask(agent, KEEPER_ADOPT, "o2", 0, 0).status == 0);
    if (leaves_unread) {
        EXPECT(send(agent, &hello, sizeof hello, 0) == sizeof hello);
        wait_for_input(agent);
    }
    kill(server, SIGSTOP);
    waitpid(server, NULL, WUNTRACED);
    for (int i = 0; i < 3; i++)
        EXPECT(send(agent, &last[i], sizeof last[i], 0) == sizeof last[i]);
    close(agent);
    kill(server, SIGCONT);
    int person = enter(&place);
    WAIT_UNTIL(!ask(person, KEEPER_HELLO, "", 0, 0).is_held); /* the agent is known to be gone */
    struct keeper_report report = ask(person, KEEPER_READ, "o1", 0, 0);
    EXPECT(report.value == 0 && report.cause == KEEPER_CAUSE_ORDER);
    EXPECT(ask(person, KEEPER_HELLO, "", 0, 0).is_held == 0 && !has_happened("header 2 level 1", NULL));
    close(person);
    stop_keeper();
}

static void the_dead_switch_nothing_on(void) {
    dies_with_orders(false);
    dies_with_orders(true);
}

static void needs_a_table(void) {
    make_place(&place);
    EXPECT(run_program("run", NULL) == 78);
    EXPECT(has_said(&place, "outputs.table does not exist") && has_said(&place, "start that"));
    write_file(place.table, "m2m-keeper table 1\nheartbeat 2000\nend 1 0000000000000000\n");
    EXPECT(run_program("run", NULL) == 78);
    EXPECT(has_said(&place, "outputs.table:3: count or checksum"));
    EXPECT(run_program("check", NULL) == 78);
    EXPECT(access(place.socket, F_OK) != 0);
    remove_place(&place);
}

static void reads_its_table_again(void) {
    start_keeper();
    int agent = adopt_and_set("o0");
    struct keeper_report before = ask(agent, KEEPER_HELLO, "", 0, 0);
    write_file(place.table, "m2m-keeper table 1\n");
    struct keeper_report report = ask(agent, KEEPER_RELOAD, "", 0, 0);
    EXPECT(report.status == -EINVAL && strstr(report.text, "outputs.table:2: it ends too early") != NULL);
    EXPECT(ask(agent, KEEPER_HELLO, "", 0, 0).table == before.table);
    write_table(&place, 2);
    report = ask(agent, KEEPER_RELOAD, "", 0, 0);
    EXPECT(report.status == 0 && report.count == 2 && report.table != before.table);
    EXPECT(has_happened("header 2 release", NULL) && !has_happened("header 0 level 0", NULL));
    EXPECT(ask(agent, KEEPER_READ, "o0", 0, 0).value == 1);
    close(agent);
    stop_keeper();
}

static void says_what_is_not_safe(void) {
    start_keeper();
    int agent = adopt_and_set("o0");
    EXPECT(ask(agent, KEEPER_ADOPT, "o2", 0, 0).status == 0);
    write_file(place.failing, "header:1\nheader:2\n");
    EXPECT(ask(agent, KEEPER_SET, "o2", 1, 0).status == -EIO && has_happened("header 2 failed 1", NULL));
    unlink(place.failing);
    struct keeper_report report = wait_for_news(agent);
    EXPECT(strcmp(report.output, "o2") == 0 && report.status == 0);
    EXPECT(has_said(&place, "o2 was made safe (off) at last"));
    EXPECT(ask(agent, KEEPER_SET, "o2", 1, 0).status == 0);

    /* It goes, and can't be made safe. */
    write_file(place.failing, "header:2\n");
    write_table(&place, 2);
    report = ask(agent, KEEPER_RELOAD, "", 0, 0);
    EXPECT(report.status == 0 && report.count == 2);
    EXPECT(strcmp(report.text, "given back, and not known to be safe: o2") == 0 && has_said(&place, report.text));
    EXPECT(has_happened("header 2 failed 0", NULL) && has_happened("header 2 release", NULL));
    report = ask(agent, KEEPER_RELOAD, "", 0, 0);
    EXPECT(report.status == 0 && report.text[0] == '\0');

    /* The same of another, at the keeper's end. */
    write_file(place.failing, "*\n");
    kill(server, SIGTERM);
    EXPECT(wait_for_exit(server) == 1);
    EXPECT(has_said(&place, "o0 is not known to be safe: GPIO0 (header offset 0): the line can't be driven: Input"));
    EXPECT(!has_said(&place, "o0 is not held") && has_said(&place, "made 0 of 2 outputs safe"));
    close(agent);
    remove_place(&place);
}

static void goes_on_without_a_busy_line(void) {
    setenv("M2M_FAKE_BUSY", "header:1:gpioset:-1", 1);
    start_keeper();
    EXPECT(has_said(&place, "o1 is not held: GPIO1 (header offset 1): held by \"gpioset\""));
    EXPECT(has_said(&place, "holds 2 of 3 outputs"));
    close(adopt_and_set("o0"));
    stop_keeper();
    setenv("M2M_FAKE_BUSY", "header:1:gpioset:60", 1);
    start_keeper();
    EXPECT(has_said(&place, "holds 3 of 3 outputs"));
    stop_keeper();
    unsetenv("M2M_FAKE_BUSY");
}

static void shows_its_outputs(void) {
    setenv("M2M_FAKE_BUSY", "header:2:\xe9t\xe9:-1", 1); /* a name in no known encoding */
    start_keeper();
    unsetenv("M2M_FAKE_BUSY");
    int agent = adopt_and_set("o1");
    EXPECT(ask(agent, KEEPER_SET, "o1", 1, clock_now() + 3600 * 1000 * KEEPER_MS).status == 0);
    struct place first = place;
    snprintf(place.words, sizeof place.words, "%s/second", place.folder);
    EXPECT(run_program("status", NULL) == 0);
    EXPECT(has_said(&place, "OUTPUT") && has_said(&place, "GPIO1 (header offset 1)") && has_said(&place, "by order"));
    EXPECT(run_program("status", "--json") == 0);
    EXPECT(has_said(&place, "{\"output\":\"o1\",\"line\":\"GPIO1 (header offset 1)\",\"held\":true,\"value\":\"on\","
                            "\"safe\":\"off\",\"until\":3"));
    EXPECT(has_said(&place, "\"value\":\"off\",\"safe\":\"off\",\"until\":null,\"cause\":\"start\","));
    EXPECT(has_said(&place, "held by \\\"?t?\\\""));
    EXPECT(run_program("check", NULL) == 0);
    EXPECT(has_said(&place, "o1: GPIO1 (header offset 1), safe off, agent lost: safe after 3600 s; free"));
    setenv("M2M_FAKE_BUSY", "header:1:m2m-keeper o1:-1,header:2:gpioset:-1", 1);
    EXPECT(run_program("check", NULL) == 1);
    EXPECT(has_said(&place, "; held by \"m2m-keeper o1\"") && has_said(&place, "; held by \"gpioset\""));
    unsetenv("M2M_FAKE_BUSY");
    EXPECT(run_program("check", "--json") == 2 && run_program("nonsense", NULL) == 2);
    unlink(place.words);
    place = first;
    close(agent);
    stop_keeper();
}

static void does_not_wake(void) {
    start_keeper();
    int agent = adopt_and_set("o0");
    EXPECT(ask(agent, KEEPER_SET, "o0", 0, 0).status == 0);
    long before = 0;
    for (int i = 0; i < 300 && before != sleeps(); i++) { /* until it has lain down */
        before = sleeps();
        poll(NULL, 0, 100);
    }
    poll(NULL, 0, 500);
    EXPECT(before > 0 && sleeps() == before);
    close(agent);
    stop_keeper();
}

static void is_one_thread(void) {
    start_keeper();
    EXPECT(kernel_says("Threads") == 1);
    int agent = adopt_and_set("o0");
    EXPECT(kernel_says("Threads") == 1);
    EXPECT(ask(agent, KEEPER_SET, "o0", 1, clock_now() + 20 * KEEPER_MS).status == 0);
    EXPECT(wait_for_news(agent).cause == KEEPER_CAUSE_DEADLINE);
    EXPECT(kernel_says("Threads") == 1);
    write_table(&place, 2);
    EXPECT(ask(agent, KEEPER_RELOAD, "", 0, 0).count == 2);
    EXPECT(kernel_says("Threads") == 1);
    close(agent);
    stop_keeper();
}

static void needs_descriptors(void) {
    struct rlimit before, few;
    EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
    few = before;
    make_place(&place);
    write_table(&place, 3);
    few.rlim_cur = 143;
    EXPECT(setrlimit(RLIMIT_NOFILE, &few) == 0);
    EXPECT(run_program("run", NULL) == 1);
    EXPECT(has_said(&place, "needs 144 descriptors for its lines and connections, and may have 143 only"));
    EXPECT(access(place.socket, F_OK) != 0 && !has_happened("header 0 request m2m-keeper o0", NULL));
    remove_place(&place);
    few.rlim_cur = 144;
    EXPECT(setrlimit(RLIMIT_NOFILE, &few) == 0);
    start_keeper();
    stop_keeper();
    EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
}

static void works_where_it_cannot_wait(void) {
    start_keeper();
    int agent = adopt_and_set("o0");
    struct rlimit all, few;
    EXPECT(prlimit(server, RLIMIT_NOFILE, NULL, &all) == 0);
    few = all;
    few.rlim_cur = 5; /* of which all are in use: ppoll fails from now on */
    EXPECT(prlimit(server, RLIMIT_NOFILE, &few, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        EXPECT(ask(agent, KEEPER_SET, "o0", 1, 0).status == 0); /* as in keeps_deadlines */
        int64_t deadline = clock_now() + 20 * KEEPER_MS;
        EXPECT(ask(agent, KEEPER_SET, "o0", 1, deadline).deadline_ns == deadline);
        EXPECT(wait_for_news(agent).cause == KEEPER_CAUSE_DEADLINE);
    }
    long before = sleeps();
    WAIT_UNTIL(sleeps() >= before + 5); /* what spins never sleeps */
    EXPECT(has_said(&place, "can't wait (Invalid argument), and looks every 10 ms instead\n"));
    EXPECT(!has_said(&place, "times more"));
    EXPECT(ask(agent, KEEPER_SET, "o0", 1, 0).status == 0);
    close(agent);
    wait_until_said(&place, "o0 was made safe (off): the connection of its agent has ended\n");
    EXPECT(prlimit(server, RLIMIT_NOFILE, &all, NULL) == 0);
    stop_keeper();
}

void program_tests(void) {
    promise("At SIGTERM, SIGINT and SIGHUP every output is made safe and given back", ends_safe);
    promise("An agent that is killed is noticed; what may be held without it is held", notices_a_death);
    promise("A deadline is kept on the real clock, and never early", keeps_deadlines);
    promise("A keeper that was stopped keeps its deadlines before it reads orders", deadlines_come_first);
    promise("What an agent has ordered before it died switches nothing on after it, and the rest is done",
            the_dead_switch_nothing_on);
    promise("Without a table, or with a damaged one, the keeper holds nothing and says so", needs_a_table);
    promise("The table is read again when that is asked for, and a damaged one changes nothing", reads_its_table_again);
    promise("What can't be made safe when it is given back is named", says_what_is_not_safe);
    promise("A busy line is waited for, and named with its holder if that is in vain", goes_on_without_a_busy_line);
    promise("People are shown outputs and lines", shows_its_outputs);
    promise("A keeper whose outputs are safe sleeps", does_not_wake);
    promise("It is one thread, whatever it has done", is_one_thread);
    promise("With too few descriptors the keeper does not start, and says how many it needs", needs_descriptors);
    promise("Where the system does not let it wait it neither spins nor stops working", works_where_it_cannot_wait);
}
