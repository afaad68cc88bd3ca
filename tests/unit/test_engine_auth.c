/* SPDX-License-Identifier: MIT
 *
 * An auth plugin that takes its time, or breaks its contract: what the core
 * does then. Nobody gets in, nothing is left over, and the next one is served.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "plugin/call.h"
#include "record/limits.h"
#include "session/initiation.h"
#include "session/output.h"
#include "support/later_auth.h"
#include "support/memory_transport.h"
#include "support/world.h"

static int setup(void **state)
{
	int rc = wt_world_setup_memory(state);

	wt_end_plugin(&wt_later_plugin);
	wt_later = (struct wt_later){ .delay_ms = 300 };
	((struct wt_world *)*state)->auth = "later";
	return rc;
}

static bool comes_up(struct wt_world *w, uint64_t within_ms)
{
	for (uint64_t ms = 0; ms < within_ms && !wt_world_alice_up(w); ms += 100)
		wt_world_pass(w, 100);
	return wt_world_alice_up(w);
}

/* A sound one gets through, whatever was before. */
static void assert_recovers(struct wt_world *w)
{
	memset(wt_later.when, 0, sizeof wt_later.when);
	memset(wt_later.fault, 0, sizeof wt_later.fault);
	if (!comes_up(w, 12000))
		fail_msg("it does not come back; the log:\n%s", w->log);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
}

/* ---- time --------------------------------------------------------------------------- */

static void a_verdict_may_come_later(void **state)
{
	for (int step = 0; step < WT_LATER_STEPS; step++) {
		struct wt_world *w = *state;

		wt_later = (struct wt_later){ .delay_ms = 300 };
		wt_later.when[step] = WT_LATER_SOON;
		wt_world_server(w, "");
		wt_world_alice(w);
		wt_world_pass(w, 200);
		assert_false(wt_world_alice_up(w));
		wt_world_pass(w, 400);
		assert_true(wt_world_alice_up(w));
		assert_int_equal(wt_later.completed, 1);
		wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
		/* The same for the next keys. */
		wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
		wt_world_pass(w, 1000);
		assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, 2);
		assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 2);
		wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
		wt_end_close(&w->alice);
		wt_end_close(&w->server);
	}
}

static void two_verdicts_count_once(void **state)
{
	for (int step = 0; step < WT_LATER_STEPS; step++) {
		struct wt_world *w = *state;

		wt_later = (struct wt_later){ .delay_ms = 300 };
		wt_later.when[step] = WT_LATER_TWICE;
		wt_world_server(w, "");
		wt_world_alice(w);
		wt_world_pass(w, 2000);
		assert_true(wt_world_alice_up(w));
		assert_int_equal(wt_later.completed, 2);
		assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 1);
		wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
		wt_end_close(&w->alice);
		wt_end_close(&w->server);
	}
}

/* Never, or inside the call, when nobody can know the ticket yet: the core's
 * time-outs clean up. */
static void a_verdict_that_does_not_come_is_waited_for_a_while(void **state)
{
	static const enum wt_later_when whens[] = { WT_LATER_NEVER, WT_LATER_INSIDE };

	for (int step = 0; step < WT_LATER_STEPS; step++)
		for (int i = 0; i < 2; i++) {
			struct wt_world *w = *state;

			wt_later = (struct wt_later){ .delay_ms = 300 };
			wt_later.when[step] = whens[i];
			wt_world_server(w, "");
			wt_world_alice(w);
			assert_false(comes_up(w, 30000));
			assert_true(wt_later.asked[step] > 1);
			assert_true(w->server.worker->half_open_count <= 1);
			assert_recovers(w);
			wt_end_close(&w->alice);
			wt_end_close(&w->server);
		}
}

static void a_verdict_for_a_connection_that_is_gone_is_nothing(void **state)
{
	for (int step = 0; step < WT_LATER_STEPS; step++) {
		struct wt_world *w = *state;

		wt_later = (struct wt_later){ .delay_ms = 500 };
		wt_later.when[step] = WT_LATER_SOON;
		wt_world_server(w, "");
		wt_world_alice(w);
		wt_world_pass(w, 100);
		wt_end_close(&w->alice);
		wt_world_pass(w, 2000);
		assert_null(w->server.worker->links);
		wt_later.delay_ms = 0;
		wt_world_alice(w);
		assert_recovers(w);
		wt_end_close(&w->alice);
		wt_end_close(&w->server);
	}
}

/* The plugin thinks for so long about the last message that the core gave the
 * handshake up; the keys in use are none of its business. */
static void a_verdict_that_is_too_late_leaves_the_session_alone(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	const struct wt_conn *conn = wt_world_peer(&w->server, 0)->active;

	wt_later.when[WT_LATER_M3] = WT_LATER_SOON;
	wt_later.delay_ms = WT_PENDING_MS + 5000;
	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	wt_world_pass(w, WT_PENDING_MS + 2000);
	assert_null(conn->keys.next);
	wt_world_pass(w, 5000);
	assert_int_equal(wt_later.completed, 1);
	assert_ptr_equal(wt_world_peer(&w->server, 0)->active, conn);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
}

static void no_second_message_while_it_thinks(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_later.when[WT_LATER_M1] = WT_LATER_NEVER;
	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	wt_world_settle(w);
	assert_non_null(wt_world_peer(&w->server, 0)->active);
	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	wt_world_settle(w);
	assert_null(wt_world_peer(&w->server, 0)->active);
	assert_int_equal(w->server.worker->refusals[WT_REASON_STEP], 1);
	assert_recovers(w);
}

/* ---- keys that come last ------------------------------------------------------------- */

static void keys_may_come_with_the_last_message(void **state)
{
	struct wt_world *w = *state;

	wt_later.keys_with_done = true;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	wt_world_settle(w);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 2);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
}

static void without_its_last_word_nobody_is_let_in(void **state)
{
	struct wt_world *w = *state;

	wt_later.keys_with_done = true;
	wt_later.when[WT_LATER_M3] = WT_LATER_NEVER;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_pass(w, 3000);
	assert_null(wt_world_peer(&w->server, 0)->active);
	assert_null(w->server.worker->links->conns->keys.next);
	wt_world_loses(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1");
	assert_recovers(w);
}

/* ---- broken contracts ------------------------------------------------------------------ */

struct broken {
	enum wt_later_step step;
	enum wt_later_fault fault;
	const char *log;
};

static const struct broken broken[] = {
	{ WT_LATER_M1, WT_LATER_VERDICT_99, "there is no such verdict" },
	{ WT_LATER_M1, WT_LATER_VERDICT_DONE, "a first message proves nobody" },
	{ WT_LATER_M1, WT_LATER_NO_HANDSHAKE, "it has no handshake to go on with" },
	{ WT_LATER_M1, WT_LATER_HANDSHAKE_ELSEWHERE, "its handshake is not in the memory" },
	{ WT_LATER_M1, WT_LATER_NO_PEER, "it names no peer" },
	{ WT_LATER_M1, WT_LATER_PEER_TOO_BIG, "it names no peer" },
	{ WT_LATER_M1, WT_LATER_REPLY_TOO_LONG, "its reply is too long" },
	{ WT_LATER_M1, WT_LATER_INDEX_OTHER, "it has another index" },
	{ WT_LATER_M1, WT_LATER_INDEX_ZERO, "it has another index" },
	{ WT_LATER_M1, WT_LATER_REMOTE_ZERO, "cannot set up keys" },
	{ WT_LATER_M1, WT_LATER_REPEATED, "it repeats what was never said" },
	{ WT_LATER_M1, WT_LATER_NO_KEYS, "it is done without keys" }, /* at M3 */
	{ WT_LATER_M1, WT_LATER_KEYS_EQUAL, "cannot set up keys" },
	{ WT_LATER_M1, WT_LATER_PARAMS, "cannot set up keys" },
	{ WT_LATER_M1, WT_LATER_CLOCK, "its clock is 9223372036854775 s behind ours" },
	{ WT_LATER_M1, WT_LATER_REASON, "the auth plugin failed" },
	{ WT_LATER_M2, WT_LATER_VERDICT_99, "there is no such verdict" },
	{ WT_LATER_M2, WT_LATER_VERDICT_ANSWER, "an answer is only for first messages" },
	{ WT_LATER_M2, WT_LATER_NO_HANDSHAKE, "it has no handshake to go on with" },
	{ WT_LATER_M2, WT_LATER_HANDSHAKE_ELSEWHERE, "its handshake is not in the memory" },
	{ WT_LATER_M2, WT_LATER_HANDSHAKE_OTHER, "it goes on with another handshake" },
	{ WT_LATER_M2, WT_LATER_NO_PEER, "it names no peer" },
	{ WT_LATER_M2, WT_LATER_PEER_TOO_BIG, "it names no peer" },
	{ WT_LATER_M2, WT_LATER_REPLY_TOO_LONG, "its reply is too long" },
	{ WT_LATER_M2, WT_LATER_INDEX_OTHER, "it has another index" },
	{ WT_LATER_M2, WT_LATER_INDEX_ZERO, "it has another index" },
	{ WT_LATER_M2, WT_LATER_REMOTE_ZERO, "cannot set up keys" },
	{ WT_LATER_M2, WT_LATER_NO_KEYS, "it is done without keys" },
	{ WT_LATER_M2, WT_LATER_KEYS_EQUAL, "cannot set up keys" },
	{ WT_LATER_M2, WT_LATER_PARAMS, "cannot set up keys" },
	{ WT_LATER_M3, WT_LATER_VERDICT_99, "there is no such verdict" },
	{ WT_LATER_M3, WT_LATER_VERDICT_ANSWER, "an answer is only for first messages" },
	{ WT_LATER_M3, WT_LATER_NO_HANDSHAKE, "it has no handshake to go on with" },
	{ WT_LATER_M3, WT_LATER_HANDSHAKE_ELSEWHERE, "its handshake is not in the memory" },
	{ WT_LATER_M3, WT_LATER_HANDSHAKE_OTHER, "it goes on with another handshake" },
	{ WT_LATER_M3, WT_LATER_NO_PEER, "it names no peer" },
	{ WT_LATER_M3, WT_LATER_PEER_OTHER, "it names another peer than the connection's" },
	{ WT_LATER_M3, WT_LATER_PEER_TOO_BIG, "it names no peer" },
	{ WT_LATER_M3, WT_LATER_REPLY_TOO_LONG, "its reply is too long" },
	{ WT_LATER_M3, WT_LATER_INDEX_OTHER, "it has another index" },
};

static void try_broken(struct wt_world *w, const struct broken *b, enum wt_later_when when)
{
	wt_later = (struct wt_later){ .delay_ms = 50 };
	if (b->step < WT_LATER_STEPS)
		wt_later.when[b->step] = when;
	wt_later.fault[b->step] = b->fault;
	w->log[0] = '\0';
	wt_log_flush();
	wt_world_server(w, "");
	wt_world_alice(w);
	if (comes_up(w, 1500))
		fail_msg("step %d, fault %d: somebody was let in", b->step, b->fault);
	if (!wt_world_logged(w, b->log))
		fail_msg("step %d, fault %d: no \"%s\" in the log:\n%s", b->step, b->fault, b->log,
			 w->log);
	assert_recovers(w);
	/* The same at a rekey, of a session that was sound. */
	if (b->step < WT_LATER_STEPS)
		wt_later.when[b->step] = when;
	wt_later.fault[b->step] = b->fault;
	const struct wt_conn *conn = wt_world_peer(&w->server, 0)->active;

	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	wt_world_pass(w, 300);
	assert_ptr_not_equal(wt_world_peer(&w->server, 0)->active, conn);
	assert_recovers(w);
	assert_int_equal(wt_later.abandoned_nobodys, 0);
	wt_end_close(&w->alice);
	wt_end_close(&w->server);
}

static void who_breaks_the_contract_is_not_believed(void **state)
{
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
		try_broken(*state, &broken[i], WT_LATER_AT_ONCE);
}

/* What is the caller's in the output of a call; and a handshake that is to begin. */
static void nor_what_it_writes_over(void **state)
{
	static const char caller[] = "its reply is not in the buffer that it was given";
	static const struct broken more[] = {
		{ WT_LATER_M1, WT_LATER_SIZE, "it changed struct_size of its output" },
		{ WT_LATER_M1, WT_LATER_REPLY_OTHER, caller },
		{ WT_LATER_M1, WT_LATER_REPLY_NULL, caller },
		{ WT_LATER_M1, WT_LATER_CAPACITY, caller },
		{ WT_LATER_M2, WT_LATER_SIZE, "it changed struct_size of its output" },
		{ WT_LATER_M2, WT_LATER_REPLY_OTHER, caller },
		{ WT_LATER_M3, WT_LATER_SIZE, "it changed struct_size of its output" },
		{ WT_LATER_M3, WT_LATER_CAPACITY, caller },
		{ WT_LATER_START, WT_LATER_SIZE, "it changed struct_size of its output" },
		{ WT_LATER_START, WT_LATER_REPLY_OTHER, caller },
		{ WT_LATER_START, WT_LATER_REPLY_TOO_LONG, "its reply is too long" },
		{ WT_LATER_START, WT_LATER_REPLY_NONE, "it begins without a message" },
		{ WT_LATER_START, WT_LATER_VERDICT_99, "there is no such verdict" },
		{ WT_LATER_START, WT_LATER_VERDICT_PENDING, "there is no such verdict" },
		{ WT_LATER_START, WT_LATER_VERDICT_ANSWER, "an answer is only for first" },
		{ WT_LATER_START, WT_LATER_VERDICT_DONE, "a handshake that begins proves" },
		{ WT_LATER_START, WT_LATER_NO_HANDSHAKE, "it has no handshake to go on with" },
		{ WT_LATER_START, WT_LATER_HANDSHAKE_ELSEWHERE, "is not in the memory of" },
		{ WT_LATER_START, WT_LATER_NO_PEER, "it names no peer" },
		{ WT_LATER_START, WT_LATER_PEER_TOO_BIG, "it names no peer" },
		{ WT_LATER_START, WT_LATER_INDEX_OTHER, "it has another index" },
		{ WT_LATER_START, WT_LATER_REASON, "the auth plugin cannot begin" },
	};

	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
		try_broken(*state, &more[i], WT_LATER_AT_ONCE);
}

static void nor_later(void **state)
{
	static const struct broken more[] = {
		{ WT_LATER_M1, WT_LATER_VERDICT_PENDING, "there is no such verdict" },
		{ WT_LATER_M1, WT_LATER_OUT_NULL, "the auth plugin failed" },
		{ WT_LATER_M1, WT_LATER_OUT_SHORT, "it has no handshake to go on with" },
		{ WT_LATER_M2, WT_LATER_VERDICT_PENDING, "there is no such verdict" },
		{ WT_LATER_M2, WT_LATER_OUT_NULL, "the auth plugin failed" },
		{ WT_LATER_M1, WT_LATER_REPLY_NULL, "its reply is not in the buffer" },
		{ WT_LATER_M2, WT_LATER_REPLY_NULL, "its reply is not in the buffer" },
		{ WT_LATER_M2, WT_LATER_OUT_SHORT, "it has no handshake to go on with" },
		{ WT_LATER_M3, WT_LATER_OUT_NULL, "the auth plugin failed" },
	};

	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
		try_broken(*state, &broken[i], WT_LATER_SOON);
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
		try_broken(*state, &more[i], WT_LATER_SOON);
}

/* A plugin believes whom it likes; whose peer that is, the core knows. */
static void a_peer_of_another_section_is_not_let_in(void **state)
{
	static const char ini[] = "[tunnel]\ninterface = wt0\naddress = 10.8.0.1/24\n"
				  "[crypto]\nplugin = aesgcm-openssl\n"
				  "[transport memory]\nlisten = 127.0.0.1:%u\n"
				  "[auth hmac]\n[auth later]\n"
				  "[peer carol]\nauth = hmac\npsk_file = bob.psk\n"
				  "allowed_ips = 10.8.0.4/32\n"
				  "[peer alice]\nauth = later\npsk_file = alice.psk\n"
				  "allowed_ips = 10.8.0.2/32\n";
	struct wt_world *w = *state;

	wt_later.fault[WT_LATER_M1] = WT_LATER_PEER_OTHER;
	wt_end_open(&w->server, w->dir, "two", &w->clock.clock, ini, w->port);
	wt_world_alice(w);
	wt_world_pass(w, 3000);
	assert_true(wt_world_logged(w, "it names a peer of another auth section"));
	assert_null(wt_world_peer(&w->server, 0)->active);
	assert_null(wt_world_peer(&w->alice, 0)->active);
}

/* Both ends speak two methods, and this peer one of them. */
static void open_both_with_two(struct wt_world *w)
{
	static const char common[] = "[tunnel]\ninterface = wt0\naddress = 10.8.0.%u/24\n"
				     "[crypto]\nplugin = aesgcm-openssl\n"
				     "[auth hmac]\n[auth later]\n"
				     "[peer alice]\nauth = later\npsk_file = alice.psk\n"
				     "allowed_ips = 10.8.0.%u/32\n"
				     "%s[transport memory]\n%s";
	char endpoint[64], listen[64];

	snprintf(endpoint, sizeof endpoint, "endpoint = memory://127.0.0.1:%u\n", w->port);
	snprintf(listen, sizeof listen, "listen = 127.0.0.1:%u\n", w->port);
	wt_end_open(&w->server, w->dir, "two", &w->clock.clock, common, 1, 2, "", listen);
	wt_end_open(&w->alice, w->dir, "also-two", &w->clock.clock, common, 2, 1, endpoint, "");
}

/* The method is told in clear: who changes it on the way must not have one plugin
 * given the handshake of another. */
static void a_message_of_another_method_reaches_no_plugin(void **state)
{
	struct wt_world *w = *state;
	struct wt_end *ends[] = { &w->alice, &w->server };

	for (int to = 0; to < 2; to++) {
		struct wt_memory_link *link;
		/* Of auth-hmac, and too short for it. */
		uint8_t message[16] = "\0\0\0\14\1\1\1", said[16];

		wt_memory_net.hold = true;
		open_both_with_two(w);
		wt_world_settle(w);
		link = wt_memory_net.links;
		if (to == 1) {
			wt_memory_deliver(link, 1, SIZE_MAX);
			wt_world_settle(w);
		}
		/* What `to` said last has its index behind the header. */
		wt_memory_peek(link, !to, said, sizeof said);
		message[7] = to == 0 ? 2 : 3;
		memcpy(message + 8, said + 12, 4);
		wt_memory_inject(link, to, message, sizeof message);
		wt_memory_deliver(link, to, to == 0 ? SIZE_MAX : sizeof message);
		wt_world_settle(w);
		assert_int_equal(ends[to]->worker->refusals[WT_REASON_STEP], 1);
		assert_int_equal(ends[to]->worker->refusals[WT_REASON_LENGTH], 0);
		wt_memory_net.hold = false;
		assert_recovers(w);
		wt_end_close(&w->alice);
		wt_end_close(&w->server);
	}
}

/* ---- who may begin ------------------------------------------------------------------------ */

static void put_m1(uint8_t *m1, uint8_t peer)
{
	memset(m1, 0, 49);
	wt_store_be32(m1, 45);
	memcpy(m1 + 4, "\1\1\310\1\0\0\0\0\0\0\0\7", 12);
	m1[16] = peer;
}

/* A server that begins a handshake of its own, or sends ours back. */
static void a_dialled_connection_accepts_nobody(void **state)
{
	struct wt_world *w = *state;
	uint8_t m1[49];

	put_m1(m1, 1);
	wt_memory_net.hold = true;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_settle(w);
	wt_memory_inject(wt_memory_net.links, 0, m1, sizeof m1);
	wt_memory_net.hold = false;
	wt_memory_deliver(wt_memory_net.links, 0, SIZE_MAX);
	wt_world_settle(w);
	assert_int_equal(wt_later.asked[WT_LATER_M1], 0);
	assert_int_equal(w->alice.worker->refusals[WT_REASON_BOTH_DIAL], 1);
	assert_recovers(w);
}

int main(void)
{
#define AUTH_TEST(f) cmocka_unit_test_setup_teardown(f, setup, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		AUTH_TEST(a_verdict_may_come_later),
		AUTH_TEST(two_verdicts_count_once),
		AUTH_TEST(a_verdict_that_does_not_come_is_waited_for_a_while),
		AUTH_TEST(a_verdict_for_a_connection_that_is_gone_is_nothing),
		AUTH_TEST(a_verdict_that_is_too_late_leaves_the_session_alone),
		AUTH_TEST(no_second_message_while_it_thinks),
		AUTH_TEST(keys_may_come_with_the_last_message),
		AUTH_TEST(without_its_last_word_nobody_is_let_in),
		AUTH_TEST(who_breaks_the_contract_is_not_believed),
		AUTH_TEST(nor_what_it_writes_over),
		AUTH_TEST(nor_later),
		AUTH_TEST(a_peer_of_another_section_is_not_let_in),
		AUTH_TEST(a_message_of_another_method_reaches_no_plugin),
		AUTH_TEST(a_dialled_connection_accepts_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
