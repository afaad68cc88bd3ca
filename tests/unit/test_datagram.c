/* SPDX-License-Identifier: MIT
 *
 * Whole engines over a network of datagrams that the test owns: sessions that
 * come up and last whatever becomes of any one message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/index_table.h"
#include "support/packet_transport.h"
#include "support/world.h"

/* A handshake is M1, M2, M3 and the first record of the server: each of them. */
static const enum wt_packet_kind steps[] = { WT_PACKET_M1, WT_PACKET_M2, WT_PACKET_M3,
					     WT_PACKET_DATA };
#define STEPS (sizeof steps / sizeof steps[0])

/* What becomes of the first `count` messages of a kind; only the server's data. */
static struct {
	struct wt_world *w;
	enum wt_packet_kind kind;
	enum wt_fate fate;
	unsigned count, seen;
} plan;

static enum wt_fate by_plan(void *arg, struct wt_datagram *datagram)
{
	const struct wt_world *w = plan.w;

	(void)arg;
	if (wt_packet_kind(datagram) != plan.kind ||
	    (plan.kind == WT_PACKET_DATA && datagram->from != w->port) || plan.seen >= plan.count)
		return WT_FATE_ARRIVES;
	plan.seen++;
	return plan.fate;
}

static void set_plan(struct wt_world *w, enum wt_packet_kind kind, enum wt_fate fate,
		     unsigned count)
{
	plan.w = w;
	plan.kind = kind;
	plan.fate = fate;
	plan.count = count;
	plan.seen = 0;
	wt_packet_net.fate = by_plan;
}

static enum wt_fate all_lost(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	(void)datagram;
	return WT_FATE_LOST;
}

/* It ends without a word. */
static void crash(struct wt_end *end)
{
	enum wt_fate (*before)(void *, struct wt_datagram *) = wt_packet_net.fate;

	wt_packet_net.fate = all_lost;
	wt_end_close(end);
	*end = (struct wt_end){ .engine = NULL };
	wt_packet_net.fate = before;
}

static void up(struct wt_world *w)
{
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
}

/* Comes up within `ms`. */
static void up_within(struct wt_world *w, uint64_t ms)
{
	for (uint64_t t = 0; t < ms && !wt_world_alice_up(w); t += 100)
		wt_world_pass(w, 100);
	if (!wt_world_alice_up(w))
		fail_msg("not up after %u ms; the log:\n%s", (unsigned)ms, w->log);
}

static void carries_both_ways(struct wt_world *w)
{
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 1280);
}

static struct wt_conn *conn_of(struct wt_world *w, struct wt_end *end)
{
	struct wt_conn *conn = wt_world_peer(end, 0)->active;

	if (!conn)
		fail_msg("it has no session; the log:\n%s", w->log);
	return conn;
}

static uint32_t key_of(struct wt_world *w)
{
	return conn_of(w, &w->alice)->keys.current->local_index;
}

/* ---- the handshake ------------------------------------------------------------ */

static void comes_up_and_carries(void **state)
{
	struct wt_world *w = *state;

	up(w);
	/* Nothing was lost, so nothing was said twice: the handshake and its
	 * confirmation; and each end asked for two sizes of records. */
	assert_int_equal(wt_packet_net.sent, 4 + 8);
	assert_int_equal(conn_of(w, &w->alice)->keys.current->channel, WT_CHANNEL_DATAGRAM);
	carries_both_ways(w);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	wt_world_carries(w, &w->bob, &w->server, "10.8.0.3", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.3", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
	/* On one socket, told apart by the index. */
	assert_ptr_equal(wt_world_peer(&w->server, 0)->active->link,
			 wt_world_peer(&w->server, 1)->active->link);
	assert_int_equal(w->server.worker->drops[WT_DROP_INDEX], 0);
}

/* Up to four in a row of any one of its messages. */
static void any_message_may_be_lost(void **state)
{
	struct wt_world *w = *state;

	for (unsigned count = 1; count <= 4; count++)
		for (size_t i = 0; i < STEPS; i++) {
			set_plan(w, steps[i], WT_FATE_LOST, count);
			wt_world_server(w, "");
			wt_world_alice(w);
			up_within(w, 10000);
			assert_int_equal(plan.seen, count);
			carries_both_ways(w);
			assert_int_equal(w->alice.worker->refusals[WT_REASON_INTERNAL], 0);
			crash(&w->alice);
			crash(&w->server);
		}
}

static void any_message_may_come_twice(void **state)
{
	struct wt_world *w = *state;

	for (size_t i = 0; i < STEPS; i++) {
		set_plan(w, steps[i], WT_FATE_TWICE, 1000);
		wt_world_server(w, "");
		wt_world_alice(w);
		up_within(w, 1000);
		assert_true(plan.seen > 0);
		carries_both_ways(w);
		assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 1);
		crash(&w->alice);
		crash(&w->server);
	}
}

/* All that is on its way at a moment arrives in the reverse order, later. */
static enum wt_fate all_later(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	(void)datagram;
	return WT_FATE_LATER;
}

static void order_does_not_matter(void **state)
{
	struct wt_world *w = *state;

	for (uint64_t delay = 100; delay <= 1600; delay *= 2) {
		wt_packet_net.fate = all_later;
		wt_world_server(w, "");
		wt_world_alice(w);
		for (int i = 0; i < 100 && !wt_world_alice_up(w); i++) {
			wt_world_pass(w, delay);
			wt_packets_release_all(true);
			wt_world_settle(w);
		}
		wt_packet_net.fate = NULL;
		assert_true(wt_world_alice_up(w));
		wt_packets_release_all(true);
		wt_world_settle(w);
		carries_both_ways(w);
		crash(&w->alice);
		crash(&w->server);
	}
}

/* The same every time: a generator of our own. */
static uint64_t dice;

static enum wt_fate by_dice(void *arg, struct wt_datagram *datagram)
{
	const unsigned *percent = arg;

	(void)datagram;
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (dice >> 11) % 100 < *percent ? WT_FATE_LOST
	       : (dice >> 33) % 10 == 0	     ? WT_FATE_TWICE
					     : WT_FATE_ARRIVES;
}

static void comes_up_through_loss(struct wt_world *w, unsigned percent, uint64_t within_ms)
{
	for (unsigned seed = 1; seed <= 12; seed++) {
		dice = seed * 0x9e3779b97f4a7c15u;
		wt_packet_net.fate = by_dice;
		wt_packet_net.arg = &percent;
		wt_world_server(w, "");
		wt_world_alice(w);
		up_within(w, within_ms);
		wt_packet_net.fate = NULL;
		carries_both_ways(w);
		crash(&w->alice);
		crash(&w->server);
	}
}

static void a_tenth_of_all_may_be_lost(void **state)
{
	comes_up_through_loss(*state, 10, 10000);
}

static void half_of_all_may_be_lost(void **state)
{
	comes_up_through_loss(*state, 50, 60000);
}

/* An end dies at the moment when it would send a message, or the other does. */
static void an_end_may_die_between_any_two_messages(void **state)
{
	struct wt_world *w = *state;

	for (size_t i = 0; i < STEPS; i++)
		for (int which = 0; which < 2; which++) {
			struct wt_end *end = which == 0 ? &w->alice : &w->server;

			set_plan(w, steps[i], WT_FATE_LOST, 1000);
			wt_world_server(w, "");
			wt_world_alice(w);
			for (int t = 0; t < 20 && plan.seen == 0; t++)
				wt_world_pass(w, 100);
			assert_true(plan.seen > 0);
			crash(end);
			plan.count = 0;
			if (which == 0)
				wt_world_alice(w);
			else
				wt_world_server(w, "");
			up_within(w, 12000);
			carries_both_ways(w);
			crash(&w->alice);
			crash(&w->server);
		}
}

static void the_same_first_message_is_repeated(void **state)
{
	struct wt_world *w = *state;

	wt_packet_net.fate = all_later;
	wt_world_alice(w);
	wt_world_pass(w, 2500);
	/* At 0, 0.2, 0.7 and 1.7 s, less or more a fifth of each wait. */
	assert_int_equal(wt_packet_net.later_count, 4);
	for (struct wt_datagram *d = wt_packet_net.later; d; d = d->next) {
		assert_int_equal(d->len, wt_packet_net.later->len);
		assert_memory_equal(d->bytes, wt_packet_net.later->bytes, d->len);
	}
	/* Then another takes its place, and every one is new. */
	wt_world_pass(w, 30000);
	assert_in_range(wt_packet_net.later_count, 10, 40);
	size_t at = 0;

	for (struct wt_datagram *d = wt_packet_net.later; d->next; d = d->next)
		if (++at >= 4)
			assert_memory_not_equal(d->bytes, d->next->bytes, d->len);
	assert_true(wt_world_logged(w, "no answer from packets://127.0.0.1"));
	assert_true(wt_world_logged(w, "datagrams do not tell"));
}

/* ---- rekeys -------------------------------------------------------------------- */

static void a_rekey_may_lose_any_message(void **state)
{
	struct wt_world *w = *state;

	up(w);
	const struct wt_conn *there = conn_of(w, &w->server);

	for (unsigned count = 1; count <= 3; count++)
		for (size_t i = 0; i < STEPS; i++) {
			uint32_t before = key_of(w);

			set_plan(w, steps[i], WT_FATE_LOST, count);
			for (int t = 0; t < 1400 && key_of(w) == before; t++) {
				wt_world_pass(w, 100);
				if (t % 50 == 0 && plan.kind != WT_PACKET_DATA)
					carries_both_ways(w);
			}
			assert_int_not_equal(key_of(w), before);
			wt_packet_net.fate = NULL;
			wt_world_pass(w, 1000);
			carries_both_ways(w);
			/* It is the association that there was. */
			assert_ptr_equal(conn_of(w, &w->server), there);
			assert_null(there->keys.next);
			/* Old indices leave the table with their keys. */
			assert_true(w->server.worker->indices->count <= 2);
		}
}

static void previous_keys_receive_for_15_s(void **state)
{
	struct wt_world *w = *state;
	uint8_t packet[100], got[100];
	uint32_t before;

	up(w);
	before = key_of(w);
	/* Two records that take their time. */
	wt_packet_net.fate = all_later;
	wt_packet_make(packet, sizeof packet, "10.8.0.2", "10.8.0.1", 1);
	wt_end_inject(&w->alice, packet, sizeof packet);
	wt_end_inject(&w->alice, packet, sizeof packet);
	wt_world_settle(w);
	assert_int_equal(wt_packet_net.later_count, 2);
	wt_packet_net.fate = NULL;
	for (int t = 0; t < 1250 && key_of(w) == before; t++)
		wt_world_pass(w, 100);
	assert_int_not_equal(key_of(w), before);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_pass(w, 14000);
	wt_packets_release(true);
	wt_world_settle(w);
	assert_int_equal(wt_end_take(&w->server, got, sizeof got), sizeof packet);
	assert_non_null(conn_of(w, &w->server)->keys.previous);
	wt_world_pass(w, 1500);
	assert_null(conn_of(w, &w->server)->keys.previous);
	uint64_t unknown = w->server.worker->drops[WT_DROP_INDEX];

	wt_packets_release(true);
	wt_world_settle(w);
	assert_int_equal(wt_end_take(&w->server, got, sizeof got), 0);
	assert_int_equal(w->server.worker->drops[WT_DROP_INDEX], unknown + 1);
	carries_both_ways(w);
}

/* Traffic goes on under the old keys while a rekey gets no answer, until they are
 * 180 s old; then the end is told, and the dialler dials. */
static enum wt_fate no_first_messages(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	return wt_packet_kind(datagram) == WT_PACKET_M1 ? WT_FATE_LOST : WT_FATE_ARRIVES;
}

static void a_rekey_without_an_answer_ends(void **state)
{
	struct wt_world *w = *state;

	up(w);
	wt_packet_net.fate = no_first_messages;
	wt_world_pass(w, 160000);
	assert_true(wt_world_alice_up(w));
	carries_both_ways(w);
	wt_world_pass(w, 25000);
	assert_false(wt_peer_is_up(wt_world_peer(&w->alice, 0)));
	assert_true(wt_world_logged(w, "a rekey got no answer"));
	wt_packet_net.fate = NULL;
	up_within(w, 10000);
	carries_both_ways(w);
}

/* ---- the end of the other end --------------------------------------------------- */

static void a_dead_peer_is_looked_for(void **state)
{
	struct wt_world *w = *state;
	uint8_t packet[100];

	up(w);
	crash(&w->server);
	wt_packet_make(packet, sizeof packet, "10.8.0.2", "10.8.0.1", 1);
	wt_end_inject(&w->alice, packet, sizeof packet);
	uint64_t asked = wt_packet_net.sent_kind[WT_PACKET_M1];

	wt_world_pass(w, 4800);
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_M1], asked);
	wt_world_pass(w, 400);
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_M1], asked + 1);
	/* It is back, and was never told of the session. */
	wt_world_server(w, "");
	wt_world_pass(w, 5000);
	assert_true(wt_world_alice_up(w));
	carries_both_ways(w);
}

static void a_peer_that_stays_dead_is_dialled_anew(void **state)
{
	struct wt_world *w = *state;
	uint8_t packet[100];

	up(w);
	crash(&w->server);
	wt_packet_make(packet, sizeof packet, "10.8.0.2", "10.8.0.1", 1);
	wt_end_inject(&w->alice, packet, sizeof packet);
	wt_world_pass(w, 19000);
	assert_true(wt_peer_is_up(wt_world_peer(&w->alice, 0)));
	wt_world_pass(w, 2000);
	assert_false(wt_peer_is_up(wt_world_peer(&w->alice, 0)));
	assert_int_equal(wt_packet_net.socket_count, 1);
	wt_world_server(w, "");
	up_within(w, 10000);
	carries_both_ways(w);
}

/* Which of the CLOSE's copies arrive. */
static enum wt_fate only_the_third(void *arg, struct wt_datagram *datagram)
{
	unsigned *count = arg;

	(void)datagram;
	return ++*count == 3 ? WT_FATE_ARRIVES : WT_FATE_LOST;
}

static void close_is_said_three_times(void **state)
{
	struct wt_world *w = *state;
	unsigned count = 0;

	up(w);
	wt_packet_net.fate = only_the_third;
	wt_packet_net.arg = &count;
	wt_engine_stop(w->server.engine);
	assert_int_equal(count, 3);
	wt_packet_net.fate = NULL;
	wt_world_settle(w);
	assert_false(wt_peer_is_up(wt_world_peer(&w->alice, 0)));
	assert_true(wt_world_logged(w, "the other end closed it: shutdown"));
}

static void a_restarted_dialler_takes_its_place(void **state)
{
	struct wt_world *w = *state;

	up(w);
	const struct wt_conn *before = conn_of(w, &w->server);

	crash(&w->alice);
	wt_world_alice(w);
	up_within(w, 1000);
	wt_world_until(w, wt_world_alice_up);
	/* Another process: another association, and the old one drains. */
	assert_ptr_not_equal(conn_of(w, &w->server), before);
	assert_ptr_equal(wt_world_peer(&w->server, 0)->draining, before);
	carries_both_ways(w);
	uint64_t sent = wt_packet_net.nowhere;

	wt_world_pass(w, 15500);
	assert_null(wt_world_peer(&w->server, 0)->draining);
	/* CLOSE(replaced), three times, to where nobody is. */
	assert_int_equal(wt_packet_net.nowhere, sent + 3);
	carries_both_ways(w);
}

/* Two machines with one key: the first is told, and waits a minute. */
static void a_cloned_key_does_not_flap(void **state)
{
	struct wt_world *w = *state;

	up(w);
	wt_world_client(w, &w->bob, &(struct wt_client){ .host = 2, .key = "alice" });
	for (int t = 0; t < 20 && !wt_peer_is_up(wt_world_peer(&w->bob, 0)); t++)
		wt_world_pass(w, 100);
	assert_true(wt_peer_is_up(wt_world_peer(&w->bob, 0)));
	/* The first notices that nothing comes, and asks: that is answered. */
	uint8_t packet[100];

	wt_packet_make(packet, sizeof packet, "10.8.0.2", "10.8.0.1", 1);
	wt_end_inject(&w->alice, packet, sizeof packet);
	wt_world_pass(w, 7000);
	assert_false(wt_peer_is_up(wt_world_peer(&w->alice, 0)));
	assert_true(wt_world_logged(w, "another dialler with the same key took our place"));
	wt_world_pass(w, 50000);
	assert_true(wt_peer_is_up(wt_world_peer(&w->bob, 0)));
	assert_false(wt_peer_is_up(wt_world_peer(&w->alice, 0)));
}

/* ---- small things ---------------------------------------------------------------- */

static void a_dialler_keeps_its_way_open(void **state)
{
	struct wt_world *w = *state;

	up(w);
	uint64_t sent = wt_packet_net.sent_kind[WT_PACKET_DATA];

	wt_world_pass(w, 24500);
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_DATA], sent);
	wt_world_pass(w, 1000);
	/* PING and PONG. */
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_DATA], sent + 2);
	wt_world_pass(w, 25000);
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_DATA], sent + 4);
}

static void keepalive_can_be_off(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_client(
		w, &w->alice,
		&(struct wt_client){ .host = 2, .key = "alice", .peer = "keepalive = 0\n" });
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
	uint64_t sent = wt_packet_net.sent_kind[WT_PACKET_DATA];

	wt_world_pass(w, 100000);
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_DATA], sent);
}

static void what_the_path_takes_bounds_packets(void **state)
{
	struct wt_world *w = *state;
	struct wt_conn *conn;

	up(w);
	conn = conn_of(w, &w->alice);
	wt_conn_path_takes(conn, 1000);
	assert_int_equal(conn->limits.record_max, 1000);
	assert_int_equal(conn->limits.inner_mtu, 967);
	wt_conn_path_takes(conn, 5000);
	assert_int_equal(conn->limits.record_max, 5000);
	assert_int_equal(conn->limits.inner_mtu, 1500);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, wt_world_setup_packets, wt_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(comes_up_and_carries),
		WORLD(any_message_may_be_lost),
		WORLD(any_message_may_come_twice),
		WORLD(order_does_not_matter),
		WORLD(a_tenth_of_all_may_be_lost),
		WORLD(half_of_all_may_be_lost),
		WORLD(an_end_may_die_between_any_two_messages),
		WORLD(the_same_first_message_is_repeated),
		WORLD(a_rekey_may_lose_any_message),
		WORLD(previous_keys_receive_for_15_s),
		WORLD(a_rekey_without_an_answer_ends),
		WORLD(a_dead_peer_is_looked_for),
		WORLD(a_peer_that_stays_dead_is_dialled_anew),
		WORLD(close_is_said_three_times),
		WORLD(a_restarted_dialler_takes_its_place),
		WORLD(a_cloned_key_does_not_flap),
		WORLD(a_dialler_keeps_its_way_open),
		WORLD(keepalive_can_be_off),
		WORLD(what_the_path_takes_bounds_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
