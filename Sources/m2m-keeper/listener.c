/* listener - the keeper's door: its socket, who may come in, and a word to the service manager. */
#include "listener.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* False when the path is too long for a socket. */
static bool make_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) return false;
    memcpy(address->sun_path, path, strlen(path) + 1);
    return true;
}

int listener_connect(const char *path) {
    struct sockaddr_un address;
    if (!make_address(path, &address)) return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    struct timeval patience = {.tv_sec = LISTENER_PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    int result = errno == EAGAIN ? -ETIMEDOUT : -errno;
    close(fd);
    return result;
}

/* Removes a socket on which nobody listens any more: true when the path is free now. */
static bool make_room(const char *path, char problem[KEEPER_TEXT_SIZE]) {
    struct stat status;
    if (lstat(path, &status) != 0) return true; /* what else may be wrong shows when the socket is bound */
    if (!S_ISSOCK(status.st_mode)) {
        text_put(problem, KEEPER_TEXT_SIZE, "%s is there and is no socket", path);
        return false;
    }
    int other = listener_connect(path);
    if (other >= 0) close(other);
    if (other == -ENOENT || (other == -ECONNREFUSED && (unlink(path) == 0 || errno == ENOENT))) return true;
    if (other == -ECONNREFUSED) {
        text_put(problem, KEEPER_TEXT_SIZE, "%s is left over and can't be removed: %s", path, strerror(errno));
    } else if (other == -ETIMEDOUT) {
        text_put(problem, KEEPER_TEXT_SIZE, "another keeper listens at %s, and does not answer", path);
    } else if (other == -EPROTOTYPE) {
        text_put(problem, KEEPER_TEXT_SIZE, "another program listens at %s, and is no keeper", path);
    } else if (other < 0) {
        text_put(problem, KEEPER_TEXT_SIZE, "it can't be found out who listens at %s: %s", path, strerror(-other));
    } else {
        text_put(problem, KEEPER_TEXT_SIZE, "another keeper listens at %s: see m2m-keeper status", path);
    }
    return false;
}

static void make_folder(const struct sockaddr_un *address) {
    struct sockaddr_un folder = *address;
    char *slash = strrchr(folder.sun_path, '/');
    if (slash == NULL || slash == folder.sun_path) return;
    *slash = '\0';
    if (mkdir(folder.sun_path, 0755) == 0) chmod(folder.sun_path, 0755); /* whatever the umask says */
}

int listener_open(const char *path, struct stat *bound, char problem[KEEPER_TEXT_SIZE]) {
    struct sockaddr_un address;
    if (!make_address(path, &address)) {
        text_put(problem, KEEPER_TEXT_SIZE, "the path of a socket has at most %zu bytes: %s",
                 sizeof address.sun_path - 1, path);
        return -1;
    }
    make_folder(&address);
    if (!make_room(path, problem)) return -1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Everybody may knock; listener_accept looks who it is. */
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && chmod(path, 0666) == 0 &&
        lstat(path, bound) == 0 && listen(fd, LISTENER_BACKLOG) == 0) {
        return fd;
    }
    text_put(problem, KEEPER_TEXT_SIZE, "can't listen at %s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

/* Whether what stands at the path is still what was bound there: no other socket can have its numbers meanwhile. */
static bool is_bound(const char *path, const struct stat *bound) {
    struct stat status;
    return lstat(path, &status) == 0 && status.st_dev == bound->st_dev && status.st_ino == bound->st_ino;
}

bool listener_let_knock(const char *path, const struct stat *bound, bool is_everybody, uid_t table_owner) {
    if (!is_bound(path, bound)) return false;
    /* Root passes by any mode. */
    if (table_owner != 0 && table_owner != geteuid() && lchown(path, table_owner, (gid_t)-1) != 0) return false;
    return fchmodat(AT_FDCWD, path, is_everybody ? 0666 : 0600, AT_SYMLINK_NOFOLLOW) == 0;
}

void listener_remove(const char *path, const struct stat *bound) {
    if (is_bound(path, bound)) unlink(path);
}

int listener_accept(int listener, uid_t table_owner, uid_t *user) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return -errno;
    struct ucred peer = {.uid = (uid_t)-1}; /* nobody's */
    socklen_t size = sizeof peer;
    bool is_known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    if (is_known && (peer.uid == 0 || peer.uid == geteuid() || peer.uid == table_owner)) return fd;
    *user = peer.uid;
    close(fd);
    return -EPERM;
}

bool listener_notify(const char *message) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    if (path == NULL || (path[0] != '/' && path[0] != '@') || !make_address(path, &address)) return true;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@') address.sun_path[0] = '\0'; /* a name without a file */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    ssize_t sent = sendto(fd, message, strlen(message), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    bool is_full = sent < 0 && (errno == EAGAIN || errno == ENOBUFS);
    if (sent < 0 && !is_full) text_log("the service manager can't be told: %s", strerror(errno));
    close(fd);
    return !is_full;
}
