/* What goes wrong: operations that fail, and the ends of a process and of power. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* As many bytes are written wholly or not at all. */
#define SECTOR 512

/* MARK: planning */

bool simulated_disk_plan_fault(const char *name, uint64_t n, enum simulated_disk_fault fault) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    if (disk != NULL) {
        disk->countdown = n;
        disk->planned = fault;
        disk->fails = false;
    }
    simulated_disk_unlock(SQLITE_OK);
    return disk != NULL;
}

bool simulated_disk_set_capacity(const char *name, uint64_t bytes) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    if (disk != NULL) disk->capacity = bytes;
    simulated_disk_unlock(SQLITE_OK);
    return disk != NULL;
}

bool simulated_disk_set_read_only(const char *name, bool is_read_only) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    if (disk != NULL) disk->is_read_only = is_read_only;
    simulated_disk_unlock(SQLITE_OK);
    return disk != NULL;
}

bool simulated_disk_clear_faults(const char *name) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    if (disk != NULL) {
        disk->countdown = 0;
        disk->fails = disk->is_read_only = false;
        disk->capacity = UINT64_MAX;
    }
    simulated_disk_unlock(SQLITE_OK);
    return disk != NULL;
}

bool simulated_disk_count(const char *name, struct simulated_disk_counts *counts) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    if (disk != NULL) *counts = disk->counts;
    simulated_disk_unlock(SQLITE_OK);
    return disk != NULL;
}

/* MARK: operations */

int simulated_disk_permit(struct disk *disk, enum operation operation) {
    static const int refusals[] = {
        [CREATION] = SQLITE_CANTOPEN, [WRITE] = SQLITE_IOERR_WRITE,     [TRUNCATION] = SQLITE_IOERR_TRUNCATE,
        [SYNC] = SQLITE_IOERR_FSYNC,  [DELETION] = SQLITE_IOERR_DELETE,
    };
    bool fails = disk->fails;
    if (disk->countdown > 0 && --disk->countdown == 0) {
        fails = fails || disk->planned == SIMULATED_DISK_FAILS_ONCE;
        disk->fails = disk->planned == SIMULATED_DISK_FAILS_FROM_THEN_ON;
        disk->is_ending = disk->planned == SIMULATED_DISK_CRASHES || disk->planned == SIMULATED_DISK_LOSES_POWER;
    }
    if (disk->is_read_only) return operation == CREATION ? SQLITE_CANTOPEN : SQLITE_READONLY;
    return fails || disk->fails ? refusals[operation] : SQLITE_OK;
}

bool simulated_disk_is_losing_power(const struct disk *disk) {
    return disk->is_ending && disk->planned == SIMULATED_DISK_LOSES_POWER;
}

bool simulated_disk_has_room(const struct disk *disk, const struct file *file, size_t end) {
    if (end <= file->now.count || disk->capacity == UINT64_MAX) return true;
    uint64_t used = 0;
    for (size_t index = 0; index < disk->entry_count; index++) {
        const struct file *one = disk->entries[index].now;
        if (one != NULL && one != file) used += one->now.count;
    }
    return used + end <= disk->capacity;
}

int simulated_disk_settle(struct disk *disk, enum operation operation, int result) {
    struct simulated_disk_counts *counts = &disk->counts;
    if (result == SQLITE_OK) {
        counts->total++;
        switch (operation) {
        case CREATION: counts->creations++; break;
        case WRITE: counts->writes++; break;
        case TRUNCATION: counts->truncations++; break;
        case SYNC: counts->syncs++; break;
        case DELETION: counts->deletions++; break;
        }
    } else {
        counts->failures++;
    }
    if (!disk->is_ending) return result;
    if (simulated_disk_is_losing_power(disk)) {
        simulated_disk_lose_power(disk);
    } else {
        simulated_disk_end_process(disk);
    }
    disk->is_ending = false;
    return SQLITE_IOERR;
}

/* MARK: ends */

void simulated_disk_end_process(struct disk *disk) {
    while (disk->handles != NULL) {
        struct handle *handle = disk->handles;
        struct file *file = handle->file;
        disk->handles = handle->next;
        handle->disk = NULL;
        handle->file = NULL;
        file->memory = NULL; /* who still has it leaves it when closing */
        simulated_disk_release_file(file);
    }
    disk->life = simulated_disk_next_life();
    simulated_disk_announce_release();
}

static uint64_t chance(struct disk *disk, uint64_t below) { return simulated_disk_draw(&disk->chance) % below; }

/* A write that was under way: each sector of the disk has the new bytes or the old ones. */
static void tear(struct disk *disk, struct file *file, const struct change *change) {
    for (size_t done = 0; done < change->count;) {
        size_t start = change->offset + done;
        size_t part = SECTOR - start % SECTOR;
        if (part > change->count - done) part = change->count - done;
        if (chance(disk, 2) == 0) simulated_disk_put(&file->synced, start, change->bytes + done, part);
        done += part;
    }
}

/* A write that was lost, when others of the file were not: nothing of it, or its length, or a part. */
static void damage(struct disk *disk, struct file *file, const struct change *change) {
    switch (chance(disk, 4)) {
    case 0: break;
    case 1:
        if (change->offset + change->count > file->synced.count) {
            simulated_disk_resize(&file->synced, change->offset + change->count);
        }
        break;
    default: tear(disk, file, change);
    }
}

static void lose_changes(struct disk *disk, struct file *file) {
    static const uint64_t shares[] = {0, 1, 4, 7, 8}; /* of eight: with one share for all most cuts would look alike */
    uint64_t share = shares[chance(disk, sizeof shares / sizeof shares[0])];
    for (size_t index = 0; index < file->change_count; index++) {
        const struct change *change = &file->changes[index];
        bool is_kept = chance(disk, 8) < share;
        if (change->bytes == NULL) {
            if (is_kept) simulated_disk_resize(&file->synced, change->offset);
        } else if (is_kept) {
            simulated_disk_put(&file->synced, change->offset, change->bytes, change->count);
        } else if (share > 0) {
            damage(disk, file, change);
        }
    }
    simulated_disk_forget_changes(file);
    simulated_disk_clear(&file->now);
    simulated_disk_put(&file->now, 0, file->synced.bytes, file->synced.count);
}

/* What a name stands for after a power cut. One that was deleted and made again may stand for nothing, too. */
static struct file *survivor(struct disk *disk, const struct entry *entry) {
    if (entry->now == entry->kept) return entry->now;
    struct file *choices[] = {entry->now, entry->kept, NULL};
    bool was_replaced = entry->now != NULL && entry->kept != NULL;
    return choices[chance(disk, was_replaced ? 3 : 2)];
}

void simulated_disk_lose_power(struct disk *disk) {
    simulated_disk_end_process(disk);
    for (size_t index = 0; index < disk->entry_count; index++) {
        struct entry *entry = &disk->entries[index];
        simulated_disk_settle_name(entry, survivor(disk, entry));
        if (entry->now != NULL) lose_changes(disk, entry->now);
    }
    simulated_disk_remove_empty_entries(disk);
}

static bool end(const char *name, void (*how)(struct disk *)) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    if (disk != NULL) how(disk);
    simulated_disk_unlock(SQLITE_OK);
    return disk != NULL;
}

bool simulated_disk_crash(const char *disk) { return end(disk, simulated_disk_end_process); }

bool simulated_disk_cut_power(const char *disk) { return end(disk, simulated_disk_lose_power); }
