/* SPDX-License-Identifier: MIT
 *
 * Auth plugins that break their contract, or take their time, over datagrams:
 * nobody is let in, and the session that there is goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "record/limits.h"
#include "session/index_table.h"
#include "session/initiation.h"
#include "session/output.h"
#include "support/later_auth.h"
#include "support/packet_transport.h"
#include "support/world.h"

static int setup(void **state)
{
	int rc = wt_world_setup_packets(state);

	wt_end_plugin(&wt_later_plugin);
	wt_later = (struct wt_later){ .delay_ms = 0 };
	((struct wt_world *)*state)->auth = "later";
	return rc;
}

static void carries_both_ways(struct wt_world *w)
{
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
}

static void up_within(struct wt_world *w, uint64_t ms)
{
	for (uint64_t t = 0; t < ms && !wt_world_alice_up(w); t += 100)
		wt_world_pass(w, 100);
	if (!wt_world_alice_up(w))
		fail_msg("not up after %u ms; the log:\n%s", (unsigned)ms, w->log);
}

static size_t conns_of(const struct wt_end *end)
{
	size_t count = 0;

	for (const struct wt_link *l = end->worker->links; l; l = l->next)
		for (const struct wt_conn *c = l->conns; c; c = c->next)
			count++;
	return count;
}

static const struct broken {
	enum wt_later_step step;
	enum wt_later_fault fault;
	const char *log;
} broken[] = {
	{ WT_LATER_M1, WT_LATER_VERDICT_99, "there is no such verdict" },
	{ WT_LATER_M1, WT_LATER_VERDICT_PENDING, "there is no such verdict" },
	{ WT_LATER_M1, WT_LATER_VERDICT_DONE, "a first message proves nobody" },
	{ WT_LATER_M1, WT_LATER_NO_HANDSHAKE, "it has no handshake to go on with" },
	{ WT_LATER_M1, WT_LATER_HANDSHAKE_ELSEWHERE, "its handshake is not in the memory" },
	{ WT_LATER_M1, WT_LATER_SIZE, "it changed struct_size of its output" },
	{ WT_LATER_M1, WT_LATER_REPLY_OTHER, "its reply is not in the buffer" },
	{ WT_LATER_M1, WT_LATER_NO_PEER, "it names no peer" },
	{ WT_LATER_M1, WT_LATER_PEER_TOO_BIG, "it names no peer" },
	{ WT_LATER_M1, WT_LATER_REPLY_TOO_LONG, "its reply is too long" },
	{ WT_LATER_M1, WT_LATER_REPLY_LONGER, "longer than what it answers" },
	{ WT_LATER_M1, WT_LATER_INDEX_OTHER, "it has another index" },
	{ WT_LATER_M1, WT_LATER_INDEX_ZERO, "it has another index" },
	{ WT_LATER_M1, WT_LATER_REMOTE_ZERO, "cannot set up keys" },
	{ WT_LATER_M1, WT_LATER_NO_KEYS, "it is done without keys" }, /* at M3 */
	{ WT_LATER_M1, WT_LATER_KEYS_EQUAL, "cannot set up keys" },
	{ WT_LATER_M1, WT_LATER_PARAMS, "cannot set up keys" },
	{ WT_LATER_M1, WT_LATER_REASON, "the auth plugin failed" },
	{ WT_LATER_M2, WT_LATER_VERDICT_99, "there is no such verdict" },
	{ WT_LATER_M2, WT_LATER_VERDICT_ANSWER, "an answer is only for first messages" },
	{ WT_LATER_M2, WT_LATER_NO_PEER, "it names no peer" },
	{ WT_LATER_M2, WT_LATER_REPLY_TOO_LONG, "its reply is too long" },
	{ WT_LATER_M2, WT_LATER_INDEX_OTHER, "it has another index" },
	{ WT_LATER_M2, WT_LATER_NO_KEYS, "it is done without keys" },
	{ WT_LATER_M2, WT_LATER_KEYS_EQUAL, "cannot set up keys" },
	{ WT_LATER_M2, WT_LATER_PARAMS, "cannot set up keys" },
	{ WT_LATER_M3, WT_LATER_VERDICT_99, "there is no such verdict" },
	{ WT_LATER_M3, WT_LATER_VERDICT_ANSWER, "an answer is only for first messages" },
	{ WT_LATER_M3, WT_LATER_PEER_OTHER, "it names another peer than the connection's" },
	{ WT_LATER_M3, WT_LATER_PEER_TOO_BIG, "it names no peer" },
	{ WT_LATER_M3, WT_LATER_REPLY_TOO_LONG, "its reply is too long" },
	{ WT_LATER_M3, WT_LATER_INDEX_OTHER, "it has another index" },
};

static void try_broken(struct wt_world *w, const struct broken *b)
{
	wt_later = (struct wt_later){ .delay_ms = 0 };
	wt_later.fault[b->step] = b->fault;
	w->log[0] = '\0';
	wt_log_flush();
	wt_world_server(w, "");
	wt_world_alice(w);
	for (int i = 0; i < 20; i++) {
		wt_world_pass(w, 100);
		if (wt_peer_is_up(wt_world_peer(&w->server, 0)) ||
		    wt_peer_is_up(wt_world_peer(&w->alice, 0)))
			fail_msg("step %d, fault %d: somebody was let in", b->step, b->fault);
	}
	if (!wt_world_logged(w, b->log))
		fail_msg("step %d, fault %d: no \"%s\" in the log:\n%s", b->step, b->fault, b->log,
			 w->log);
	wt_later.fault[b->step] = WT_LATER_SOUND;
	up_within(w, 15000);
	carries_both_ways(w);
	/* The same at a rekey: the session that there is goes on, and gets its keys
	 * when the plugin is sound. */
	wt_later.fault[b->step] = b->fault;
	const struct wt_conn *here = wt_world_peer(&w->alice, 0)->active;
	const struct wt_conn *there = wt_world_peer(&w->server, 0)->active;
	uint64_t handshakes = wt_world_peer(&w->server, 0)->counters.handshakes;

	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	for (int i = 0; i < 25; i++) {
		wt_world_pass(w, 100);
		carries_both_ways(w);
	}
	assert_ptr_equal(wt_world_peer(&w->alice, 0)->active, here);
	assert_ptr_equal(wt_world_peer(&w->server, 0)->active, there);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, handshakes);
	wt_later.fault[b->step] = WT_LATER_SOUND;
	wt_world_pass(w, 12000);
	carries_both_ways(w);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, handshakes + 1);
	assert_ptr_equal(wt_world_peer(&w->server, 0)->active, there);
	/* Nothing is left of what was not believed. */
	wt_world_pass(w, 25000);
	assert_int_equal(conns_of(&w->server), 1);
	assert_int_equal(w->server.worker->indices->count, 1);
	wt_end_close(&w->alice);
	wt_end_close(&w->server);
}

static void who_breaks_the_contract_is_not_believed(void **state)
{
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
		try_broken(*state, &broken[i]);
}

/* Later messages may be thought about; a stranger's first one may not. */
static void only_strangers_are_not_waited_for(void **state)
{
	for (int step = 0; step < WT_LATER_STEPS; step++) {
		struct wt_world *w = *state;

		wt_later = (struct wt_later){ .delay_ms = 300 };
		wt_later.when[step] = WT_LATER_SOON;
		wt_world_server(w, "");
		wt_world_alice(w);
		wt_world_pass(w, 3000);
		assert_int_equal(wt_world_alice_up(w), step != WT_LATER_M1);
		if (step == WT_LATER_M1)
			assert_int_equal(conns_of(&w->server), 0);
		else
			carries_both_ways(w);
		wt_end_close(&w->alice);
		wt_end_close(&w->server);
	}
}

/* The plugin thinks about an M3 while the dialler begins anew: what it says in the end
 * is about nothing, and no fault. */
static void what_is_said_of_a_handshake_that_was_replaced_is_ignored(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	up_within(w, 1000);
	const struct wt_conn *here = wt_world_peer(&w->alice, 0)->active;
	const struct wt_conn *there = wt_world_peer(&w->server, 0)->active;

	wt_later.when[WT_LATER_M3] = WT_LATER_SOON;
	wt_later.delay_ms = 2 * WT_PENDING_MS;
	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	for (unsigned ms = 0; wt_later.completed == 0; ms += 1000) {
		assert_in_range(ms, 0, 3 * WT_PENDING_MS);
		wt_world_pass(w, 1000);
		carries_both_ways(w);
	}
	assert_true(wt_later.asked[WT_LATER_M3] > 2);
	if (wt_world_logged(w, "gave a verdict that cannot be"))
		fail_msg("the log:\n%s", w->log);
	wt_later.when[WT_LATER_M3] = WT_LATER_AT_ONCE;
	wt_world_pass(w, 20000);
	assert_ptr_equal(wt_world_peer(&w->alice, 0)->active, here);
	assert_ptr_equal(wt_world_peer(&w->server, 0)->active, there);
	carries_both_ways(w);
}

/* Keys that come with the proof alone: a new association each time. */
static void keys_may_come_with_the_proof(void **state)
{
	struct wt_world *w = *state;

	wt_later.keys_with_done = true;
	wt_world_server(w, "");
	wt_world_alice(w);
	up_within(w, 1000);
	carries_both_ways(w);
	for (int i = 0; i < 3; i++) {
		wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
		wt_world_pass(w, 1000);
		carries_both_ways(w);
		assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, i + 2);
	}
	/* CLOSE(replaced) of the older ones comes under keys that are not in use any
	 * more, and is nothing to the dialler. */
	wt_world_pass(w, 20000);
	assert_true(wt_world_alice_up(w));
	carries_both_ways(w);
	assert_int_equal(conns_of(&w->server), 1);
	assert_int_equal(w->server.worker->indices->count, 1);
}

/* The dialler still has the keys that the other end closes. */
static void close_of_replaced_keys_ends_them_alone(void **state)
{
	struct wt_world *w = *state;
	uint8_t text[WT_CONTROL_MAX];

	wt_world_server(w, "");
	wt_world_alice(w);
	up_within(w, 1000);
	struct wt_conn *there = wt_world_peer(&w->server, 0)->active;
	struct wt_conn *here = wt_world_peer(&w->alice, 0)->active;

	wt_initiation_start(here);
	wt_world_settle(w);
	assert_non_null(there->keys.previous);
	assert_non_null(here->keys.previous);
	assert_true(wt_output_text(there, there->keys.previous, text,
				   wt_control_close(text, WT_CLOSE_REPLACED)));
	wt_world_settle(w);
	assert_null(here->keys.previous);
	assert_ptr_equal(wt_world_peer(&w->alice, 0)->active, here);
	carries_both_ways(w);
	/* Any other reason is about the whole. */
	wt_initiation_start(here);
	wt_world_settle(w);
	assert_true(wt_output_text(there, there->keys.previous, text,
				   wt_control_close(text, WT_CLOSE_SHUTDOWN)));
	wt_world_settle(w);
	assert_false(wt_peer_is_up(wt_world_peer(&w->alice, 0)));
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, wt_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(who_breaks_the_contract_is_not_believed),
		WORLD(only_strangers_are_not_waited_for),
		WORLD(what_is_said_of_a_handshake_that_was_replaced_is_ignored),
		WORLD(keys_may_come_with_the_proof),
		WORLD(close_of_replaced_keys_ends_them_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
