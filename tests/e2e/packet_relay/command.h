/* SPDX-License-Identifier: MIT
 *
 * command: what the user of the relay may say while it runs; packet_relay.py lists it.
 */
#ifndef WT_E2E_COMMAND_H
#define WT_E2E_COMMAND_H

#include "way.h"

enum { WAY_UP, WAY_DOWN, WAYS };

struct relay {
	struct way ways[WAYS];
	struct translation translation;
	/* "wait" is answered later */
	const uint64_t *awaited; /* NULL: none is open */
	uint64_t awaited_total;
	uint64_t awaited_until_ns;
};

/* Carries one line out (without its end; it is taken apart in place) and prints one line on
 * standard output, now or, for "wait", from command_poll. */
void command_run(struct relay *relay, char *line, uint64_t now_ns);

/* Answers an open "wait" once it can. */
void command_poll(struct relay *relay, uint64_t now_ns);

#endif
