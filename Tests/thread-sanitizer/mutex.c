/* mutex - tells ThreadSanitizer of Swift's Mutex: where two threads want it at once, it is locked and unlocked in
 * Swift's library, which is not built for the sanitizer, and what the lock guards would be taken for unguarded. A
 * program is started with this library in LD_PRELOAD; the real functions are called in any case.
 *
 * The functions are methods of Synchronization._MutexHandle (swiftlang/swift,
 * stdlib/public/Synchronization/Mutex/LinuxImpl.swift), named and called as Swift does. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

/* Those of the sanitizer, in a program that is built for it (compiler-rt, sanitizer/tsan_interface.h). */
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

SWIFT void lock_slowly(uint32_t thread, SELF) __asm__(LOCK);
SWIFT bool try_lock_slowly(SELF) __asm__(TRY_LOCK);
SWIFT void unlock_slowly(SELF) __asm__(UNLOCK);

static void *real(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) abort();
    return function;
}

static void acquired(void *mutex) {
    if (__tsan_acquire != NULL) __tsan_acquire(mutex);
}

SWIFT void lock_slowly(uint32_t thread, SELF) {
    SWIFT void (*lock)(uint32_t, SELF) = real(LOCK);
    lock(thread, self);
    acquired(self);
}

SWIFT bool try_lock_slowly(SELF) {
    SWIFT bool (*try_lock)(SELF) = real(TRY_LOCK);
    if (!try_lock(self)) return false;
    acquired(self);
    return true;
}

SWIFT void unlock_slowly(SELF) {
    SWIFT void (*unlock)(SELF) = real(UNLOCK);
    if (__tsan_release != NULL) __tsan_release(self);
    unlock(self);
}
