/*
 * csystem - the few Linux calls that Swift's Glibc module does not show.
 *
 * Functions return 0 (or the value asked for) when all is well, and -errno otherwise.
 */
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Who is at the other end of a Unix socket: struct ucred of unix(7), SO_PEERCRED. */
struct csystem_peer {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};

/* The level and the name with which getsockopt(2) fills a struct csystem_peer. */
extern const int csystem_peer_level;
extern const int csystem_peer_option;

/* Nanoseconds on CLOCK_MONOTONIC (since the boot) and on CLOCK_REALTIME (since 1970). Neither can fail. */
int64_t csystem_monotonic_ns(void);
int64_t csystem_wall_ns(void);

/* Whether the kernel holds the wall clock to be synchronised: adjtimex(2) without STA_UNSYNC. */
bool csystem_clock_is_synchronised(void);

/* How much of the disk under a path is in use, 0 to 1; negative when that can't be told: statvfs(3). */
double csystem_disk_used(const char *path);

#ifdef __cplusplus
}
#endif

#endif
