/* The methods of an open file: sqlite.org/c3ref/io_methods.html. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

bool simulated_disk_enter(struct handle *handle) {
    simulated_disk_lock();
    simulated_disk_caller.disk_id = handle->disk_id;
    simulated_disk_caller.life = handle->life;
    return handle->file != NULL;
}

static int close_handle(sqlite3_file *opened) {
    struct handle *handle = (struct handle *)opened;
    if (simulated_disk_enter(handle)) {
        struct handle **before = &handle->disk->handles;
        while (*before != handle)
            before = &(*before)->next;
        *before = handle->next;
    }
    simulated_disk_leave_memory(handle);
    if (handle->file != NULL) simulated_disk_release_file(handle->file);
    simulated_disk_announce_release();
    return simulated_disk_unlock(SQLITE_OK);
}

static int read_handle(sqlite3_file *opened, void *to, int count, sqlite3_int64 offset) {
    struct handle *handle = (struct handle *)opened;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    const struct content *now = &handle->file->now;
    size_t start = (size_t)offset, wanted = (size_t)count;
    size_t there = start < now->count ? now->count - start : 0;
    if (there > wanted) there = wanted;
    if (there > 0) memcpy(to, now->bytes + start, there);
    memset((uint8_t *)to + there, 0, wanted - there);
    return simulated_disk_unlock(there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ);
}

static int write_handle(sqlite3_file *opened, const void *bytes, int count, sqlite3_int64 offset) {
    struct handle *handle = (struct handle *)opened;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    size_t start = (size_t)offset, end = start + (size_t)count;
    int result = simulated_disk_permit(handle->disk, WRITE);
    if (result == SQLITE_OK && handle->is_read_only) result = SQLITE_READONLY;
    if (result == SQLITE_OK && !simulated_disk_has_room(handle->disk, handle->file, end)) result = SQLITE_FULL;
    if (result == SQLITE_OK) simulated_disk_write_file(handle->file, start, bytes, (size_t)count);
    return simulated_disk_unlock(simulated_disk_settle(handle->disk, WRITE, result));
}

static int truncate_handle(sqlite3_file *opened, sqlite3_int64 size) {
    struct handle *handle = (struct handle *)opened;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    int result = simulated_disk_permit(handle->disk, TRUNCATION);
    if (result == SQLITE_OK && handle->is_read_only) result = SQLITE_READONLY;
    if (result == SQLITE_OK && !simulated_disk_has_room(handle->disk, handle->file, (size_t)size)) result = SQLITE_FULL;
    if (result == SQLITE_OK) simulated_disk_truncate_file(handle->file, (size_t)size);
    return simulated_disk_unlock(simulated_disk_settle(handle->disk, TRUNCATION, result));
}

static void sync_folder(struct handle *handle) {
    for (size_t index = 0; index < handle->disk->entry_count; index++) {
        if (handle->disk->entries[index].now == handle->file) {
            simulated_disk_sync_folder(handle->disk, handle->disk->entries[index].name);
            break;
        }
    }
    handle->syncs_folder = false;
}

static int sync_handle(sqlite3_file *opened, int flags) {
    (void)flags; /* every sync is a full one */
    struct handle *handle = (struct handle *)opened;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    int result = simulated_disk_permit(handle->disk, SYNC);
    if (result == SQLITE_OK && !simulated_disk_is_losing_power(handle->disk)) {
        simulated_disk_sync_file(handle->disk, handle->file);
        if (handle->syncs_folder) sync_folder(handle);
    }
    return simulated_disk_unlock(simulated_disk_settle(handle->disk, SYNC, result));
}

static int size_of_handle(sqlite3_file *opened, sqlite3_int64 *size) {
    struct handle *handle = (struct handle *)opened;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    *size = (sqlite3_int64)handle->file->now.count;
    return simulated_disk_unlock(SQLITE_OK);
}

static int control_handle(sqlite3_file *opened, int operation, void *argument) {
    struct handle *handle = (struct handle *)opened;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    int result = SQLITE_NOTFOUND;
    if (operation == SQLITE_FCNTL_HAS_MOVED) {
        bool has_name = false;
        for (size_t index = 0; index < handle->disk->entry_count; index++) {
            has_name = has_name || handle->disk->entries[index].now == handle->file;
        }
        *(int *)argument = !has_name;
        result = SQLITE_OK;
    }
    return simulated_disk_unlock(result);
}

static int sector_size(sqlite3_file *opened) {
    (void)opened;
    return 4096;
}

static int device_characteristics(sqlite3_file *opened) {
    (void)opened;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* what is torn is torn within what was written */
}

const sqlite3_io_methods simulated_disk_methods = {
    .iVersion = 2,
    .xClose = close_handle,
    .xRead = read_handle,
    .xWrite = write_handle,
    .xTruncate = truncate_handle,
    .xSync = sync_handle,
    .xFileSize = size_of_handle,
    .xLock = simulated_disk_lock_file,
    .xUnlock = simulated_disk_unlock_file,
    .xCheckReservedLock = simulated_disk_check_reserved,
    .xFileControl = control_handle,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = simulated_disk_map_memory,
    .xShmLock = simulated_disk_lock_memory,
    .xShmBarrier = simulated_disk_memory_barrier,
    .xShmUnmap = simulated_disk_unmap_memory,
};
