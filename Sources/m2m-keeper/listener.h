/* listener - the keeper's door: its socket, who may come in, and a word to the service manager. */
#ifndef M2M_KEEPER_LISTENER_H
#define M2M_KEEPER_LISTENER_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "keeper_protocol.h"

/* How long whoever has the other end may take: it takes microseconds where it is not stopped. */
#define LISTENER_PATIENCE_S 2

/* How many may wait to be let in, as far as the system allows: an agent needs room among a crowd. */
#define LISTENER_BACKLOG 4096

/*
 * Listens at a path; its folder is made where it is missing. What a keeper that died has left there is replaced, one
 * that lives is not. The descriptor, or -1 and words. `bound` is what then stands at the path.
 */
int listener_open(const char *path, struct stat *bound, char problem[KEEPER_TEXT_SIZE]);

/*
 * Whether everybody may knock, which is so at first, or only who may come in: then a crowd of others costs nothing.
 * False when that can't be had: the owner of the table is another user, and this one is not root.
 */
bool listener_let_knock(const char *path, const struct stat *bound, bool is_everybody, uid_t table_owner);

/* Removes what listener_open has made, unless it is something else by now: another keeper's. Before it is closed. */
void listener_remove(const char *path, const struct stat *bound);

/* The next connection, or -errno: -EAGAIN when none waits, -EPERM when `user` is not permitted and it was closed. */
int listener_accept(int listener, uid_t table_owner, uid_t *user);

/*
 * Connects to a keeper: a descriptor, or -errno. Neither this nor sending waits for longer than the patience above;
 * -ETIMEDOUT: a keeper is there and lets nobody in.
 */
int listener_connect(const char *path);

/*
 * Tells systemd, where it is the one that started this program: "READY=1" and the like. False when that can't be
 * sent at the moment, for want of room there or of a descriptor here; anything else that may be wrong is logged, and
 * does not pass.
 */
bool listener_notify(const char *message);

#endif
