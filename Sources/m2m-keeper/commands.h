/* commands - what people ask of the keeper at a terminal. Each returns the exit status of the program. */
#ifndef M2M_KEEPER_COMMANDS_H
#define M2M_KEEPER_COMMANDS_H

#include <stdbool.h>

/* Reads a table and looks at every line without taking it. */
int command_check(const char *table_path);

/* Asks the keeper that runs how its outputs are. */
int command_status(const char *socket_path, bool as_json);

#endif
