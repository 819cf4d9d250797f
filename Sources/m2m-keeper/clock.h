/* clock - the time by which everything here goes: CLOCK_MONOTONIC, in nanoseconds. */
#ifndef M2M_KEEPER_CLOCK_H
#define M2M_KEEPER_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

#endif
