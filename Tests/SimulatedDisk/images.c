/* What is on a disk, to look at, to damage, and to put back. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct simulated_disk_image {
    size_t count;
    struct kept {
        char *name;
        struct content content;
    } * files;
};

/* MARK: looking */

static struct file *file_of(const char *disk_name, const char *name) {
    struct disk *disk = simulated_disk_named(disk_name);
    struct entry *entry = disk == NULL ? NULL : simulated_disk_entry(disk, name);
    return entry == NULL ? NULL : entry->now;
}

uint64_t simulated_disk_total_size(const char *name) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    uint64_t size = 0;
    for (size_t index = 0; disk != NULL && index < disk->entry_count; index++) {
        if (disk->entries[index].now != NULL) size += disk->entries[index].now->now.count;
    }
    simulated_disk_unlock(SQLITE_OK);
    return size;
}

static int compare(const void *first, const void *second) {
    return strcmp(((const struct entry *)first)->name, ((const struct entry *)second)->name);
}

size_t simulated_disk_list(const char *name, char *names, size_t room) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    struct content list = {.bytes = NULL};
    if (disk != NULL) {
        struct entry *sorted = simulated_disk_allocate(NULL, disk->entry_count, sizeof *sorted);
        if (disk->entry_count > 0) memcpy(sorted, disk->entries, disk->entry_count * sizeof *sorted);
        qsort(sorted, disk->entry_count, sizeof *sorted, compare);
        for (size_t index = 0; index < disk->entry_count; index++) {
            if (sorted[index].now == NULL) continue;
            simulated_disk_put(&list, list.count, sorted[index].name, strlen(sorted[index].name));
            simulated_disk_put(&list, list.count, "\n", 1);
        }
        simulated_disk_put(&list, list.count, "", 1);
        free(sorted);
    }
    simulated_disk_unlock(SQLITE_OK);
    size_t needed = list.count;
    if (room > 0 && needed > 0) {
        memcpy(names, list.bytes, needed < room ? needed : room);
        names[room - 1] = 0;
    }
    simulated_disk_clear(&list);
    return needed;
}

int64_t simulated_disk_file_size(const char *disk, const char *name) {
    simulated_disk_lock();
    const struct file *file = file_of(disk, name);
    int64_t size = file == NULL ? -1 : (int64_t)file->now.count;
    simulated_disk_unlock(SQLITE_OK);
    return size;
}

int64_t simulated_disk_read(const char *disk, const char *name, uint64_t offset, void *bytes, size_t count) {
    simulated_disk_lock();
    const struct file *file = file_of(disk, name);
    int64_t result = -1;
    if (file != NULL) {
        size_t there = offset < file->now.count ? file->now.count - offset : 0;
        if (there > count) there = count;
        if (there > 0) memcpy(bytes, file->now.bytes + offset, there);
        result = (int64_t)there;
    }
    simulated_disk_unlock(SQLITE_OK);
    return result;
}

/* MARK: damaging */

/* As far as there is something: what was never synced has no place on the disk yet. */
static void overwrite(struct content *content, size_t offset, const uint8_t *bytes, size_t count) {
    if (offset >= content->count) return;
    size_t there = content->count - offset;
    memcpy(content->bytes + offset, bytes, there < count ? there : count);
}

/* A write that isn't synced yet brings the damage with it, where the two meet. */
static void overwrite_change(struct change *change, size_t offset, const uint8_t *bytes, size_t count) {
    size_t first = offset > change->offset ? offset : change->offset;
    size_t end = offset + count < change->offset + change->count ? offset + count : change->offset + change->count;
    if (first < end) memcpy(change->bytes + (first - change->offset), bytes + (first - offset), end - first);
}

bool simulated_disk_overwrite(const char *disk, const char *name, uint64_t offset, const void *bytes, size_t count) {
    simulated_disk_lock();
    struct file *file = file_of(disk, name);
    bool fits = file != NULL && offset <= file->now.count && count <= file->now.count - offset;
    if (fits && count > 0) {
        overwrite(&file->now, offset, bytes, count);
        overwrite(&file->synced, offset, bytes, count);
        for (size_t index = 0; index < file->change_count; index++) {
            if (file->changes[index].bytes != NULL) overwrite_change(&file->changes[index], offset, bytes, count);
        }
    }
    simulated_disk_unlock(SQLITE_OK);
    return fits;
}

/* MARK: images */

struct simulated_disk_image *simulated_disk_copy(const char *name) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    struct simulated_disk_image *image = NULL;
    if (disk != NULL) {
        image = simulated_disk_allocate(NULL, 1, sizeof *image);
        image->files = simulated_disk_allocate(NULL, disk->entry_count, sizeof *image->files);
        image->count = 0;
        for (size_t index = 0; index < disk->entry_count; index++) {
            const struct entry *entry = &disk->entries[index];
            if (entry->now == NULL) continue;
            struct kept *kept = &image->files[image->count++];
            *kept = (struct kept){.name = simulated_disk_allocate(NULL, strlen(entry->name) + 1, 1)};
            strcpy(kept->name, entry->name);
            simulated_disk_put(&kept->content, 0, entry->now->now.bytes, entry->now->now.count);
        }
    }
    simulated_disk_unlock(SQLITE_OK);
    return image;
}

bool simulated_disk_restore(const char *name, const struct simulated_disk_image *image) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    if (disk != NULL) {
        simulated_disk_end_process(disk);
        for (size_t index = 0; index < disk->entry_count; index++) {
            simulated_disk_settle_name(&disk->entries[index], NULL);
        }
        simulated_disk_remove_empty_entries(disk);
        for (size_t index = 0; index < image->count; index++) {
            const struct content *content = &image->files[index].content;
            struct file *file = simulated_disk_make_file(disk, image->files[index].name);
            simulated_disk_put(&file->now, 0, content->bytes, content->count);
            simulated_disk_put(&file->synced, 0, content->bytes, content->count);
            simulated_disk_settle_name(&disk->entries[index], file);
        }
    }
    simulated_disk_unlock(SQLITE_OK);
    return disk != NULL;
}

void simulated_disk_image_free(struct simulated_disk_image *image) {
    if (image == NULL) return;
    for (size_t index = 0; index < image->count; index++) {
        free(image->files[index].name);
        simulated_disk_clear(&image->files[index].content);
    }
    free(image->files);
    free(image);
}
