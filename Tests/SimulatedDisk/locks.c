/* Locks between the connections of this process, on the database and on the WAL's shared memory, and the wait for them.
 */
#include "internal.h"

#include <time.h>

/* MARK: on the database (sqlite.org/lockingv3.html) */

/* The highest lock that another connection has. */
static int lock_of_others(const struct handle *handle) {
    int highest = SQLITE_LOCK_NONE;
    for (const struct handle *other = handle->disk->handles; other != NULL; other = other->next) {
        bool counts = other != handle && other->file == handle->file;
        if (counts && other->lock > highest) highest = other->lock;
    }
    return highest;
}

static bool is_free(const struct handle *handle, int level) {
    int others = lock_of_others(handle);
    switch (level) {
    case SQLITE_LOCK_SHARED: return others < SQLITE_LOCK_PENDING;
    case SQLITE_LOCK_RESERVED: return others < SQLITE_LOCK_RESERVED;
    default: return others < SQLITE_LOCK_SHARED;
    }
}

int simulated_disk_lock_file(sqlite3_file *opened, int level) {
    struct handle *handle = (struct handle *)opened;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    if (handle->lock >= level) return simulated_disk_unlock(SQLITE_OK);
    /* A writer waits with a pending lock: nobody new may begin to read. */
    if (level == SQLITE_LOCK_EXCLUSIVE && handle->lock == SQLITE_LOCK_RESERVED) handle->lock = SQLITE_LOCK_PENDING;
    if (!is_free(handle, level)) {
        simulated_disk_caller.waits = handle;
        simulated_disk_caller.level = level;
        return simulated_disk_unlock(SQLITE_BUSY);
    }
    handle->lock = level;
    return simulated_disk_unlock(SQLITE_OK);
}

int simulated_disk_unlock_file(sqlite3_file *opened, int level) {
    struct handle *handle = (struct handle *)opened;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    if (handle->lock > level) {
        handle->lock = level;
        simulated_disk_announce_release();
    }
    return simulated_disk_unlock(SQLITE_OK);
}

int simulated_disk_check_reserved(sqlite3_file *opened, int *is_reserved) {
    struct handle *handle = (struct handle *)opened;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    *is_reserved = handle->lock >= SQLITE_LOCK_RESERVED || lock_of_others(handle) >= SQLITE_LOCK_RESERVED;
    return simulated_disk_unlock(SQLITE_OK);
}

/* MARK: on shared memory (sqlite.org/walformat.html, section 2.3) */

static bool are_free(const struct handle *handle, unsigned slots, bool is_exclusive) {
    unsigned taken = 0;
    for (const struct handle *other = handle->disk->handles; other != NULL; other = other->next) {
        if (other == handle || other->memory != handle->memory) continue;
        taken |= other->exclusive | (is_exclusive ? other->shared : 0);
    }
    return (taken & slots) == 0;
}

int simulated_disk_lock_memory(sqlite3_file *opened, int first, int count, int flags) {
    struct handle *handle = (struct handle *)opened;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    if (handle->memory == NULL) return simulated_disk_unlock(SQLITE_IOERR_SHMLOCK);
    unsigned slots = ((1u << count) - 1) << first;
    bool is_exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    if (flags & SQLITE_SHM_UNLOCK) {
        handle->shared &= ~slots;
        handle->exclusive &= ~slots;
        simulated_disk_announce_release();
        return simulated_disk_unlock(SQLITE_OK);
    }
    if (!are_free(handle, slots, is_exclusive)) {
        simulated_disk_caller.waits = handle;
        simulated_disk_caller.level = SQLITE_LOCK_NONE;
        simulated_disk_caller.slots = slots;
        simulated_disk_caller.is_exclusive = is_exclusive;
        return simulated_disk_unlock(SQLITE_BUSY);
    }
    if (is_exclusive) {
        handle->exclusive |= slots;
    } else {
        handle->shared |= slots;
    }
    return simulated_disk_unlock(SQLITE_OK);
}

/* MARK: waiting */

/* Whether what the thread was refused can be had now, or was closed since, perhaps by another thread. */
static bool is_over(struct caller caller) {
    if (!simulated_disk_is_open(caller.waits)) return true;
    if (caller.level != SQLITE_LOCK_NONE) return is_free(caller.waits, caller.level);
    return are_free(caller.waits, caller.slots, caller.is_exclusive);
}

void simulated_disk_await_release(int microseconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)microseconds * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    simulated_disk_lock();
    while (!is_over(simulated_disk_caller) && simulated_disk_wait(&until)) {
    }
    simulated_disk_caller.waits = NULL;
    simulated_disk_unlock(SQLITE_OK);
}
