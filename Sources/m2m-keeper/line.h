/* line - where the line of an output is, who holds it, and taking it. Over cgpio. */
#ifndef M2M_KEEPER_LINE_H
#define M2M_KEEPER_LINE_H

#include "cgpio.h"
#include "keeper_protocol.h"
#include "table.h"

/* What every line that is ours is held under begins with this. */
#define LINE_CONSUMER_PREFIX "m2m-keeper "

/*
 * Looks at the line of an output without taking it: 0 and how it is, or -errno and words. Among the chips with the
 * label of the table and with that offset there must be one; of several, the one whose line has the name of the table.
 */
int line_look(const struct table_output *output, struct cgpio_line_info *info, char problem[KEEPER_TEXT_SIZE]);

/*
 * Takes the line of an output as an output at its safe value, which is part of the request, so that there is no moment
 * with another one. 0, or -errno and words; -EBUSY: the words say who holds it.
 */
int line_take(const struct table_output *output, struct cgpio_line **line, char problem[KEEPER_TEXT_SIZE]);

/* "held by …" of a line that is in use. */
void line_holder(const struct cgpio_line_info *info, char text[KEEPER_TEXT_SIZE]);

#endif
