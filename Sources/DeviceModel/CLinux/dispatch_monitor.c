/*
 * dispatch_monitor - a program with nothing to do sleeps.
 *
 * Once a second libdispatch looks whether threads of its pools are stuck, and then adds some (its workqueue.c). That is
 * no use to Swift's tasks: no more of them run than there are processors, stuck or not; and what blocks has a serial
 * queue here, which gets a thread of its own in any case. So it looks once an hour.
 *
 * Where a program is linked with libdispatch in it, and with `--wrap` (ld(1)), the first function here is called in
 * place of dispatch_source_set_timer(); in any other program nobody calls it.
 */
#include <stdbool.h>
#include <stdint.h>

#define SECOND UINT64_C(1000000000)

void __real_dispatch_source_set_timer(void *source, uint64_t start, uint64_t interval, uint64_t leeway)
    __attribute__((weak));
void __wrap_dispatch_source_set_timer(void *source, uint64_t start, uint64_t interval, uint64_t leeway);

void __wrap_dispatch_source_set_timer(void *source, uint64_t start, uint64_t interval, uint64_t leeway) {
    bool is_monitor = interval == SECOND && leeway == 0;
    __real_dispatch_source_set_timer(source, start, is_monitor ? 3600 * SECOND : interval,
                                     is_monitor ? SECOND : leeway);
}
