/* SPDX-License-Identifier: MIT
 *
 * What one report that a link is readable is worth: all that is there, over as
 * many turns as the budget of a turn makes of it, and not at the cost of others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/memory_transport.h"
#include "support/packet_transport.h"
#include "support/world.h"

/* Records of one link in one turn; docs/architecture.md. */
#define BUDGET 64u
#define PACKET 100u
#define NUMBER 20u

/* How often the server was told that alice's link is readable. */
static unsigned reports(void)
{
	return wt_memory_net.links ? wt_memory_net.links->reports[1]
				   : (unsigned)wt_packet_net.reports;
}

/* `end` sends packets `from` to `to`, each in a record of its own; the server
 * stands still meanwhile. */
static void send_from(struct wt_end *end, const char *source, uint32_t from, uint32_t to)
{
	uint8_t packet[PACKET];

	for (uint32_t i = from; i < to; i++) {
		wt_packet_make(packet, sizeof packet, source, "10.8.0.1", 0);
		memcpy(packet + NUMBER, &i, sizeof i);
		wt_end_inject(end, packet, sizeof packet);
		wt_engine_turn(end->engine, 0);
	}
	for (int i = 0; i < 5; i++)
		wt_engine_turn(end->engine, 0);
}

static void send_numbered(struct wt_world *w, uint32_t from, uint32_t to)
{
	send_from(&w->alice, "10.8.0.2", from, to);
}

/* In one turn of the server come all packets from `from` to `to`, and no other;
 * the next turn waits for nothing if there is `more`. */
static void turn_brings(struct wt_world *w, uint32_t from, uint32_t to, bool more)
{
	uint8_t got[1500];
	uint32_t next = from;

	wt_engine_turn(w->server.engine, 0);
	while (wt_end_take(&w->server, got, sizeof got)) {
		assert_memory_equal(got + NUMBER, &next, sizeof next);
		next++;
	}
	assert_int_equal(next, to);
	assert_int_equal(w->server.worker->busy, more);
}

static void one_report_brings_all(void **state)
{
	struct wt_world *w = *state;
	unsigned before;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
	before = reports();
	send_numbered(w, 0, 3 * BUDGET);
	turn_brings(w, 0, BUDGET, true);
	turn_brings(w, BUDGET, 2 * BUDGET, true);
	/* What comes before WT_AGAIN is covered by it, too. */
	send_numbered(w, 3 * BUDGET, 4 * BUDGET + 10);
	turn_brings(w, 2 * BUDGET, 3 * BUDGET, true);
	turn_brings(w, 3 * BUDGET, 4 * BUDGET, true);
	turn_brings(w, 4 * BUDGET, 4 * BUDGET + 10, false);
	assert_int_equal(reports(), before + 1);

	/* What comes afterwards is not. */
	send_numbered(w, 4 * BUDGET + 10, 4 * BUDGET + 11);
	turn_brings(w, 4 * BUDGET + 10, 4 * BUDGET + 11, false);
	assert_int_equal(reports(), before + 2);
}

/* Who sends without end has its share of a turn, and each of the others theirs. */
static void endless_input_keeps_nobody_waiting(void **state)
{
	enum { ROUNDS = 5, OF_BOB = 1000 };
	struct wt_world *w = *state;
	uint8_t got[1500];
	uint32_t number, sent = 0;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	wt_world_settle(w);
	send_numbered(w, 0, 3 * BUDGET);
	sent = 3 * BUDGET;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		unsigned of_alice = 0, of_bob = 0;

		/* Alice's link always has more than a turn takes, and was there first. */
		send_numbered(w, sent, sent + BUDGET);
		sent += BUDGET;
		send_from(&w->bob, "10.8.0.3", OF_BOB + round, OF_BOB + round + 1);
		wt_engine_turn(w->server.engine, 0);
		while (wt_end_take(&w->server, got, sizeof got)) {
			memcpy(&number, got + NUMBER, sizeof number);
			if (number == OF_BOB + round)
				of_bob++;
			else
				assert_int_equal(number, round * BUDGET + of_alice++);
		}
		assert_int_equal(of_bob, 1);
		assert_int_equal(of_alice, BUDGET);
		assert_true(w->server.worker->busy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "over a stream", one_report_brings_all, wt_world_setup_memory, wt_world_teardown,
		  NULL },
		{ "over datagrams", one_report_brings_all, wt_world_setup_packets,
		  wt_world_teardown, NULL },
		{ "of several streams", endless_input_keeps_nobody_waiting, wt_world_setup_memory,
		  wt_world_teardown, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
