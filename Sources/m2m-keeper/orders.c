/* orders - the answers of the core to what a connection asks. */
#include "keeper.h"
#include "line.h"
#include "text.h"

#include <errno.h>
#include <string.h>

/* An order while it is worked upon. */
struct request {
    struct keeper *keeper;
    int who;
    int64_t now;
    struct keeper_order order;
    struct keeper_report *report;
};

#define REFUSE(request, code, ...)                                                                                     \
    ((request)->report->status = (code), text_put((request)->report->text, KEEPER_TEXT_SIZE, __VA_ARGS__))

/* The output that the order names; NULL, and refused, when there is none. */
static struct keeper_output *named(struct request *request) {
    const char *name = request->order.output;
    for (uint32_t i = 0; i < request->keeper->count; i++) {
        struct keeper_output *output = &request->keeper->outputs[i];
        if (strcmp(output->is.name, name) == 0) return output;
    }
    REFUSE(request, -ENOENT, "the keeper's table has no output '%s'", name);
    return NULL;
}

static void list(struct request *request) {
    if (request->order.index < request->keeper->count) {
        keeper_describe(&request->keeper->outputs[request->order.index], request->report);
    } else {
        REFUSE(request, -ENOENT, "the keeper's table has %u outputs", request->keeper->count);
    }
}

/* The sender of orders who has adopted outputs lives: no hold for what it answers for. */
static void note_life(struct request *request) {
    struct keeper *keeper = request->keeper;
    if (request->who != keeper->adopter) return;
    keeper->life = request->now;
    keeper->is_silent = false;
    for (uint32_t i = 0; i < keeper->count; i++) {
        if (keeper->outputs[i].is_adopted) keeper->outputs[i].hold = 0;
    }
}

static void adopt(struct request *request, struct keeper_output *output) {
    struct keeper *keeper = request->keeper;
    if (keeper->adopter != KEEPER_NOBODY && keeper->adopter != request->who) {
        REFUSE(request, -EBUSY, "another connection has adopted outputs and has not ended");
        return;
    }
    keeper->adopter = request->who;
    output->is_adopted = true;
    note_life(request);
    if (output->line != NULL && output->error == -ENODEV) {
        cgpio_line_release(output->line); /* that of a chip that has gone: if it is back, this is no way to it */
        output->line = NULL;
        output->retry = 0;
    }
    if (output->line == NULL) keeper_take_line(output, request->now);
    keeper_describe(output, request->report);
    if (output->line == NULL) request->report->status = output->error;
}

static void set(struct request *request, struct keeper_output *output) {
    const struct keeper_order *order = &request->order;
    const int64_t now = request->now;
    const bool is_to_safe = order->value == output->is.safe;
    const bool is_change = order->value != output->value || output->retry != 0;
    if (request->who != request->keeper->adopter || !output->is_adopted) {
        REFUSE(request, -EPERM, "'%s' has to be adopted by this connection first", output->is.name);
    } else if (order->value != 0 && order->value != 1) {
        REFUSE(request, -EINVAL, "an output can't be set to %d: 1 is on, 0 is off", order->value);
    } else if (order->not_after_ns != 0 && now >= order->not_after_ns) {
        REFUSE(request, -ETIME, "this order for '%s' came too late", output->is.name);
    } else if (order->type == KEEPER_EXTEND && is_change) {
        REFUSE(request, -ETIME, "'%s' is something else by now", output->is.name);
    } else if (output->line == NULL) {
        REFUSE(request, output->error, "'%s' is not held: %s", output->is.name, output->problem);
    } else if (is_change && !is_to_safe && order->deadline_ns != 0 && now >= order->deadline_ns) {
        REFUSE(request, -ETIME, "the deadline of this order for '%s' is past", output->is.name);
    } else {
        int result = is_change ? keeper_drive(output, order->value, KEEPER_CAUSE_ORDER, now) : 0;
        if (result == 0) output->deadline = is_to_safe ? 0 : order->deadline_ns;
        keeper_describe(output, request->report);
        request->report->status = result;
    }
}

/* What every report carries. */
static void begin_report(const struct keeper *keeper, struct keeper_report *report) {
    memset(report, 0, sizeof *report);
    report->version = KEEPER_PROTOCOL_VERSION;
    report->count = keeper->count;
    report->table = keeper->checksum;
}

/* Whether a message is an order, as far as that can be seen without looking at any output; else refused. */
static bool is_order(struct request *request, const void *message, size_t size) {
    struct keeper_order *order = &request->order;
    if (size != sizeof *order) {
        REFUSE(request, -EBADMSG, "a message of %zu bytes is no order: they have %zu", size, sizeof *order);
        return false;
    }
    memcpy(order, message, sizeof *order);
    request->report->type = order->type;
    request->report->sequence = order->sequence;
    if (order->version != KEEPER_PROTOCOL_VERSION) {
        REFUSE(request, -EPROTO, "this keeper speaks version %d, not %u", KEEPER_PROTOCOL_VERSION, order->version);
    } else if (memchr(order->output, '\0', sizeof order->output) == NULL) {
        REFUSE(request, -EBADMSG, "the name of the output has no end");
    } else {
        return true;
    }
    return false;
}

bool keeper_order(struct keeper *keeper, int who, const void *message, size_t size, int64_t now,
                  struct keeper_report *report) {
    struct request request = {.keeper = keeper, .who = who, .now = now, .report = report};
    keeper_tick(keeper, now); /* what is due comes before any order */
    begin_report(keeper, report);
    if (!is_order(&request, message, size)) return false;
    note_life(&request);
    struct keeper_output *output = NULL;
    switch (request.order.type) {
    case KEEPER_HELLO: report->is_held = keeper->adopter != KEEPER_NOBODY && keeper->adopter != who; break;
    case KEEPER_HEARTBEAT: break;
    case KEEPER_LIST: list(&request); break;
    case KEEPER_READ:
        if ((output = named(&request)) != NULL) keeper_describe(output, report);
        break;
    case KEEPER_ADOPT:
        if ((output = named(&request)) != NULL) adopt(&request, output);
        break;
    case KEEPER_SET:
    case KEEPER_EXTEND:
        if ((output = named(&request)) != NULL) set(&request, output);
        break;
    case KEEPER_RELOAD:
        if (keeper->adopter == KEEPER_NOBODY || keeper->adopter == who) return true;
        REFUSE(&request, -EBUSY, "another connection has adopted outputs and has not ended");
        break;
    default: REFUSE(&request, -EOPNOTSUPP, "this keeper does not know orders of type %u", request.order.type);
    }
    return false;
}

bool keeper_leaves_safe(const struct keeper *keeper, const struct keeper_order *order, size_t size) {
    if (size != sizeof *order || (order->type != KEEPER_SET && order->type != KEEPER_EXTEND)) return false;
    for (uint32_t i = 0; i < keeper->count; i++) {
        const struct table_output *output = &keeper->outputs[i].is;
        if (strncmp(output->name, order->output, sizeof order->output) == 0) return order->value != output->safe;
    }
    return false;
}
