#define _GNU_SOURCE /* struct ucred */
#include "clinux.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>

_Static_assert(sizeof(struct clinux_peer) == sizeof(struct ucred), "a peer is a struct ucred");
_Static_assert(offsetof(struct clinux_peer, uid) == offsetof(struct ucred, uid), "a peer is a struct ucred");

const int clinux_peer_level = SOL_SOCKET;
const int clinux_peer_option = SO_PEERCRED;

static int64_t nanoseconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clinux_monotonic_ns(void) { return nanoseconds_of(CLOCK_MONOTONIC); }

int64_t clinux_wall_ns(void) { return nanoseconds_of(CLOCK_REALTIME); }

bool clinux_clock_is_synchronised(void) {
    struct timex state = {.modes = 0};
    return adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

int clinux_user_name(uint32_t uid, char *name, uint32_t size) {
    char buffer[4096];
    struct passwd entry, *found = NULL;
    int error = getpwuid_r(uid, &entry, buffer, sizeof buffer, &found);
    if (found == NULL) return error != 0 ? -error : -ENOENT;
    snprintf(name, size, "%s", entry.pw_name);
    return 0;
}

int clinux_user_is_in_group(uint32_t uid, const char *group) {
    char group_buffer[16384], user_buffer[4096];
    struct group group_entry, *found_group = NULL;
    struct passwd user_entry, *found_user = NULL;
    int error = getgrnam_r(group, &group_entry, group_buffer, sizeof group_buffer, &found_group);
    if (found_group == NULL) return error != 0 ? -error : -ENOENT;
    error = getpwuid_r(uid, &user_entry, user_buffer, sizeof user_buffer, &found_user);
    if (found_user == NULL) return error != 0 ? -error : 0;
    if (user_entry.pw_gid == group_entry.gr_gid) return 1;
    for (char **member = group_entry.gr_mem; *member != NULL; member++) {
        if (strcmp(*member, user_entry.pw_name) == 0) return 1;
    }
    return 0;
}

bool clinux_is_private(int fd) {
    struct stat file;
    return fstat(fd, &file) == 0 && (file.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

double clinux_disk_used(const char *path) {
    struct statvfs disk;
    if (statvfs(path, &disk) != 0 || disk.f_blocks == 0) return -1;
    return 1 - (double)disk.f_bavail / (double)disk.f_blocks;
}
