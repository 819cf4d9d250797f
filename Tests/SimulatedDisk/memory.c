/* The shared memory in which connections keep the index of a WAL: sqlite.org/walformat.html, section 2. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* A disk that is read-only has no place for it; that it is in memory here nobody needs to know. */
static int join_memory(struct handle *handle) {
    struct file *file = handle->file;
    if (file->memory == NULL) {
        if (handle->disk->is_read_only) return SQLITE_CANTOPEN;
        file->memory = simulated_disk_allocate(NULL, 1, sizeof *file->memory);
        *file->memory = (struct memory){.uses = 0};
    }
    handle->memory = file->memory;
    handle->memory->uses++;
    return SQLITE_OK;
}

int simulated_disk_map_memory(sqlite3_file *opened, int region, int size, int extends, void volatile **to) {
    struct handle *handle = (struct handle *)opened;
    *to = NULL;
    if (!simulated_disk_enter(handle)) return simulated_disk_unlock(SQLITE_IOERR);
    int result = handle->memory == NULL ? join_memory(handle) : SQLITE_OK;
    if (result != SQLITE_OK) return simulated_disk_unlock(result);
    struct memory *memory = handle->memory;
    while (extends && memory->region_count <= (size_t)region) {
        memory->regions = simulated_disk_allocate(memory->regions, memory->region_count + 1, sizeof(void *));
        void *bytes = simulated_disk_allocate(NULL, (size_t)size, 1);
        memset(bytes, 0, (size_t)size);
        memory->regions[memory->region_count++] = bytes;
    }
    if ((size_t)region < memory->region_count) *to = memory->regions[region];
    return simulated_disk_unlock(SQLITE_OK);
}

void simulated_disk_memory_barrier(sqlite3_file *opened) {
    (void)opened;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    simulated_disk_lock();
    simulated_disk_unlock(SQLITE_OK);
}

void simulated_disk_leave_memory(struct handle *handle) {
    struct memory *memory = handle->memory;
    handle->memory = NULL;
    handle->shared = handle->exclusive = 0;
    if (memory == NULL || --memory->uses > 0) return;
    if (handle->file != NULL && handle->file->memory == memory) handle->file->memory = NULL;
    for (size_t index = 0; index < memory->region_count; index++)
        free(memory->regions[index]);
    free(memory->regions);
    free(memory);
}

int simulated_disk_unmap_memory(sqlite3_file *opened, int deletes) {
    (void)deletes; /* it goes with the last connection in any case */
    struct handle *handle = (struct handle *)opened;
    bool is_alive = simulated_disk_enter(handle);
    simulated_disk_leave_memory(handle);
    simulated_disk_announce_release();
    return simulated_disk_unlock(is_alive ? SQLITE_OK : SQLITE_IOERR);
}
