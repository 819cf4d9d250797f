/* check - reads a table and looks at every line without taking it: would a keeper hold them all? */
#include "commands.h"
#include "line.h"
#include "server.h"
#include "table.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

/* "safe at once", "safe after 1.5 s" */
static void describe_loss(uint32_t milliseconds, char text[KEEPER_TEXT_SIZE]) {
    if (milliseconds == 0) {
        text_put(text, KEEPER_TEXT_SIZE, "safe at once");
    } else {
        text_put(text, KEEPER_TEXT_SIZE, "safe after %g s", milliseconds / 1000.0);
    }
}

/* Prints one output: true when the keeper has its line, or could have it. */
static bool check_output(const struct table_output *output) {
    char line[KEEPER_TEXT_SIZE], loss[KEEPER_TEXT_SIZE], problem[KEEPER_TEXT_SIZE];
    table_output_line(output, line);
    describe_loss(output->agent_lost_ms, loss);
    printf("%s: %s, safe %s, agent lost: %s; ", output->name, line, text_of_value(output->safe), loss);
    struct cgpio_line_info info;
    if (line_look(output, &info, problem) != 0) {
        printf("error: %s\n", problem);
        return false;
    }
    if (!info.is_used) {
        printf("free\n");
        return true;
    }
    line_holder(&info, problem);
    printf("%s\n", problem);
    return strncmp(info.consumer, LINE_CONSUMER_PREFIX, strlen(LINE_CONSUMER_PREFIX)) == 0;
}

int command_check(const char *table_path) {
    struct table table;
    char problem[KEEPER_TEXT_SIZE];
    uid_t owner;
    if (!table_read(table_path, &table, &owner, problem)) {
        fprintf(stderr, "m2m-keeper: %s\n", problem);
        return SERVER_EXIT_TABLE;
    }
    bool is_good = true;
    for (uint32_t i = 0; i < table.count; i++) {
        if (!check_output(&table.outputs[i])) is_good = false;
    }
    if (table.count == 0) printf("the table has no outputs\n");
    return is_good ? SERVER_EXIT_DONE : SERVER_EXIT_FAILED;
}
