#define _GNU_SOURCE /* struct ucred */
#include "clinux.h"

#include <errno.h>
#include <grp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <link.h>
#include <malloc.h>
#include <net/if.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

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

int clinux_network_open(void) {
    struct sockaddr_nl name = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
    };
    int yes = 1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0) return -errno;
    /* What comes while nobody reads is dropped, and no reason to end: any news is as good as all. */
    setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) == 0) return fd;
    int error = errno;
    close(fd);
    return -error;
}

/* Whether a link carries something now and did not before; those beyond the 64th are not kept account of. */
static bool is_plugged_in(const struct ifinfomsg *link, struct clinux_network *known) {
    if (link->ifi_index < 0 || link->ifi_index >= 64 || (link->ifi_flags & IFF_LOOPBACK) != 0) return false;
    uint64_t bit = (uint64_t)1 << link->ifi_index;
    bool was_running = (known->running & bit) != 0, is_running = (link->ifi_flags & IFF_RUNNING) != 0;
    known->running = is_running ? known->running | bit : known->running & ~bit;
    return is_running && !was_running;
}

/* A number that stands for an address of a link (FNV-1a), never 0. */
static uint64_t number_of(const struct ifaddrmsg *message, size_t length) {
    uint64_t number = 0xCBF29CE484222325 ^ message->ifa_index;
    size_t rest = length - NLMSG_ALIGN(sizeof *message);
    for (const struct rtattr *field = IFA_RTA(message); RTA_OK(field, rest); field = RTA_NEXT(field, rest)) {
        if (field->rta_type != IFA_ADDRESS) continue;
        const unsigned char *bytes = RTA_DATA(field);
        for (size_t i = 0; i < RTA_PAYLOAD(field); i++)
            number = (number ^ bytes[i]) * 0x100000001B3;
    }
    return number | 1;
}

/* Whether an address was not there before: the kernel tells of one again and again, with each router advertisement. Of
 * more than CLINUX_ADDRESSES the oldest is forgotten. */
static bool is_new(const struct ifaddrmsg *message, size_t length, bool is_gone, struct clinux_network *known) {
    uint64_t number = number_of(message, length);
    for (int i = 0; i < CLINUX_ADDRESSES; i++) {
        if (known->addresses[i] != number) continue;
        if (is_gone) known->addresses[i] = 0;
        return false;
    }
    if (is_gone) return false;
    known->addresses[known->next++ % CLINUX_ADDRESSES] = number;
    return true;
}

bool clinux_network_is_back(const void *bytes, size_t count, struct clinux_network *known) {
    bool is_back = false;
    const struct nlmsghdr *message = bytes;
    while (count >= sizeof *message && message->nlmsg_len >= sizeof *message && message->nlmsg_len <= count) {
        size_t length = message->nlmsg_len - NLMSG_HDRLEN, whole = NLMSG_ALIGN((size_t)message->nlmsg_len);
        const struct rtmsg *route = NLMSG_DATA(message);
        switch (message->nlmsg_type) {
        case RTM_NEWADDR:
        case RTM_DELADDR:
            is_back |= length >= NLMSG_ALIGN(sizeof(struct ifaddrmsg)) &&
                       is_new(NLMSG_DATA(message), length, message->nlmsg_type == RTM_DELADDR, known);
            break;
        case RTM_NEWROUTE: is_back |= length >= sizeof *route && route->rtm_dst_len == 0; break;
        case RTM_NEWLINK:
            is_back |= length >= sizeof(struct ifinfomsg) && is_plugged_in(NLMSG_DATA(message), known);
            break;
        default: break;
        }
        if (whole >= count) break;
        count -= whole;
        message = (const struct nlmsghdr *)((const char *)message + whole);
    }
    return is_back;
}

void clinux_share_heap(void) { mallopt(M_ARENA_MAX, 1); }

/* A program or library: what it has mapped and may not be written is in its file as it is in memory. */
static int let_go(struct dl_phdr_info *object, size_t size, void *unused) {
    (void)size, (void)unused;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W) != 0) continue;
        uintptr_t begin = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
        uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
        madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

void clinux_let_go_of_code(void) { dl_iterate_phdr(let_go, NULL); }
