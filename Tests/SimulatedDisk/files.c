/* Files and their names: what is in them now, what is on the disk for sure, and what leads from the one to the other.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* MARK: content */

void simulated_disk_resize(struct content *content, size_t count) {
    if (count > content->room) {
        content->room = count > 2 * content->room ? count : 2 * content->room;
        content->bytes = simulated_disk_allocate(content->bytes, content->room, 1);
    }
    if (count > content->count) memset(content->bytes + content->count, 0, count - content->count);
    content->count = count;
}

void simulated_disk_put(struct content *content, size_t offset, const void *bytes, size_t count) {
    if (count == 0) return;
    if (offset + count > content->count) simulated_disk_resize(content, offset + count);
    memcpy(content->bytes + offset, bytes, count);
}

void simulated_disk_clear(struct content *content) {
    free(content->bytes);
    *content = (struct content){.bytes = NULL};
}

/* MARK: files */

static struct change *add_change(struct file *file) {
    if (file->change_count == file->change_room) {
        file->change_room = 2 * file->change_room + 8;
        file->changes = simulated_disk_allocate(file->changes, file->change_room, sizeof *file->changes);
    }
    return &file->changes[file->change_count++];
}

void simulated_disk_write_file(struct file *file, size_t offset, const void *bytes, size_t count) {
    simulated_disk_put(&file->now, offset, bytes, count);
    struct change *change = add_change(file);
    *change = (struct change){.offset = offset, .count = count, .bytes = simulated_disk_allocate(NULL, count, 1)};
    memcpy(change->bytes, bytes, count);
}

void simulated_disk_truncate_file(struct file *file, size_t count) {
    simulated_disk_resize(&file->now, count);
    *add_change(file) = (struct change){.offset = count, .bytes = NULL};
}

void simulated_disk_forget_changes(struct file *file) {
    for (size_t index = 0; index < file->change_count; index++)
        free(file->changes[index].bytes);
    file->change_count = 0;
}

/* What is synced is on the disk, and so is its name. */
void simulated_disk_sync_file(struct disk *disk, struct file *file) {
    for (size_t index = 0; index < file->change_count; index++) {
        const struct change *change = &file->changes[index];
        if (change->bytes == NULL) {
            simulated_disk_resize(&file->synced, change->offset);
        } else {
            simulated_disk_put(&file->synced, change->offset, change->bytes, change->count);
        }
    }
    simulated_disk_forget_changes(file);
    for (size_t index = 0; index < disk->entry_count; index++) {
        struct entry *entry = &disk->entries[index];
        if (entry->now == file) simulated_disk_settle_name(entry, file);
    }
}

void simulated_disk_release_file(struct file *file) {
    if (--file->uses > 0) return;
    simulated_disk_forget_changes(file);
    simulated_disk_clear(&file->now);
    simulated_disk_clear(&file->synced);
    free(file->changes);
    free(file);
}

/* MARK: names */

struct entry *simulated_disk_entry(struct disk *disk, const char *name) {
    for (size_t index = 0; index < disk->entry_count; index++) {
        if (strcmp(disk->entries[index].name, name) == 0) return &disk->entries[index];
    }
    return NULL;
}

struct file *simulated_disk_make_file(struct disk *disk, const char *name) {
    struct entry *entry = simulated_disk_entry(disk, name);
    if (entry == NULL) {
        disk->entries = simulated_disk_allocate(disk->entries, disk->entry_count + 1, sizeof *disk->entries);
        entry = &disk->entries[disk->entry_count++];
        *entry = (struct entry){.name = simulated_disk_allocate(NULL, strlen(name) + 1, 1)};
        strcpy(entry->name, name);
    }
    entry->now = simulated_disk_allocate(NULL, 1, sizeof *entry->now);
    *entry->now = (struct file){.uses = 1};
    return entry->now;
}

void simulated_disk_delete_name(struct disk *disk, const char *name) {
    struct entry *entry = simulated_disk_entry(disk, name);
    struct file *file = entry->now;
    entry->now = NULL;
    simulated_disk_release_file(file);
    simulated_disk_remove_empty_entries(disk);
}

/* Makes a name stand for a file (or for nothing) now and after a power cut. */
void simulated_disk_settle_name(struct entry *entry, struct file *file) {
    struct file *old[] = {entry->now, entry->kept};
    if (file != NULL) file->uses += 2;
    entry->now = entry->kept = file;
    for (size_t index = 0; index < 2; index++) {
        if (old[index] != NULL) simulated_disk_release_file(old[index]);
    }
}

static size_t folder_length(const char *name) {
    const char *slash = strrchr(name, '/');
    return slash == NULL ? 0 : (size_t)(slash - name) + 1;
}

void simulated_disk_sync_folder(struct disk *disk, const char *name) {
    size_t length = folder_length(name);
    for (size_t index = 0; index < disk->entry_count; index++) {
        struct entry *entry = &disk->entries[index];
        if (folder_length(entry->name) == length && memcmp(entry->name, name, length) == 0) {
            simulated_disk_settle_name(entry, entry->now);
        }
    }
    simulated_disk_remove_empty_entries(disk);
}

void simulated_disk_remove_empty_entries(struct disk *disk) {
    size_t left = 0;
    for (size_t index = 0; index < disk->entry_count; index++) {
        struct entry *entry = &disk->entries[index];
        if (entry->now == NULL && entry->kept == NULL) {
            free(entry->name);
        } else {
            disk->entries[left++] = *entry;
        }
    }
    disk->entry_count = left;
}
