/* After its start the keeper allocates nothing and needs no disk: malloc is counted, mlockall is looked at. */
#include "listener.h"
#include "program.h"
#include "server.h"
#include "tests.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of AddressSanitizer, with which these tests are built; not every compiler brings its header. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

/* Shared between this process and the one with the server. */
struct seen {
    unsigned allocations;
    int locked;        /* the flags of mlockall */
    bool is_refused;   /* whether it fails */
    unsigned requests; /* of the first line, before that */
};
static volatile struct seen *seen;

/* In place of the system's, which could not lock what AddressSanitizer reserves for itself. */
int mlockall(int flags) {
    seen->locked = flags;
    seen->requests = fake_counts("header", 0).requests;
    errno = ENOMEM;
    return seen->is_refused ? -1 : 0;
}

static void on_malloc(const volatile void *pointer, size_t size) {
    (void)pointer;
    (void)size;
    seen->allocations++;
}

static void on_free(const volatile void *pointer) { (void)pointer; }

/* The server, in a process of its own; never returns. */
static void serve(void) {
    fake_reset();
    fake_chip("header", 28, "GPIO%");
    speak_into_words(&place);
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    void *volatile one = malloc(1); /* is counted, or the counting does not work */
    free(one);
    _exit(server_run(place.table, place.socket));
}

/* A server with three outputs; a connection to it that has been answered. */
static int start_server(bool is_refused) {
    make_place(&place);
    write_table(&place, 3);
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    seen->is_refused = is_refused;
    server = fork();
    if (server == 0) serve();
    int agent = enter(&place);
    EXPECT(ask(agent, KEEPER_HELLO, "", 0, 0).count == 3);
    return agent;
}

static void stop_server(void) {
    stop_keeper();
    munmap((void *)seen, sizeof *seen);
}

static void allocates_nothing(void) {
    int agent = start_server(false);
    unsigned before = seen->allocations;
    EXPECT(before > 0);
    EXPECT(ask(agent, KEEPER_ADOPT, "o0", 0, 0).status == 0);
    for (int i = 0; i < 1000; i++) {
        EXPECT(ask(agent, KEEPER_SET, "o0", i % 2, 0).status == 0);
        if (i % 100 == 0) EXPECT(ask(agent, KEEPER_LIST, "", 0, 0).status == 0);
        if (i % 100 == 1) EXPECT(ask(agent, KEEPER_SET, "nothing", 1, 0).status != 0);
        if (i % 100 == 2) EXPECT(ask(agent, KEEPER_RELOAD, "", 0, 0).status == 0);
    }
    EXPECT(ask(agent, KEEPER_SET, "o0", 1, 0).status == 0);
    close(agent);
    wait_until_off("o0");
    EXPECT(seen->allocations == before);
    stop_server();
}

static void stays_in_memory(void) {
    static const char words[] = "its memory can't be locked (Cannot allocate memory): when the disk fails, ";
    for (int is_refused = 0; is_refused < 2; is_refused++) {
        close(start_server(is_refused)); /* answered, so it has come by */
        EXPECT(seen->locked == (MCL_CURRENT | MCL_FUTURE) && seen->requests == 1);
        EXPECT(has_said(&place, words) == is_refused);
        stop_server();
    }
}

void memory_tests(void) {
    promise("After its start the keeper allocates no memory, whatever it is asked", allocates_nothing);
    promise("Once it has the lines its memory is locked; where that is refused it says so, and serves",
            stays_in_memory);
}
