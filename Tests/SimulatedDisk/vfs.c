/* The VFS: what SQLite asks for by path (sqlite.org/c3ref/vfs.html). Paths that are not ours go to the real one. */
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* No wait for a lock is longer, in microseconds. SQLite counts its waits, so many of them must not be too short. */
#define LONGEST_WAIT 10000

static sqlite3_vfs *real;
static sqlite3_vfs ours;
static bool is_installed;

static bool is_ours(const char *path) {
    return path != NULL && strncmp(path, SIMULATED_DISK_ROOT, strlen(SIMULATED_DISK_ROOT)) == 0;
}

/* The disk of a path, and the name within it. NULL when there is none. */
static struct disk *disk_of(const char *path, const char **name) {
    const char *disk = path + strlen(SIMULATED_DISK_ROOT);
    const char *slash = strchr(disk, '/');
    if (slash == NULL || slash[1] == 0) return NULL;
    *name = slash + 1;
    return simulated_disk_find(disk, (size_t)(slash - disk));
}

/* Whether a connection asks that was opened before the disk's last end. */
static bool is_dead(const struct disk *disk) {
    return simulated_disk_caller.disk_id == disk->id && simulated_disk_caller.life != disk->life;
}

/* MARK: opening */

static int create(struct disk *disk, const char *name, struct file **file) {
    int result = simulated_disk_permit(disk, CREATION);
    if (result == SQLITE_OK) *file = simulated_disk_make_file(disk, name);
    return simulated_disk_settle(disk, CREATION, result);
}

static int open_name(struct disk *disk, const char *name, struct handle *handle, int *flags) {
    struct entry *entry = simulated_disk_entry(disk, name);
    struct file *file = entry == NULL ? NULL : entry->now;
    if (file == NULL) {
        if (!(*flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
        int result = create(disk, name, &file);
        if (result != SQLITE_OK) return result;
    } else if (*flags & SQLITE_OPEN_EXCLUSIVE) {
        return SQLITE_CANTOPEN;
    }
    int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    bool syncs_folder = (*flags & SQLITE_OPEN_CREATE) && (*flags & journals);
    if (disk->is_read_only && (*flags & SQLITE_OPEN_READWRITE)) {
        *flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        *flags |= SQLITE_OPEN_READONLY;
    }
    *handle = (struct handle){
        .base = {.pMethods = &simulated_disk_methods},
        .disk = disk,
        .file = file,
        .disk_id = disk->id,
        .life = disk->life,
        .next = disk->handles,
        .is_read_only = (*flags & SQLITE_OPEN_READONLY) != 0,
        .syncs_folder = syncs_folder,
    };
    disk->handles = handle;
    file->uses++;
    return SQLITE_OK;
}

static int open_path(sqlite3_vfs *vfs, const char *path, sqlite3_file *opened, int flags, int *flags_had) {
    (void)vfs;
    if (!is_ours(path)) return real->xOpen(real, path, opened, flags, flags_had);
    opened->pMethods = NULL;
    simulated_disk_lock();
    const char *name;
    struct disk *disk = disk_of(path, &name);
    int result = SQLITE_CANTOPEN;
    if (disk != NULL && (flags & SQLITE_OPEN_MAIN_DB)) { /* a new connection */
        simulated_disk_caller.disk_id = disk->id;
        simulated_disk_caller.life = disk->life;
    }
    if (disk != NULL) {
        result = is_dead(disk) ? SQLITE_IOERR : open_name(disk, name, (struct handle *)opened, &flags);
    }
    if (result == SQLITE_OK && flags_had != NULL) *flags_had = flags;
    return simulated_disk_unlock(result);
}

/* MARK: names */

static int delete_path(sqlite3_vfs *vfs, const char *path, int syncs_folder) {
    (void)vfs;
    if (!is_ours(path)) return real->xDelete(real, path, syncs_folder);
    simulated_disk_lock();
    const char *name;
    struct disk *disk = disk_of(path, &name);
    if (disk != NULL && is_dead(disk)) return simulated_disk_unlock(SQLITE_IOERR);
    struct entry *entry = disk == NULL ? NULL : simulated_disk_entry(disk, name);
    if (entry == NULL || entry->now == NULL) return simulated_disk_unlock(SQLITE_IOERR_DELETE_NOENT);
    int result = simulated_disk_permit(disk, DELETION);
    if (result == SQLITE_OK) {
        simulated_disk_delete_name(disk, name);
        if (syncs_folder && !simulated_disk_is_losing_power(disk)) simulated_disk_sync_folder(disk, name);
    }
    return simulated_disk_unlock(simulated_disk_settle(disk, DELETION, result));
}

static int access_path(sqlite3_vfs *vfs, const char *path, int flags, int *is_so) {
    (void)vfs;
    if (!is_ours(path)) return real->xAccess(real, path, flags, is_so);
    simulated_disk_lock();
    const char *name;
    struct disk *disk = disk_of(path, &name);
    if (disk != NULL && is_dead(disk)) return simulated_disk_unlock(SQLITE_IOERR);
    struct entry *entry = disk == NULL ? NULL : simulated_disk_entry(disk, name);
    bool is_there = entry != NULL && entry->now != NULL;
    switch (flags) {
    case SQLITE_ACCESS_EXISTS: *is_so = is_there && entry->now->now.count > 0; break; /* an empty journal is none */
    case SQLITE_ACCESS_READWRITE: *is_so = is_there && !disk->is_read_only; break;
    default: *is_so = is_there;
    }
    return simulated_disk_unlock(SQLITE_OK);
}

static int full_path(sqlite3_vfs *vfs, const char *path, int room, char *full) {
    (void)vfs;
    if (!is_ours(path)) return real->xFullPathname(real, path, room, full);
    if (strlen(path) >= (size_t)room) return SQLITE_CANTOPEN;
    strcpy(full, path);
    return SQLITE_OK;
}

/* MARK: the rest */

static int random_bytes(sqlite3_vfs *vfs, int count, char *bytes) {
    (void)vfs;
    if (simulated_disk_random((uint8_t *)bytes, (size_t)count)) return count;
    return real->xRandomness(real, count, bytes);
}

/* Who waits for a lock on a simulated disk is woken when one is let go; all others sleep as ever. */
static int sleep_for(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    if (simulated_disk_caller.waits == NULL) return real->xSleep(real, microseconds);
    simulated_disk_await_release(microseconds < LONGEST_WAIT ? microseconds : LONGEST_WAIT);
    return microseconds;
}

/* The real VFS forgets SQLite's random numbers when it opens its first file: not in the middle of a test. */
static void open_a_real_file(void) {
    sqlite3_file *file = simulated_disk_allocate(NULL, (size_t)real->szOsFile, 1);
    memset(file, 0, (size_t)real->szOsFile);
    int flags = SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE |
                SQLITE_OPEN_DELETEONCLOSE;
    real->xOpen(real, NULL, file, flags, NULL);
    if (file->pMethods != NULL) file->pMethods->xClose(file);
    free(file);
}

static void install(void) {
    if (sqlite3_initialize() != SQLITE_OK || (real = sqlite3_vfs_find(NULL)) == NULL) return;
    open_a_real_file();
    ours = *real;
    ours.zName = "simulated-disk";
    ours.pNext = NULL;
    if (ours.szOsFile < (int)sizeof(struct handle)) ours.szOsFile = sizeof(struct handle);
    ours.xOpen = open_path;
    ours.xDelete = delete_path;
    ours.xAccess = access_path;
    ours.xFullPathname = full_path;
    ours.xRandomness = random_bytes;
    ours.xSleep = sleep_for;
    is_installed = sqlite3_vfs_register(&ours, 1) == SQLITE_OK;
}

bool simulated_disk_install(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    return is_installed;
}
