/*
 * crowd - clients of mosquitto that are connected over TLS and do nothing: the peer of an idle agent, and of a router
 * with many devices, in `make bench`.
 *
 * One is as a program with libmosquitto usually is: mosquitto_loop_forever(), which looks after its connection once a
 * second. Of many, each is only connected: what is measured then is the broker, which hears of nobody.
 */
#include "peer.h"

#include <getopt.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char help[] = "usage: crowd --port PORT --ca FILE [--count N]\n"
                           "\n"
                           "  --port PORT   where mosquitto listens with TLS on 127.0.0.1\n"
                           "  --ca FILE     the certificate of its CA\n"
                           "  --count N     how many clients (1)\n"
                           "\n"
                           "Prints \"ready\" once all are connected, and stays until it is ended.\n";

/* Longer than anybody measures: nobody is asked whether they live. */
#define KEEP_ALIVE_OF_MANY_S 3600
#define KEEP_ALIVE_S 60
/* Of one process: libmosquitto waits with select(), which knows no descriptor above 1023 (select(2)); each has three.
 */
#define GROUP 300

static void check(int result) {
    if (result != MOSQ_ERR_SUCCESS) die("%s", mosquitto_strerror(result));
}

static void say_ready(void) {
    puts("ready");
    fflush(stdout);
}

static void connected(struct mosquitto *mosquitto, void *is_connected, int result) {
    (void)mosquitto;
    if (result != 0) die("%s", mosquitto_connack_string(result));
    *(bool *)is_connected = true;
}

static void alone(struct mosquitto *mosquitto, void *object, int result) {
    connected(mosquitto, object, result);
    say_ready();
}

static struct mosquitto *client(const char *ca, bool *is_connected) {
    struct mosquitto *mosquitto = mosquitto_new(NULL, true, is_connected);
    if (mosquitto == NULL) die("there is no memory");
    check(mosquitto_tls_set(mosquitto, ca, NULL, NULL, NULL, NULL));
    return mosquitto;
}

/* One client, as it comes. */
static void be_alone(const char *ca, int port) {
    static bool is_connected;
    check(mosquitto_lib_init());
    struct mosquitto *mosquitto = client(ca, &is_connected);
    mosquitto_connect_callback_set(mosquitto, alone);
    check(mosquitto_connect(mosquitto, "127.0.0.1", port, KEEP_ALIVE_S));
    check(mosquitto_loop_forever(mosquitto, -1, 1));
}

/* Some, one after the other. */
__attribute__((noreturn)) static void be_group(const char *ca, int port, long count, int words) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    check(mosquitto_lib_init());
    for (long i = 0; i < count; i++) {
        bool is_connected = false;
        struct mosquitto *mosquitto = client(ca, &is_connected);
        mosquitto_connect_callback_set(mosquitto, connected);
        check(mosquitto_connect(mosquitto, "127.0.0.1", port, KEEP_ALIVE_OF_MANY_S));
        while (!is_connected)
            check(mosquitto_loop(mosquitto, 1000, 1));
    }
    if (write(words, "", 1) != 1) die("nobody listens");
    pause();
    exit(0);
}

/* Many, in processes of their own, one group after the other. */
static void be_many(const char *ca, int port, long count) {
    for (long i = 0; i < count; i += GROUP) {
        int pipes[2];
        char ready;
        if (pipe(pipes) != 0) die("no pipe");
        pid_t process = fork();
        if (process < 0) die("no process");
        if (process == 0) {
            close(pipes[0]);
            be_group(ca, port, count - i < GROUP ? count - i : GROUP, pipes[1]);
        }
        close(pipes[1]);
        if (read(pipes[0], &ready, 1) != 1) die("not all are connected"); /* it has said why */
    }
    say_ready();
    pause();
}

int main(int argument_count, char **arguments) {
    static const struct option names[] = {
        {"port", required_argument, NULL, 'p'},
        {"ca", required_argument, NULL, 'a'},
        {"count", required_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    const char *ca = NULL;
    long count = 1;
    int port = 0;
    for (int option; (option = getopt_long(argument_count, arguments, "", names, NULL)) != -1;) {
        switch (option) {
        case 'p': port = (int)number(optarg, 1, 65535); break;
        case 'a': ca = optarg; break;
        case 'c': count = number(optarg, 1, 100000); break;
        default: usage(help);
        }
    }
    if (optind != argument_count || port == 0 || ca == NULL) usage(help);
    if (count == 1)
        be_alone(ca, port);
    else
        be_many(ca, port, count);
    return 0;
}
