/*
 * cfiles - what the kernel says of files, and tells when they change: statx(2), inotify(7), fanotify(7).
 *
 * Functions return 0 (or the value asked for) when all is well, and -errno otherwise.
 */
#ifndef CFILES_H
#define CFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a name stands for; a link is a link, wherever it leads. */
struct cfiles_status {
    uint32_t mode; /* as st_mode */
    uint32_t owner;
    uint32_t group;
    uint32_t links;
    uint64_t size;
    uint64_t device;
    uint64_t number; /* the inode */
    int64_t modified_ns;
    int64_t changed_ns;
    bool is_mounted; /* something is mounted there: STATX_ATTR_MOUNT_ROOT, or, before Linux 5.8, not known */
};

/* `path` from the folder that is open as `folder`; or, where `path` is empty, the open file itself. */
int cfiles_status(int folder, const char *path, struct cfiles_status *status);

/* The folder of the descriptor that means the current one: AT_FDCWD. */
extern const int cfiles_here;

/* Opens whatever is no link to be read, without waiting for anybody; without touching its time of use where the kernel
 * lets us. Whether it is a regular file is to be asked afterwards. */
int cfiles_open(const char *path);

/*
 * Reads a part of a file and leaves the page cache as it was, where the kernel can say what is in it (RWF_NOWAIT): what
 * the read brought in goes again.
 *
 * The file is to be told to cfiles_read_randomly first, so that the kernel reads no more than it is asked for.
 */
int64_t cfiles_read(int file, void *bytes, size_t count, int64_t offset);
void cfiles_read_randomly(int file);

/* The time that this thread has worked, in nanoseconds: CLOCK_THREAD_CPUTIME_ID. */
int64_t cfiles_thread_ns(void);

/* Where bytes begin among others, memmem(3); -1: nowhere. */
int64_t cfiles_find(const void *all, size_t count, const void *part, size_t part_count);

/* inotify(7). An event is a struct inotify_event. */
int cfiles_inotify_open(void);
int cfiles_inotify_add(int inotify, const char *path, uint32_t mask);
int cfiles_inotify_remove(int inotify, int watch);

#define CFILES_IN_MODIFY 0x00000002u
#define CFILES_IN_ATTRIB 0x00000004u
#define CFILES_IN_CLOSE_WRITE 0x00000008u
#define CFILES_IN_MOVED_FROM 0x00000040u
#define CFILES_IN_MOVED_TO 0x00000080u
#define CFILES_IN_CREATE 0x00000100u
#define CFILES_IN_DELETE 0x00000200u
#define CFILES_IN_DELETE_SELF 0x00000400u
#define CFILES_IN_MOVE_SELF 0x00000800u
#define CFILES_IN_UNMOUNT 0x00002000u
#define CFILES_IN_Q_OVERFLOW 0x00004000u
#define CFILES_IN_IGNORED 0x00008000u
#define CFILES_IN_ONLYDIR 0x01000000u
#define CFILES_IN_DONT_FOLLOW 0x02000000u
#define CFILES_IN_MASK_ADD 0x20000000u
#define CFILES_IN_ISDIR 0x40000000u

/*
 * fanotify(7) with a mark on whole file systems: for whoever has CAP_SYS_ADMIN, and Linux 5.9.
 *
 * An event names the folder and the name in it (FAN_EVENT_INFO_TYPE_DFID_NAME), and the file (FAN_EVENT_INFO_TYPE_FID),
 * by handles. -EPERM: this process may not; -EINVAL: the kernel can't.
 */
int cfiles_fanotify_open(void);

/* Marks the whole file system on which a path is. -ENODEV, -EOPNOTSUPP or -EXDEV: it has no handles. */
int cfiles_fanotify_mark(int fanotify, const char *path);

#define CFILES_FAN_MODIFY 0x00000002u
#define CFILES_FAN_ATTRIB 0x00000004u
#define CFILES_FAN_CLOSE_WRITE 0x00000008u
#define CFILES_FAN_MOVED_FROM 0x00000040u
#define CFILES_FAN_MOVED_TO 0x00000080u
#define CFILES_FAN_CREATE 0x00000100u
#define CFILES_FAN_DELETE 0x00000200u
#define CFILES_FAN_Q_OVERFLOW 0x00004000u
#define CFILES_FAN_ONDIR 0x40000000u

#define CFILES_FAN_INFO_FID 1
#define CFILES_FAN_INFO_DFID_NAME 2

/* Room for what cfiles_handle gives. */
#define CFILES_HANDLE_SIZE 160

/*
 * By what an event of fanotify names a file: the file system's id, and a struct file_handle (8 bytes, how many bytes
 * the handle has, its type, the handle): statfs(2), name_to_handle_at(2). A link is a link.
 *
 * The number of bytes is returned.
 */
int cfiles_handle(const char *path, uint8_t handle[CFILES_HANDLE_SIZE]);

/* Waits until one of two descriptors has something to say, or one says so by POLLPRI (as /proc/self/mountinfo does), or
 * a time is over; -1: for ever. The result has a bit for each of them: 1, 2, 4. */
int cfiles_wait(int watch, int wake, int mounts, int milliseconds);

/* A descriptor by which one thread wakes another: eventfd(2). */
int cfiles_wake_open(void);
void cfiles_wake(int wake);
void cfiles_wake_clear(int wake);

#ifdef __cplusplus
}
#endif

#endif
