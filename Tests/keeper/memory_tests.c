/* After its start the keeper allocates nothing: the whole server answers a thousand orders, and malloc is counted. */
#include "listener.h"
#include "program.h"
#include "server.h"
#include "tests.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of AddressSanitizer, with which these tests are built; not every compiler brings its header. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

/* Shared between this process and the one with the server. */
static volatile unsigned *allocations;

static void on_malloc(const volatile void *pointer, size_t size) {
    (void)pointer;
    (void)size;
    (*allocations)++;
}

static void on_free(const volatile void *pointer) { (void)pointer; }

/* The server, in a process of its own; never returns. */
static void serve(const struct place *place) {
    fake_reset();
    fake_chip("header", 28, "GPIO%");
    quiet();
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    void *volatile one = malloc(1); /* is counted, or the counting does not work */
    free(one);
    _exit(server_run(place->table, place->socket));
}

static void allocates_nothing(void) {
    struct place place;
    make_place(&place);
    allocations = mmap(NULL, sizeof *allocations, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    write_table(&place, 3);
    pid_t server = fork();
    if (server == 0) serve(&place);
    int agent = enter(&place);
    EXPECT(ask(agent, KEEPER_HELLO, "", 0, 0).count == 3);
    unsigned before = *allocations;
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
    int other = enter(&place);
    while (ask(other, KEEPER_READ, "o0", 0, 0).value != 0)
        continue;
    EXPECT(*allocations == before);
    close(other);
    kill(server, SIGTERM);
    EXPECT(wait_for_exit(server) == SERVER_EXIT_DONE);
    munmap((void *)allocations, sizeof *allocations);
    remove_place(&place);
}

void memory_tests(void) {
    promise("After its start the keeper allocates no memory, whatever it is asked", allocates_nothing);
}
