#define _GNU_SOURCE /* struct ucred */
#include "csystem.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>

_Static_assert(sizeof(struct csystem_peer) == sizeof(struct ucred), "a peer is a struct ucred");
_Static_assert(offsetof(struct csystem_peer, uid) == offsetof(struct ucred, uid), "a peer is a struct ucred");

const int csystem_peer_level = SOL_SOCKET;
const int csystem_peer_option = SO_PEERCRED;

static int64_t nanoseconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t csystem_monotonic_ns(void) { return nanoseconds_of(CLOCK_MONOTONIC); }

int64_t csystem_wall_ns(void) { return nanoseconds_of(CLOCK_REALTIME); }

bool csystem_clock_is_synchronised(void) {
    struct timex state = {.modes = 0};
    return adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

double csystem_disk_used(const char *path) {
    struct statvfs disk;
    if (statvfs(path, &disk) != 0 || disk.f_blocks == 0) return -1;
    return 1 - (double)disk.f_bavail / (double)disk.f_blocks;
}
