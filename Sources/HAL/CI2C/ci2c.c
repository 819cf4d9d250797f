#include "ci2c.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <i2c/smbus.h>

static int failure(void) { return errno > 0 ? -errno : -EIO; }

int ci2c_open(const char *path, uint32_t timeout_ms, struct ci2c_bus *bus) {
    unsigned long functions = 0;
    *bus = (struct ci2c_bus){.fd = open(path, O_RDWR | O_CLOEXEC), .selected_address = -1};
    if (bus->fd < 0) return failure();
    /* I2C_TIMEOUT counts in 10 ms. Not every adapter has a time-out or a retry count of its own: not an error. */
    ioctl(bus->fd, I2C_TIMEOUT, (unsigned long)(timeout_ms + 9) / 10);
    ioctl(bus->fd, I2C_RETRIES, 0UL); /* tries are counted by whoever knows what a second one may do */
    if (ioctl(bus->fd, I2C_FUNCS, &functions) < 0) {
        int result = failure();
        ci2c_close(bus);
        return result;
    }
    bus->functions = functions;
    return 0;
}

void ci2c_close(struct ci2c_bus *bus) {
    if (bus->fd >= 0) close(bus->fd);
    bus->fd = -1;
}

bool ci2c_can_combine(const struct ci2c_bus *bus) { return (bus->functions & I2C_FUNC_I2C) != 0; }

/* Tells i2c-dev the address. This is also where the kernel says that a driver of its own holds it (EBUSY). */
static int select_address(struct ci2c_bus *bus, uint8_t address) {
    if (bus->selected_address == address) return 0;
    if (ioctl(bus->fd, I2C_SLAVE, (unsigned long)address) < 0) return failure();
    bus->selected_address = address;
    return 0;
}

static int combined(struct ci2c_bus *bus, const struct ci2c_transfer *t) {
    struct i2c_msg messages[2];
    struct i2c_rdwr_ioctl_data data = {.msgs = messages, .nmsgs = 0};
    if (t->write_count > 0) {
        messages[data.nmsgs++] =
            (struct i2c_msg){.addr = t->address, .flags = 0, .len = t->write_count, .buf = (uint8_t *)t->write};
    }
    if (t->read_count > 0) {
        messages[data.nmsgs++] =
            (struct i2c_msg){.addr = t->address, .flags = I2C_M_RD, .len = t->read_count, .buf = t->read};
    }
    if (data.nmsgs == 0) return -EINVAL;
    return ioctl(bus->fd, I2C_RDWR, &data) < 0 ? failure() : 0;
}

static int smbus_read(struct ci2c_bus *bus, const struct ci2c_transfer *t) {
    if (t->write_count > 1) return -EOPNOTSUPP;
    if (t->read_count == 1) {
        int value = t->write_count == 0 ? i2c_smbus_read_byte(bus->fd) : i2c_smbus_read_byte_data(bus->fd, t->write[0]);
        if (value < 0) return failure();
        t->read[0] = (uint8_t)value;
        return 0;
    }
    if (t->write_count == 0) return -EOPNOTSUPP;
    if (t->read_count > CI2C_BLOCK_MAX) return -EMSGSIZE;
    uint8_t block[CI2C_BLOCK_MAX];
    int count = i2c_smbus_read_i2c_block_data(bus->fd, t->write[0], (uint8_t)t->read_count, block);
    if (count < 0) return failure();
    if (count != t->read_count) return -EIO;
    memcpy(t->read, block, t->read_count);
    return 0;
}

static int smbus_write(struct ci2c_bus *bus, const struct ci2c_transfer *t) {
    int result;
    switch (t->write_count) {
    case 0: return -EINVAL;
    case 1: result = i2c_smbus_write_byte(bus->fd, t->write[0]); break;
    case 2: result = i2c_smbus_write_byte_data(bus->fd, t->write[0], t->write[1]); break;
    default:
        if (t->write_count - 1 > CI2C_BLOCK_MAX) return -EMSGSIZE;
        result = i2c_smbus_write_i2c_block_data(bus->fd, t->write[0], (uint8_t)(t->write_count - 1), t->write + 1);
    }
    return result < 0 ? failure() : 0;
}

int ci2c_perform(struct ci2c_bus *bus, const struct ci2c_transfer *transfer) {
    errno = 0;
    int result = select_address(bus, transfer->address);
    if (result != 0) return result;
    if (ci2c_can_combine(bus)) return combined(bus, transfer);
    return transfer->read_count > 0 ? smbus_read(bus, transfer) : smbus_write(bus, transfer);
}

int ci2c_probe(struct ci2c_bus *bus, uint8_t address) {
    errno = 0;
    int result = select_address(bus, address);
    if (result == -EBUSY) return CI2C_HELD_BY_DRIVER;
    if (result != 0) return result;
    /* As i2cdetect does: a quick write could corrupt EEPROMs (0x50 to 0x5f) and lock up chips at 0x30 to 0x37. */
    bool reads = (address >= 0x30 && address <= 0x37) || (address >= 0x50 && address <= 0x5f);
    if (!reads && (bus->functions & I2C_FUNC_SMBUS_QUICK)) {
        result = i2c_smbus_write_quick(bus->fd, I2C_SMBUS_WRITE);
    } else {
        result = i2c_smbus_read_byte(bus->fd);
    }
    if (result >= 0) return CI2C_PRESENT;
    return errno == ETIMEDOUT ? failure() : CI2C_ABSENT; /* a stuck bus says nothing about the address */
}
