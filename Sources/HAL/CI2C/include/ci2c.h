/*
 * ci2c - transfers with I2C targets over Linux' i2c-dev (Documentation/i2c/dev-interface.rst in the kernel).
 *
 * An adapter that can do plain I2C gets one combined transfer (I2C_RDWR: repeated start, nothing can come in between).
 * One that only speaks SMBus gets byte and I2C-block calls of the same meaning; word calls are never used, because
 * simulated adapters keep words apart from bytes.
 *
 * Functions return 0 (or the value asked for) when all is well, and -errno otherwise. Addresses have 7 bits,
 * right-aligned: 0x76, not 0xEC.
 */
#ifndef CI2C_H
#define CI2C_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The longest block that SMBus carries. Longer reads need an adapter with plain I2C: -EMSGSIZE otherwise. */
#define CI2C_BLOCK_MAX 32

struct ci2c_bus {
    int fd;
    uint64_t functions;   /* I2C_FUNC_* of <linux/i2c.h> */
    int selected_address; /* the address that i2c-dev was last told; -1: none */
};

/* A write followed, when read_count is not 0, by a read in the same transaction. write_count may be 0. */
struct ci2c_transfer {
    uint8_t address;
    const uint8_t *write;
    uint16_t write_count;
    uint8_t *read;
    uint16_t read_count;
};

enum ci2c_presence {
    CI2C_ABSENT = 0,
    CI2C_PRESENT = 1,
    CI2C_HELD_BY_DRIVER = 2, /* a kernel driver is bound to the address */
};

/* Opens an adapter by its path, such as "/dev/i2c-1". No transfer takes longer than timeout_ms (rounded up to 10 ms).
 */
int ci2c_open(const char *path, uint32_t timeout_ms, struct ci2c_bus *bus);
void ci2c_close(struct ci2c_bus *bus);

/* Whether the adapter does combined transfers. */
bool ci2c_can_combine(const struct ci2c_bus *bus);

/*
 * Runs one transfer. -EBUSY: a kernel driver holds the address. -ENXIO, -EREMOTEIO, -ENODEV: nobody answers there.
 * -ETIMEDOUT: the bus is stuck.
 */
int ci2c_perform(struct ci2c_bus *bus, const struct ci2c_transfer *transfer);

/* Whether somebody answers at an address: an enum ci2c_presence, asked in the way that disturbs least. */
int ci2c_probe(struct ci2c_bus *bus, uint8_t address);

#ifdef __cplusplus
}
#endif

#endif
