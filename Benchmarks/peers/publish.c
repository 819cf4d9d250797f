/*
 * publish - what libmosquitto does through mosquitto, over TLS with QoS 1: the peer of the agent's link in `make
 * bench`.
 *
 * A message is made once and sent again and again: nothing is encoded here, nothing is stored, and the broker keeps it
 * in memory at most. The loop is mosquitto_loop(); with mosquitto_loop_start(), a thread of its own, libmosquitto is
 * slower, and from 2000 messages in flight on, too, for it goes through all of them at each PUBACK.
 */
#include "peer.h"

#include <getopt.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: publish send | deliver | ask --port PORT --ca FILE [option...]\n"
    "\n"
    "  send            messages that nobody has subscribed to: until the PUBACK of each is there\n"
    "  deliver         the same, and until a subscriber, which is a process of its own, has them all\n"
    "  ask             questions one after the other, each until its answer is there, from a process of its own\n"
    "\n"
    "  --port PORT     where mosquitto listens with TLS on 127.0.0.1\n"
    "  --ca FILE       the certificate of its CA\n"
    "  --count N       how many messages, or questions (1000)\n"
    "  --size N        how many bytes a reading has (120)\n"
    "  --readings N    how many readings are in a message (1)\n"
    "  --in-flight N   how many messages wait for their PUBACK, at most (400)\n"
    "  --no-delay      sets TCP_NODELAY on the client's connections\n"
    "  --broker PID    whose work is measured as well\n"
    "\n"
    "Prints a JSON object. Times begin when all are connected.\n";

static const char reading[] = "{\"seq\":100000,\"wall\":1795320865123456789,\"component\":\"climate\","
                              "\"property\":\"temperature\",\"value\":21.37,\"quality\":\"good\"}";
static const char readings_topic[] = "m2m-bench/readings";
static const char question_topic[] = "m2m-bench/questions", answer_topic[] = "m2m-bench/answers";
static const char question[] =
    "{\"id\":\"bench-1\",\"component\":\"heater\",\"action\":\"toggle\",\"expiry_ms\":10000}";
static const char answer[] = "{\"id\":\"bench-1\",\"component\":\"heater\",\"action\":\"toggle\",\"status\":\"done\"}";

/* So many messages are handed over before the connection is looked at again. */
#define BURST 20
/* Nothing here takes so long where it works. */
#define PATIENCE_S 30

static struct {
    int port;
    const char *ca;
    long count, size, readings, in_flight, broker;
    bool no_delay;
} options = {.count = 1000, .size = 120, .readings = 1, .in_flight = 400};

/* A connection, and what has happened on it. */
struct client {
    struct mosquitto *mosquitto;
    const char *topic;  /* that is subscribed to; NULL: none */
    const char *answer; /* what is said to each message that comes; NULL: nothing */
    bool is_ready;
    long acknowledged, received;
    double heard; /* when something was heard last */
};

/* MARK: the connection */

static void check(int result) {
    if (result != MOSQ_ERR_SUCCESS) die("%s", mosquitto_strerror(result));
}

static void publish(struct client *client, const char *topic, const char *payload, int size) {
    check(mosquitto_publish(client->mosquitto, NULL, topic, size, payload, 1, false));
}

static void connected(struct mosquitto *mosquitto, void *object, int result) {
    struct client *client = object;
    if (result != 0) die("%s", mosquitto_connack_string(result));
    if (client->topic != NULL) check(mosquitto_subscribe(mosquitto, NULL, client->topic, 1));
    client->is_ready = client->topic == NULL;
}

static void subscribed(struct mosquitto *mosquitto, void *object, int message, int count, const int granted[]) {
    (void)mosquitto, (void)message;
    if (count != 1 || granted[0] != 1) die("the subscription was not granted");
    ((struct client *)object)->is_ready = true;
}

/* The PUBACK has come: with QoS 1 libmosquitto calls this no earlier. */
static void acknowledged(struct mosquitto *mosquitto, void *object, int message) {
    struct client *client = object;
    (void)mosquitto, (void)message;
    client->acknowledged++;
    client->heard = seconds(CLOCK_MONOTONIC);
}

static void received(struct mosquitto *mosquitto, void *object, const struct mosquitto_message *message) {
    struct client *client = object;
    (void)mosquitto, (void)message;
    client->received++;
    client->heard = seconds(CLOCK_MONOTONIC);
    if (client->answer != NULL) publish(client, answer_topic, client->answer, (int)strlen(client->answer));
}

/* Lets the connection work; may_wait: until something comes. */
static void step(struct client *client, bool may_wait) {
    check(mosquitto_loop(client->mosquitto, may_wait ? 1000 : 0, 1));
    if (seconds(CLOCK_MONOTONIC) - client->heard > PATIENCE_S) die("nothing has come for %d s", PATIENCE_S);
}

/* Connects, and subscribes where there is a topic. */
static void enter(struct client *client) {
    check(mosquitto_lib_init());
    client->mosquitto = mosquitto_new(NULL, true, client);
    if (client->mosquitto == NULL) die("there is no memory");
    mosquitto_connect_callback_set(client->mosquitto, connected);
    mosquitto_subscribe_callback_set(client->mosquitto, subscribed);
    mosquitto_publish_callback_set(client->mosquitto, acknowledged);
    mosquitto_message_callback_set(client->mosquitto, received);
    check(mosquitto_tls_set(client->mosquitto, options.ca, NULL, NULL, NULL, NULL));
    check(mosquitto_int_option(client->mosquitto, MOSQ_OPT_TCP_NODELAY, options.no_delay));
    check(mosquitto_max_inflight_messages_set(client->mosquitto, (unsigned)options.in_flight));
    check(mosquitto_connect(client->mosquitto, "127.0.0.1", options.port, 60));
    client->heard = seconds(CLOCK_MONOTONIC);
    while (!client->is_ready)
        step(client, true);
}

/* MARK: work that was done */

/* What another process has worked, in seconds, as proc(5) counts it. */
static double work_of(long process) {
    unsigned long user, system;
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    FILE *file = fopen(path, "re");
    if (file == NULL) die("there is no process %ld", process);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    /* The second field is a name in parentheses that may hold anything; user and system time are the 14th and 15th. */
    const char *rest = strrchr(text, ')');
    if (rest == NULL || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        die("%s makes no sense", path);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* The time and the work until now; and, from these, since then. */
struct meter {
    double time, own, broker;
};

static struct meter meter(const struct meter *since) {
    struct meter now = {seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID),
                        options.broker > 0 ? work_of(options.broker) : 0};
    if (since == NULL) return now;
    return (struct meter){now.time - since->time, now.own - since->own, now.broker - since->broker};
}

/* The last fields of each object. */
static void print_work(const struct meter *work, const double *other) {
    printf("\"seconds\":%.6f,\"cpu_seconds\":%.6f", work->time, work->own);
    if (other != NULL) printf(",\"other_cpu_seconds\":%.6f", *other);
    if (options.broker > 0) printf(",\"broker_cpu_seconds\":%.2f", work->broker);
    printf("}\n");
}

/* MARK: the other end */

/* The process of a subscriber, and what it says: a byte when it is ready, its work when all is done. */
struct other {
    pid_t process;
    int words;
};

/* Receives so many messages as there are, and answers each where there is an answer. */
__attribute__((noreturn)) static void be_other(int words, const char *topic, const char *answer) {
    struct client client = {.topic = topic, .answer = answer};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    enter(&client);
    if (write(words, "", 1) != 1) die("nobody listens");
    double worked = seconds(CLOCK_PROCESS_CPUTIME_ID);
    while (client.received < options.count || (answer != NULL && client.acknowledged < options.count))
        step(&client, true);
    worked = seconds(CLOCK_PROCESS_CPUTIME_ID) - worked;
    if (write(words, &worked, sizeof worked) != sizeof worked) die("nobody listens");
    exit(0);
}

/* Before this process has a connection: libmosquitto does not live through a fork. */
static struct other start_other(const char *topic, const char *answer) {
    int pipes[2];
    char ready;
    if (pipe(pipes) != 0) die("no pipe");
    struct other other = {fork(), pipes[0]};
    if (other.process < 0) die("no process");
    if (other.process == 0) be_other(pipes[1], topic, answer);
    close(pipes[1]);
    if (read(other.words, &ready, 1) != 1) die("the other end does not connect");
    return other;
}

/* Waits until the other end has done all, and returns what it has worked for that. */
static double work_of_other(const struct other *other) {
    double worked;
    if (read(other->words, &worked, sizeof worked) != sizeof worked) die("the other end has failed");
    waitpid(other->process, NULL, 0);
    return worked;
}

/* MARK: the figures */

static void send_readings(bool has_subscriber) {
    int size = (int)(options.size * options.readings);
    char *payload = malloc((size_t)size);
    if (payload == NULL) die("there is no memory");
    memset(payload, ' ', (size_t)size);
    for (long i = 0; i < options.readings; i++)
        memcpy(payload + i * options.size, reading, sizeof reading - 1);

    struct other other = {0};
    if (has_subscriber) other = start_other(readings_topic, NULL);
    struct client client = {0};
    enter(&client);
    struct meter start = meter(NULL);
    for (long sent = 0; client.acknowledged < options.count;) {
        long room = options.in_flight + client.acknowledged;
        for (int i = 0; i < BURST && sent < options.count && sent < room; i++, sent++)
            publish(&client, readings_topic, payload, size);
        step(&client, sent == options.count || sent >= room);
    }
    double others = has_subscriber ? work_of_other(&other) : 0;
    struct meter work = meter(&start);

    printf("{\"peer\":\"%s\",\"messages\":%ld,\"readings\":%ld,\"bytes\":%d,\"in_flight\":%ld,"
           "\"readings_per_second\":%.1f,",
           has_subscriber ? "deliver" : "send", options.count, options.count * options.readings, size,
           options.in_flight, (double)(options.count * options.readings) / work.time);
    print_work(&work, has_subscriber ? &others : NULL);
    free(payload);
}

static int compare(const void *left, const void *right) {
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void ask(void) {
    double *times = malloc((size_t)options.count * sizeof *times);
    if (times == NULL) die("there is no memory");
    struct other other = start_other(question_topic, answer);
    struct client client = {.topic = answer_topic};
    enter(&client);
    struct meter start = meter(NULL);
    for (long i = 0; i < options.count; i++) {
        double asked = seconds(CLOCK_MONOTONIC);
        publish(&client, question_topic, question, sizeof question - 1);
        while (client.received == i)
            step(&client, true);
        times[i] = (seconds(CLOCK_MONOTONIC) - asked) * 1000;
    }
    struct meter work = meter(&start);
    while (client.acknowledged < options.count)
        step(&client, true);
    double others = work_of_other(&other);

    qsort(times, (size_t)options.count, sizeof *times, compare);
    printf("{\"peer\":\"ask\",\"questions\":%ld,\"p50_ms\":%.3f,\"p99_ms\":%.3f,", options.count,
           times[options.count / 2], times[options.count * 99 / 100]);
    print_work(&work, &others);
    free(times);
}

int main(int count, char **arguments) {
    static const struct option names[] = {
        {"port", required_argument, NULL, 'p'},
        {"ca", required_argument, NULL, 'a'},
        {"count", required_argument, NULL, 'c'},
        {"size", required_argument, NULL, 's'},
        {"readings", required_argument, NULL, 'r'},
        {"in-flight", required_argument, NULL, 'i'},
        {"no-delay", no_argument, NULL, 'n'},
        {"broker", required_argument, NULL, 'b'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(count, arguments, "", names, NULL)) != -1;) {
        switch (option) {
        case 'p': options.port = (int)number(optarg, 1, 65535); break;
        case 'a': options.ca = optarg; break;
        case 'c': options.count = number(optarg, 1, 100000000); break;
        case 's': options.size = number(optarg, (long)sizeof reading - 1, 65536); break;
        case 'r': options.readings = number(optarg, 1, 1000); break;
        case 'i': options.in_flight = number(optarg, 1, 65535); break;
        case 'n': options.no_delay = true; break;
        case 'b': options.broker = number(optarg, 1, 1L << 30); break;
        default: usage(help);
        }
    }
    if (optind + 1 != count || options.port == 0 || options.ca == NULL) usage(help);
    const char *figure = arguments[optind];
    if (strcmp(figure, "send") == 0)
        send_readings(false);
    else if (strcmp(figure, "deliver") == 0)
        send_readings(true);
    else if (strcmp(figure, "ask") == 0)
        ask();
    else
        usage(help);
    return 0;
}
