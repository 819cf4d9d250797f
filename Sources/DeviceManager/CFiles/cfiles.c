#define _GNU_SOURCE /* statx, preadv2 */
#include "cfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

_Static_assert(CFILES_IN_MODIFY == IN_MODIFY && CFILES_IN_ATTRIB == IN_ATTRIB, "as in sys/inotify.h");
_Static_assert(CFILES_IN_CLOSE_WRITE == IN_CLOSE_WRITE && CFILES_IN_MOVED_FROM == IN_MOVED_FROM, "as in sys/inotify.h");
_Static_assert(CFILES_IN_MOVED_TO == IN_MOVED_TO && CFILES_IN_CREATE == IN_CREATE, "as in sys/inotify.h");
_Static_assert(CFILES_IN_DELETE == IN_DELETE && CFILES_IN_DELETE_SELF == IN_DELETE_SELF, "as in sys/inotify.h");
_Static_assert(CFILES_IN_MOVE_SELF == IN_MOVE_SELF && CFILES_IN_UNMOUNT == IN_UNMOUNT, "as in sys/inotify.h");
_Static_assert(CFILES_IN_Q_OVERFLOW == IN_Q_OVERFLOW && CFILES_IN_IGNORED == IN_IGNORED, "as in sys/inotify.h");
_Static_assert(CFILES_IN_ONLYDIR == IN_ONLYDIR && CFILES_IN_DONT_FOLLOW == IN_DONT_FOLLOW, "as in sys/inotify.h");
_Static_assert(CFILES_IN_ISDIR == IN_ISDIR && CFILES_IN_MASK_ADD == IN_MASK_ADD, "as in sys/inotify.h");

_Static_assert(CFILES_FAN_MODIFY == FAN_MODIFY && CFILES_FAN_ATTRIB == FAN_ATTRIB, "as in sys/fanotify.h");
_Static_assert(CFILES_FAN_CLOSE_WRITE == FAN_CLOSE_WRITE && CFILES_FAN_ONDIR == FAN_ONDIR, "as in sys/fanotify.h");
_Static_assert(CFILES_FAN_MOVED_FROM == FAN_MOVED_FROM && CFILES_FAN_MOVED_TO == FAN_MOVED_TO, "as in sys/fanotify.h");
_Static_assert(CFILES_FAN_CREATE == FAN_CREATE && CFILES_FAN_DELETE == FAN_DELETE, "as in sys/fanotify.h");
_Static_assert(CFILES_FAN_Q_OVERFLOW == FAN_Q_OVERFLOW, "as in sys/fanotify.h");
_Static_assert(CFILES_FAN_INFO_FID == FAN_EVENT_INFO_TYPE_FID, "as in sys/fanotify.h");
_Static_assert(CFILES_FAN_INFO_DFID_NAME == FAN_EVENT_INFO_TYPE_DFID_NAME, "as in sys/fanotify.h");
_Static_assert(CFILES_HANDLE_SIZE >= 8 + sizeof(struct file_handle) + MAX_HANDLE_SZ, "room for every handle");

const int cfiles_here = AT_FDCWD;

static int64_t nanoseconds(struct statx_timestamp time) { return time.tv_sec * 1000000000 + time.tv_nsec; }

int cfiles_status(int folder, const char *path, struct cfiles_status *status) {
    struct statx seen;
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH;
    if (statx(folder, path, flags, STATX_BASIC_STATS, &seen) != 0) return -errno;
    *status = (struct cfiles_status){
        .mode = seen.stx_mode,
        .owner = seen.stx_uid,
        .group = seen.stx_gid,
        .links = seen.stx_nlink,
        .size = seen.stx_size,
        .device = makedev(seen.stx_dev_major, seen.stx_dev_minor),
        .number = seen.stx_ino,
        .modified_ns = nanoseconds(seen.stx_mtime),
        .changed_ns = nanoseconds(seen.stx_ctime),
        .is_mounted = (seen.stx_attributes & seen.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0,
    };
    return 0;
}

int cfiles_open(const char *path) {
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int file = open(path, flags | O_NOATIME);
    if (file < 0 && errno == EPERM) file = open(path, flags); /* somebody else's */
    return file < 0 ? -errno : file;
}

void cfiles_read_randomly(int file) { posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM); }

int64_t cfiles_read(int file, void *bytes, size_t count, int64_t offset) {
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    ssize_t cached = preadv2(file, &part, 1, offset, RWF_NOWAIT);
    if (cached == (ssize_t)count) return cached;
    if (cached < 0 && errno != EAGAIN && errno != EOPNOTSUPP && errno != EINTR) return -errno;
    bool can_tell = cached >= 0 || errno == EAGAIN;
    if (cached < 0) cached = 0;
    ssize_t more;
    do {
        more = pread(file, (char *)bytes + cached, count - (size_t)cached, offset + cached);
    } while (more < 0 && errno == EINTR);
    if (more < 0) return -errno;
    if (can_tell && more > 0) posix_fadvise(file, offset + cached, more, POSIX_FADV_DONTNEED);
    return cached + more;
}

int64_t cfiles_thread_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t cfiles_find(const void *all, size_t count, const void *part, size_t part_count) {
    const char *found = memmem(all, count, part, part_count);
    return found == NULL ? -1 : found - (const char *)all;
}

int cfiles_inotify_open(void) {
    int inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return inotify < 0 ? -errno : inotify;
}

int cfiles_inotify_add(int inotify, const char *path, uint32_t mask) {
    int watch = inotify_add_watch(inotify, path, mask);
    return watch < 0 ? -errno : watch;
}

int cfiles_inotify_remove(int inotify, int watch) { return inotify_rm_watch(inotify, watch) == 0 ? 0 : -errno; }

int cfiles_fanotify_open(void) {
    unsigned flags =
        FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_FID | FAN_REPORT_DFID_NAME | FAN_UNLIMITED_QUEUE;
    int fanotify = fanotify_init(flags, O_RDONLY | O_CLOEXEC);
    return fanotify < 0 ? -errno : fanotify;
}

int cfiles_fanotify_mark(int fanotify, const char *path) {
    uint64_t mask =
        FAN_MODIFY | FAN_ATTRIB | FAN_CLOSE_WRITE | FAN_MOVED_FROM | FAN_MOVED_TO | FAN_CREATE | FAN_DELETE | FAN_ONDIR;
    return fanotify_mark(fanotify, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, AT_FDCWD, path) == 0 ? 0 : -errno;
}

int cfiles_handle(const char *path, uint8_t handle[CFILES_HANDLE_SIZE]) {
    union {
        struct file_handle head;
        uint8_t room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } found = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
    struct statfs disk;
    int mount;
    int file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) return -errno;
    bool ok = name_to_handle_at(file, "", &found.head, &mount, AT_EMPTY_PATH) == 0 && fstatfs(file, &disk) == 0;
    int error = errno;
    close(file);
    if (!ok) return -error;
    size_t size = sizeof(struct file_handle) + found.head.handle_bytes;
    memcpy(handle, &disk.f_fsid, sizeof disk.f_fsid);
    memcpy(handle + sizeof disk.f_fsid, &found, size);
    return (int)(sizeof disk.f_fsid + size);
}

int cfiles_wait(int watch, int wake, int mounts, int milliseconds) {
    struct pollfd each[] = {
        {.fd = watch, .events = POLLIN},
        {.fd = wake, .events = POLLIN},
        {.fd = mounts, .events = POLLPRI},
    };
    int count = poll(each, 3, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    int ready = 0;
    for (int i = 0; i < 3; i++)
        ready |= each[i].revents != 0 ? 1 << i : 0;
    return ready;
}

int cfiles_wake_open(void) {
    int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return wake < 0 ? -errno : wake;
}

void cfiles_wake(int wake) { eventfd_write(wake, 1); }

void cfiles_wake_clear(int wake) {
    eventfd_t count;
    eventfd_read(wake, &count);
}
