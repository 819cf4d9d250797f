/*
 * clinux - the few Linux calls that Swift's Glibc module does not show.
 *
 * Functions return 0 (or the value asked for) when all is well, and -errno otherwise.
 */
#ifndef CLINUX_H
#define CLINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Who is at the other end of a Unix socket: struct ucred of unix(7), SO_PEERCRED. */
struct clinux_peer {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};

/* The level and the name with which getsockopt(2) fills a struct clinux_peer. */
extern const int clinux_peer_level;
extern const int clinux_peer_option;

/* Nanoseconds on CLOCK_MONOTONIC (since the boot) and on CLOCK_REALTIME (since 1970). Neither can fail. */
int64_t clinux_monotonic_ns(void);
int64_t clinux_wall_ns(void);

/* Whether the kernel holds the wall clock to be synchronised: adjtimex(2) without STA_UNSYNC. */
bool clinux_clock_is_synchronised(void);

/* Whether nobody but its owner may read or write an open file: fstat(2). */
bool clinux_is_private(int fd);

/* The name of a user, NUL-terminated. -ENOENT: the system does not know the user. */
int clinux_user_name(uint32_t uid, char *name, uint32_t size);

/* 1 when a user is in a group, by membership or as the primary group; 0 when not. -ENOENT: there is no such group. */
int clinux_user_is_in_group(uint32_t uid, const char *group);

/* How much of the disk under a path is in use, 0 to 1; negative when that can't be told: statvfs(3). */
double clinux_disk_used(const char *path);

/* Before any thread is started: all of them share one heap, instead of a new one for each (mallopt(3), M_ARENA_MAX). */
void clinux_share_heap(void);

/*
 * Takes all pages of this process's code and constants out of its memory: madvise(2), MADV_DONTNEED. They come back one
 * by one as they are used, as long as the kernel has them in its cache from there, else from the disk.
 */
void clinux_let_go_of_code(void);

/*
 * A socket on which the kernel tells what changes in the network: rtnetlink(7). Readable when it has something to say.
 *
 * -EAFNOSUPPORT or -EPERM where a sandbox does not let this process have one.
 */
int clinux_network_open(void);

/* So many addresses are known at a time. */
#define CLINUX_ADDRESSES 64

/* What is known of the network: all 0 at first. */
struct clinux_network {
    uint64_t running;                     /* the links that carry something, a bit each */
    uint64_t addresses[CLINUX_ADDRESSES]; /* a number for each; 0: none */
    unsigned next;                        /* where the next one goes */
};

/*
 * Whether the network has come back by what was read from that socket: an address or a default route is new, or a cable
 * is plugged in. `known` is the caller's, and kept from call to call.
 */
bool clinux_network_is_back(const void *bytes, size_t count, struct clinux_network *known);

#ifdef __cplusplus
}
#endif

#endif
