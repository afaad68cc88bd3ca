/* SPDX-License-Identifier: MIT
 *
 * Whole engines over a network of datagrams in which somebody else sends too:
 * nothing that is not authentic changes anything, and nobody gets more than he
 * sent.
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
#include "base/secret.h"
#include "session/index_table.h"
#include "support/packet_transport.h"
#include "support/world.h"

#define STRANGER 40000u /* a port that nobody has */
#define TAKEN_MAX 64u

/* Copies of what was sent. */
static struct {
	uint16_t from, to;
	uint32_t len;
	enum wt_packet_kind kind;
	uint8_t bytes[1600];
} taken[TAKEN_MAX];
static size_t taken_count;
/* What went where nobody is: to the stranger's port. */
static uint64_t to_stranger, bytes_to_stranger;

static enum wt_fate watched(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	if (datagram->to == STRANGER) {
		to_stranger++;
		bytes_to_stranger += datagram->len;
	}
	if (taken_count < TAKEN_MAX && datagram->len <= sizeof taken[0].bytes) {
		taken[taken_count].from = datagram->from;
		taken[taken_count].to = datagram->to;
		taken[taken_count].len = datagram->len;
		taken[taken_count].kind = wt_packet_kind(datagram);
		memcpy(taken[taken_count++].bytes, datagram->bytes, datagram->len);
	}
	return WT_FATE_ARRIVES;
}

static void up(struct wt_world *w)
{
	taken_count = to_stranger = bytes_to_stranger = 0;
	wt_packet_net.fate = watched;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
}

static size_t find(enum wt_packet_kind kind)
{
	for (size_t i = 0; i < taken_count; i++)
		if (taken[i].kind == kind)
			return i;
	fail_msg("no such message was sent");
	return 0;
}

static struct wt_conn *conn_of(struct wt_end *end)
{
	struct wt_conn *conn = wt_world_peer(end, 0)->active;

	assert_non_null(conn);
	return conn;
}

static void carries_both_ways(struct wt_world *w)
{
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
}

/* ---- what an end knows; it must stay ------------------------------------------- */

struct knowledge {
	const struct wt_conn *conn;
	uint32_t current, next, previous;
	uint64_t opened, top, drops, refusals;
	uint64_t rekey_ms, ask_ms, drain_ms, previous_ms;
	const void *own;
	size_t conns, indices, secrets;
	struct wt_path path;
};

static struct knowledge knowledge_of(struct wt_end *end)
{
	const struct wt_peer *peer = wt_world_peer(end, 0);
	struct knowledge k = { .conn = peer->active, .indices = end->worker->indices->count };

	for (const struct wt_link *l = end->worker->links; l; l = l->next)
		for (const struct wt_conn *c = l->conns; c; c = c->next)
			k.conns++;
	if (k.conn) {
		k.current = k.conn->keys.current->local_index;
		k.next = k.conn->keys.next ? k.conn->keys.next->local_index : 0;
		k.previous = k.conn->keys.previous ? k.conn->keys.previous->local_index : 0;
		k.opened = k.conn->keys.current->opened;
		k.top = k.conn->keys.current->window.top;
		k.path = k.conn->path;
		k.own = k.conn->own.auth;
		k.rekey_ms = k.conn->rekey_ms;
		k.ask_ms = k.conn->ask_ms;
		k.drain_ms = k.conn->drain_ms;
		k.previous_ms = k.conn->previous_ms;
	}
	k.secrets = wt_secret_in_use();
	for (size_t i = 1; i < WT_DROP_COUNT; i++)
		k.drops += end->worker->drops[i];
	for (size_t i = 0; i < WT_REASON_COUNT; i++)
		k.refusals += end->worker->refusals[i];
	return k;
}

/* Nothing changed but the counters, which say `count` more. */
static void knows_the_same(struct wt_end *end, const struct knowledge *before, uint64_t count)
{
	struct knowledge now = knowledge_of(end);

	assert_int_equal(now.drops + now.refusals, before->drops + before->refusals + count);
	now.drops = before->drops;
	now.refusals = before->refusals;
	assert_memory_equal(&now, before, sizeof now);
}

/* ---- noise ----------------------------------------------------------------------- */

static uint64_t dice = 0x2545f4914f6cdd1du;

static void noise(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		dice ^= dice << 13;
		dice ^= dice >> 7;
		dice ^= dice << 17;
		out[i] = (uint8_t)(dice >> 24);
	}
}

/* Half of them with a header that could be right. */
static void ten_thousand_random_datagrams(void **state)
{
	struct wt_world *w = *state;
	uint8_t bytes[1600];

	up(w);
	struct knowledge server = knowledge_of(&w->server), alice = knowledge_of(&w->alice);
	uint16_t port = wt_packets_last_port();
	uint64_t sent = wt_packet_net.sent;

	for (unsigned i = 0; i < 10000; i++) {
		size_t len;

		noise(bytes, sizeof bytes);
		len = ((size_t)bytes[0] << 8 | bytes[1]) % sizeof bytes;
		if (i % 2 && len >= WT_MESSAGE_HEADER) {
			bytes[0] = (uint8_t)(1 + i / 2 % 2);
			bytes[1] = 1;
			bytes[2] = bytes[0] == 1;
			bytes[3] = bytes[0] == 1 ? (uint8_t)(i % 5) : 0;
			if (i % 4 == 3)
				memset(bytes + 4, 0, 4);
		}
		wt_packets_inject((uint16_t)(STRANGER + i % 100), w->port, bytes, len);
		/* Its remote's address can be forged. */
		wt_packets_inject(w->port, port, bytes, len);
		if (i % 50 == 0)
			wt_world_settle(w);
	}
	wt_world_settle(w);
	wt_world_settle(w);
	wt_world_settle(w);
	knows_the_same(&w->server, &server, 10000);
	knows_the_same(&w->alice, &alice, 10000);
	assert_int_equal(wt_packet_net.sent, sent);
	carries_both_ways(w);
}

/* Every index but 0 that is not ours: silence. */
static void every_length_is_silence(void **state)
{
	struct wt_world *w = *state;
	static uint8_t bytes[WT_PACKET_MAX_DATAGRAM];

	up(w);
	struct knowledge server = knowledge_of(&w->server);
	unsigned count = 0;

	for (uint32_t len = 0; len <= 600; len++)
		for (uint8_t type = 0; type <= 3; type++) {
			memset(bytes, 0, sizeof bytes);
			bytes[0] = type;
			bytes[1] = 1;
			bytes[2] = type == 1;
			bytes[3] = type == 1;
			wt_packets_inject(STRANGER, w->port, bytes, len);
			if (++count % 100 == 0)
				wt_world_settle(w);
		}
	for (uint32_t len = 1500; len <= sizeof bytes; len += len < 9000 ? 7500 : 56507) {
		wt_packets_inject(STRANGER, w->port, bytes, len);
		count++;
	}
	wt_world_settle(w);
	wt_world_settle(w);
	knows_the_same(&w->server, &server, count);
	assert_int_equal(to_stranger, 0);
	carries_both_ways(w);
}

/* ---- old messages ---------------------------------------------------------------- */

/* Each message of a handshake that is over, from where it came and from
 * elsewhere, at once and after a rekey. */
static void copies_of_old_messages_do_nothing(void **state)
{
	struct wt_world *w = *state;

	up(w);
	uint16_t port = wt_packets_last_port();
	size_t first = taken_count;

	for (int round = 0; round < 2; round++) {
		struct knowledge server = knowledge_of(&w->server), alice = knowledge_of(&w->alice);
		uint64_t at_server = 0, at_alice = 0, sent = wt_packet_net.sent;

		for (size_t i = 0; i < first; i++) {
			if (taken[i].to == w->port) {
				wt_packets_inject(STRANGER, w->port, taken[i].bytes, taken[i].len);
				wt_packets_inject(port, w->port, taken[i].bytes, taken[i].len);
				at_server += 2;
			} else {
				wt_packets_inject(w->port, port, taken[i].bytes, taken[i].len);
				at_alice++;
			}
			/* And back to its author. */
			wt_packets_inject(w->port, port, taken[find(WT_PACKET_M1)].bytes, 192);
			at_alice++;
		}
		wt_world_settle(w);
		/* In the first round M3 is this handshake's own: the server says, at
		 * most once a second, that it came. */
		if (round == 1) {
			knows_the_same(&w->server, &server, at_server);
			assert_int_equal(wt_packet_net.sent, sent);
		}
		knows_the_same(&w->alice, &alice, at_alice);
		assert_true(wt_world_logged(w, "both ends dial, or our own message came back"));
		carries_both_ways(w);
		wt_world_pass(w, 140000);
		carries_both_ways(w);
	}
}

/* The server's first record may be lost: who says M3 again is told that it came, but
 * not as often as anybody likes to copy it. */
static void that_the_proof_came_is_said_once_a_second(void **state)
{
	struct wt_world *w = *state;

	up(w);
	const uint16_t port = wt_packets_last_port();
	const size_t m3 = find(WT_PACKET_M3);

	for (int second = 0; second < 3; second++) {
		wt_world_pass(w, 1000);
		for (int copy = 0; copy < 3; copy++) {
			const uint64_t sent = wt_packet_net.sent;

			wt_packets_inject(port, w->port, taken[m3].bytes, taken[m3].len);
			wt_world_settle(w);
			assert_int_equal(wt_packet_net.sent, sent + (copy == 0));
		}
	}
	carries_both_ways(w);
}

/* A copy of M1 from another address after the server has forgotten all: it gets
 * less than it brought, and makes nothing. */
static void an_old_first_message_gets_less_than_it_brought(void **state)
{
	struct wt_world *w = *state;

	up(w);
	size_t m1 = find(WT_PACKET_M1);

	wt_packet_net.fate = NULL;
	wt_end_close(&w->alice);
	wt_end_close(&w->server);
	w->alice = w->server = (struct wt_end){ .engine = NULL };
	wt_packet_net.fate = watched;
	wt_world_pass(w, 61000);
	wt_world_server(w, "");
	struct knowledge server = knowledge_of(&w->server);

	for (int i = 0; i < 100; i++) {
		wt_packets_inject(STRANGER, w->port, taken[m1].bytes, taken[m1].len);
		wt_world_pass(w, 100);
	}
	knows_the_same(&w->server, &server, 100);
	assert_int_equal(to_stranger, 100);
	assert_int_equal(bytes_to_stranger, 100 * 80);
	/* Where the link stands, the answer is left out. */
	wt_packet_net.full = true;
	for (int i = 0; i < 100; i++)
		wt_packets_inject(STRANGER, w->port, taken[m1].bytes, taken[m1].len);
	wt_world_settle(w);
	assert_true(w->server.worker->slots.count - w->server.worker->slots.free_count <= 1);
	wt_packets_drain();
	wt_world_settle(w);
	assert_int_equal(w->server.worker->slots.count, w->server.worker->slots.free_count);
	assert_true(to_stranger <= 102);
}

/* A fresh M1 that comes from where the attacker wants, first: the answer goes
 * there, once in a second at most, and is shorter. */
static enum wt_fate first_messages_wait(void *arg, struct wt_datagram *datagram)
{
	if (wt_packet_kind(datagram) == WT_PACKET_M1) {
		(void)watched(arg, datagram);
		return WT_FATE_LOST;
	}
	return watched(arg, datagram);
}

static void a_stolen_first_message_gets_less_than_it_brought(void **state)
{
	struct wt_world *w = *state;
	uint64_t brought = 0;

	taken_count = to_stranger = bytes_to_stranger = 0;
	wt_packet_net.fate = first_messages_wait;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_settle(w);
	size_t m1 = find(WT_PACKET_M1);

	for (int i = 0; i < 300; i++) {
		wt_packets_inject(STRANGER, w->port, taken[m1].bytes, taken[m1].len);
		brought += taken[m1].len;
		wt_world_pass(w, 10);
	}
	assert_in_range(to_stranger, 3, 4);
	assert_true(bytes_to_stranger < brought);
	/* It came to nothing, and the true one is not kept from it. */
	assert_false(wt_peer_is_up(wt_world_peer(&w->server, 0)));
	wt_packet_net.fate = watched;
	for (int i = 0; i < 100 && !wt_world_alice_up(w); i++)
		wt_world_pass(w, 100);
	assert_true(wt_world_alice_up(w));
	carries_both_ways(w);
	/* What waited for proof is gone. */
	wt_world_pass(w, 21000);
	assert_int_equal(knowledge_of(&w->server).conns, 1);
	assert_int_equal(w->server.worker->indices->count, 1);
}

/* A copy of M1 comes first, from elsewhere, and then the true one, repeated until
 * it is answered. The answer stays where it went: who got it at a second address
 * could prove himself, and all that follows would go to the first, which never
 * asked for it. */
static enum wt_fate first_message_is_stolen(void *arg, struct wt_datagram *datagram)
{
	const bool first = wt_packet_kind(datagram) == WT_PACKET_M1 && taken_count == 0;
	const enum wt_fate fate = watched(arg, datagram);

	return first ? WT_FATE_LOST : fate;
}

static void a_stolen_first_message_moves_nobody(void **state)
{
	struct wt_world *w = *state;

	taken_count = to_stranger = bytes_to_stranger = 0;
	wt_packet_net.fate = first_message_is_stolen;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_settle(w);
	wt_packets_inject(STRANGER, w->port, taken[0].bytes, taken[0].len);
	wt_world_settle(w);
	assert_int_equal(to_stranger, 1);
	/* The last of the repeats is more than a second later. */
	wt_world_pass(w, 2500);
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_M1], 4);
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_M2], 1);
	assert_false(wt_peer_is_up(wt_world_peer(&w->server, 0)));
	assert_int_equal(w->server.worker->refusals[WT_REASON_REPLAY], 3);
	/* Another is hers alone. */
	for (int i = 0; i < 50 && !wt_world_alice_up(w); i++)
		wt_world_pass(w, 100);
	assert_true(wt_world_alice_up(w));
	carries_both_ways(w);
	assert_int_equal(to_stranger, 1);
	assert_true(bytes_to_stranger < taken[0].len);
}

static bool answer_lost;

static enum wt_fate first_answer_is_lost(void *arg, struct wt_datagram *datagram)
{
	const enum wt_fate fate = watched(arg, datagram);

	if (wt_packet_kind(datagram) != WT_PACKET_M2 || answer_lost)
		return fate;
	answer_lost = true;
	return WT_FATE_LOST;
}

/* M2 was lost and is asked for again, while somebody sends copies of that M1: they do
 * not count as asking. */
static void copies_from_elsewhere_delay_nobody(void **state)
{
	struct wt_world *w = *state;

	taken_count = to_stranger = bytes_to_stranger = 0;
	answer_lost = false;
	wt_packet_net.fate = first_answer_is_lost;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_settle(w);
	for (int i = 0; i < 220 && !wt_world_alice_up(w); i++) {
		wt_packets_inject(STRANGER, w->port, taken[0].bytes, taken[0].len);
		wt_world_pass(w, 10);
	}
	assert_int_equal(taken[0].kind, WT_PACKET_M1);
	assert_true(answer_lost);
	/* By the fourth of the same M1. */
	assert_true(wt_world_alice_up(w));
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_M2], 2);
	assert_int_equal(to_stranger, 0);
}

/* One M1 at two sockets of the server, and from two addresses: one M2. */
static void a_first_message_is_answered_by_one_socket(void **state)
{
	struct wt_world *w = *state;

	taken_count = to_stranger = bytes_to_stranger = 0;
	w->second_port = (uint16_t)(w->port + 1);
	wt_packet_net.fate = first_messages_wait;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_settle(w);
	size_t m1 = find(WT_PACKET_M1);

	for (int i = 0; i < 10; i++) {
		wt_packets_inject(STRANGER, i % 2 ? w->port : w->second_port, taken[m1].bytes,
				  taken[m1].len);
		wt_packets_inject(taken[m1].from, i % 2 ? w->second_port : w->port, taken[m1].bytes,
				  taken[m1].len);
	}
	wt_world_settle(w);
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_M2], 1);
	assert_int_equal(w->server.worker->refusals[WT_REASON_RATE], 9);
	assert_int_equal(w->server.worker->refusals[WT_REASON_REPLAY], 10);
	assert_int_equal(knowledge_of(&w->server).conns, 1);
	assert_int_equal(w->server.worker->indices->count, 1);
	wt_packet_net.fate = watched;
	for (int i = 0; i < 100 && !wt_world_alice_up(w); i++)
		wt_world_pass(w, 100);
	carries_both_ways(w);
}

/* The author's own address, but another socket of the server than the one that
 * answered: the method knows of no sockets, and who proves himself would be taken to
 * be at the first. */
static void an_answer_is_repeated_by_the_socket_that_gave_it(void **state)
{
	struct wt_world *w = *state;

	taken_count = to_stranger = bytes_to_stranger = 0;
	w->second_port = (uint16_t)(w->port + 1);
	wt_packet_net.fate = first_messages_wait;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_settle(w);
	size_t m1 = find(WT_PACKET_M1);

	wt_packets_inject(STRANGER, w->port, taken[m1].bytes, taken[m1].len);
	wt_world_pass(w, 1100);
	wt_packets_inject(STRANGER, w->second_port, taken[m1].bytes, taken[m1].len);
	wt_world_settle(w);
	assert_int_equal(to_stranger, 1);
	assert_int_equal(w->server.worker->refusals[WT_REASON_REPLAY], 1);
	wt_world_pass(w, 1100);
	wt_packets_inject(STRANGER, w->port, taken[m1].bytes, taken[m1].len);
	wt_world_settle(w);
	assert_int_equal(to_stranger, 2);
}

/* ---- the way for strangers ------------------------------------------------------- */

/* A server that has forgotten all, and alice, whose last first message is old. */
static size_t up_again(struct wt_world *w)
{
	up(w);
	wt_packet_net.fate = NULL;
	wt_end_close(&w->alice);
	wt_end_close(&w->server);
	w->alice = w->server = (struct wt_end){ .engine = NULL };
	wt_packet_net.fate = watched;
	wt_world_pass(w, 61000);
	wt_packet_net.apart = true;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	return find(WT_PACKET_M1);
}

static void strangers_are_answered_apart(void **state)
{
	struct wt_world *w = *state;
	size_t m1 = up_again(w);

	/* A peer's handshake is not a stranger's. */
	assert_int_equal(wt_packet_net.answered, 0);
	for (int i = 0; i < 10; i++) {
		wt_packets_inject(STRANGER, w->port, taken[m1].bytes, taken[m1].len);
		wt_world_settle(w);
	}
	assert_int_equal(to_stranger, 10);
	assert_int_equal(wt_packet_net.answered, 10);
	/* No room there: no answer, and none by the way of peers. */
	wt_packet_net.apart_full = true;
	for (int i = 0; i < 10; i++)
		wt_packets_inject(STRANGER, w->port, taken[m1].bytes, taken[m1].len);
	wt_world_settle(w);
	assert_int_equal(to_stranger, 10);
	carries_both_ways(w);
}

/* The way of peers stands: whoever is new need not wait for it. */
static void a_full_link_keeps_nobody_out(void **state)
{
	struct wt_world *w = *state;
	uint8_t waited[100];

	(void)up_again(w);
	wt_packet_net.full_at = w->port;
	wt_world_loses(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2");
	wt_packet_net.sent_kind[WT_PACKET_M2] = 0;
	wt_world_bob(w);
	wt_world_settle(w);
	assert_int_equal(wt_packet_net.sent_kind[WT_PACKET_M2], 1);
	assert_int_equal(wt_packet_net.answered, 1);
	wt_packets_drain();
	wt_world_until(w, wt_world_all_up);
	assert_int_equal(wt_end_take(&w->alice, waited, sizeof waited), sizeof waited);
	carries_both_ways(w);
}

/* ---- every message in every state -------------------------------------------------- */

/* Those of another peer, and of a run of this one that is over. */
static size_t old_count;

static enum wt_fate all_later(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	(void)datagram;
	return WT_FATE_LATER;
}

static uint64_t inject_all_old(struct wt_world *w)
{
	uint16_t port = wt_packets_last_port();

	for (size_t i = 0; i < old_count; i++) {
		wt_packets_inject(port, w->port, taken[i].bytes, taken[i].len);
		wt_packets_inject(w->port, port, taken[i].bytes, taken[i].len);
	}
	wt_world_settle(w);
	return 2 * old_count;
}

static uint64_t dropped_by(struct wt_end *end)
{
	struct knowledge k = knowledge_of(end);

	return k.drops + k.refusals;
}

static void old_messages_in_every_state_change_nothing(void **state)
{
	struct wt_world *w = *state;
	uint64_t injected = 0;
	int step = 0;

	up(w);
	carries_both_ways(w);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	wt_world_carries(w, &w->bob, &w->server, "10.8.0.3", "10.8.0.1", 100);
	old_count = taken_count;
	assert_in_range(old_count, 10, TAKEN_MAX);
	wt_end_close(&w->bob);
	wt_end_close(&w->alice);
	w->bob = w->alice = (struct wt_end){ .engine = NULL };
	wt_world_settle(w);
	/* The next run one message at a time, with all of the old ones between. */
	wt_packet_net.fate = all_later;
	wt_clock_manual_advance(&w->clock, 10);
	wt_world_alice(w);
	wt_world_settle(w);
	uint64_t before = dropped_by(&w->server) + dropped_by(&w->alice);
	uint64_t answers = 0;

	for (; !wt_world_alice_up(w) && step < 10; step++) {
		size_t waiting = wt_packet_net.later_count;

		injected += inject_all_old(w);
		/* Nothing was answered. */
		answers += wt_packet_net.later_count - waiting;
		wt_packets_release(true);
		wt_world_settle(w);
	}
	assert_true(wt_world_alice_up(w));
	assert_int_equal(step, 4);
	assert_int_equal(answers, 0);
	assert_int_equal(dropped_by(&w->server) + dropped_by(&w->alice) - before, injected);
	wt_packet_net.fate = watched;
	carries_both_ways(w);
}

/* ---- every bit counts -------------------------------------------------------------- */

static struct {
	enum wt_packet_kind kind;
	uint32_t bit;
	bool done;
} flip;

/* A changed copy goes before the true one. */
static enum wt_fate flipped_first(void *arg, struct wt_datagram *datagram)
{
	uint8_t bytes[600];

	(void)arg;
	if (flip.done || wt_packet_kind(datagram) != flip.kind || flip.bit >= datagram->len * 8 ||
	    datagram->len > sizeof bytes)
		return WT_FATE_ARRIVES;
	flip.done = true;
	memcpy(bytes, datagram->bytes, datagram->len);
	bytes[flip.bit / 8] ^= (uint8_t)(1u << flip.bit % 8);
	wt_packets_inject(datagram->from, datagram->to, bytes, datagram->len);
	return WT_FATE_ARRIVES;
}

static void a_changed_message_does_not_hinder_the_true_one(void **state)
{
	struct wt_world *w = *state;
	static const enum wt_packet_kind kinds[] = { WT_PACKET_M1, WT_PACKET_M2, WT_PACKET_M3,
						     WT_PACKET_DATA };
	unsigned tried = 0;

	wt_world_server(w, "");
	wt_packet_net.fate = flipped_first;
	for (size_t k = 0; k < 4; k++)
		for (flip.bit = (uint32_t)k; flip.bit < 192 * 8; flip.bit += 29) {
			uint64_t drops = 0;
			struct knowledge before = knowledge_of(&w->server);

			flip.kind = kinds[k];
			flip.done = false;
			/* Two starts in one moment would differ by a RETRY. */
			wt_clock_manual_advance(&w->clock, 1);
			wt_world_alice(w);
			wt_world_until(w, wt_world_alice_up);
			wt_world_settle(w);
			for (size_t i = 0; i < WT_REASON_COUNT; i++)
				drops += w->alice.worker->refusals[i];
			for (size_t i = 0; i < WT_DROP_COUNT; i++)
				drops += w->alice.worker->drops[i];
			struct knowledge after = knowledge_of(&w->server);

			drops += after.drops + after.refusals - before.drops - before.refusals;
			/* mac1 covers all of M1; a random 12 bytes of it, too. */
			assert_int_equal(drops, flip.done);
			tried += flip.done;
			/* The wire alone: the process stays, so that no CLOSE waits. */
			carries_both_ways(w);
			wt_conn_close(conn_of(&w->server), true, "the test is over");
			wt_conn_close(conn_of(&w->alice), true, "the test is over");
			wt_end_close(&w->alice);
			w->alice = (struct wt_end){ .engine = NULL };
		}
	assert_true(tried > 100);
}

/* ---- forged records --------------------------------------------------------------- */

/* With the right index, from the right address: a CLOSE of somebody without the
 * key, and noise. */
static void forged_records_end_nothing(void **state)
{
	struct wt_world *w = *state;
	uint8_t bytes[200];

	up(w);
	uint16_t port = wt_packets_last_port();
	uint64_t counter = conn_of(&w->server)->keys.current->recv_next;
	struct knowledge server = knowledge_of(&w->server), alice = knowledge_of(&w->alice);

	for (unsigned i = 0; i < 2000; i++) {
		uint32_t len = 33 + i % 100;

		noise(bytes, sizeof bytes);
		memcpy(bytes, (const uint8_t[]){ 2, 1, 0, 0 }, 4);
		wt_store_be32(bytes + 4, server.current);
		wt_store_be64(bytes + 8, i % 3 == 0   ? counter + i
					 : i % 3 == 1 ? UINT64_MAX - i / 3
						      : i);
		/* A CLOSE as it would be if there were no cipher. */
		if (i % 2)
			memcpy(bytes + 16, (const uint8_t[]){ 0x10, 1, 0, 1, 1 }, 5);
		wt_packets_inject(i % 5 ? port : STRANGER, w->port, bytes, len);
		wt_store_be32(bytes + 4, alice.current);
		wt_packets_inject(w->port, port, bytes, len);
		if (i % 100 == 0)
			wt_world_settle(w);
	}
	wt_world_settle(w);
	wt_world_settle(w);
	knows_the_same(&w->server, &server, 2000);
	knows_the_same(&w->alice, &alice, 2000);
	assert_int_equal(to_stranger, 0);
	carries_both_ways(w);
}

static void a_record_opens_once(void **state)
{
	struct wt_world *w = *state;
	uint8_t packet[100];

	up(w);
	uint16_t port = wt_packets_last_port();

	taken_count = 0;
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	struct knowledge server = knowledge_of(&w->server);

	for (int i = 0; i < 20; i++)
		wt_packets_inject(i % 2 ? port : STRANGER, w->port, taken[0].bytes, taken[0].len);
	wt_world_settle(w);
	knows_the_same(&w->server, &server, 20);
	assert_int_equal(w->server.worker->drops[WT_DROP_REPLAY], 20);
	assert_int_equal(wt_end_take(&w->server, packet, sizeof packet), 0);
}

/* Another peer's index under one's own key, and the other's association is as it
 * was. */
static void an_index_of_another_peer_does_not_help(void **state)
{
	struct wt_world *w = *state;

	up(w);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	wt_world_settle(w);
	taken_count = 0;
	wt_world_carries(w, &w->bob, &w->server, "10.8.0.3", "10.8.0.1", 100);
	struct knowledge server = knowledge_of(&w->server);

	wt_store_be32(taken[0].bytes + 4, server.current);
	wt_packets_inject(wt_packets_last_port(), w->port, taken[0].bytes, taken[0].len);
	wt_world_settle(w);
	knows_the_same(&w->server, &server, 1);
	carries_both_ways(w);
}

/* The source of a packet that is not the peer's: dropped, and the session stays. */
static void a_foreign_source_is_dropped(void **state)
{
	struct wt_world *w = *state;

	up(w);
	wt_world_loses(w, &w->alice, &w->server, "10.8.0.3", "10.8.0.1");
	assert_int_equal(w->server.worker->drops[WT_DROP_SOURCE], 1);
	carries_both_ways(w);
}

/* ---- limits ------------------------------------------------------------------------- */

static void forge(struct wt_world *w, struct wt_end *at, uint16_t from, uint16_t to, unsigned n)
{
	uint8_t bytes[64] = { 2, 1, 0, 0 };

	wt_store_be32(bytes + 4, conn_of(at)->keys.current->local_index);
	for (unsigned i = 0; i < n; i++) {
		wt_store_be64(bytes + 8, 1000000 + i);
		wt_packets_inject(from, to, bytes, sizeof bytes);
	}
	wt_world_settle(w);
}

/* Too many that did not open: the key opens no more, and another is asked for by
 * who may ask. */
static void a_key_ends_at_its_limit_of_failures(void **state)
{
	struct wt_world *w = *state;

	up(w);
	for (int who = 0; who < 2; who++) {
		struct wt_end *end = who == 0 ? &w->alice : &w->server;
		uint32_t key = conn_of(end)->keys.current->local_index;
		uint16_t port = wt_packets_last_port();

		wt_world_pass(w, 2000);
		conn_of(end)->keys.current->limits.open_failures = 10;
		if (who == 0)
			forge(w, end, w->port, port, 9);
		else
			forge(w, end, STRANGER, w->port, 9);
		assert_int_equal(conn_of(end)->keys.current->local_index, key);
		wt_world_carries(w, who == 0 ? &w->server : &w->alice, end,
				 who == 0 ? "10.8.0.1" : "10.8.0.2",
				 who == 0 ? "10.8.0.2" : "10.8.0.1", 100);
		if (who == 0)
			forge(w, end, w->port, port, 2);
		else
			forge(w, end, STRANGER, w->port, 2);
		wt_world_pass(w, 1500);
		assert_true(end->worker->drops[WT_DROP_KEY_LIMIT] > 0);
		if (conn_of(end)->keys.current->local_index == key)
			fail_msg("%d kept its key; the log:\n%s", who, w->log);
		carries_both_ways(w);
	}
}

/* A flood of forged answers while a handshake runs, from the server's address. */
static uint64_t forged;

static enum wt_fate forged_answers(void *arg, struct wt_datagram *datagram)
{
	uint8_t bytes[164];

	(void)arg;
	if (wt_packet_kind(datagram) != WT_PACKET_M1)
		return WT_FATE_ARRIVES;
	for (int i = 0; i < 1000; i++) {
		noise(bytes, sizeof bytes);
		memcpy(bytes, (const uint8_t[]){ 1, 1, 1, i % 2 ? 2 : 4 }, 4);
		memcpy(bytes + 4, datagram->bytes + 8, 4);
		wt_packets_inject(datagram->to, datagram->from, bytes, i % 2 ? 164 : 80);
		forged++;
	}
	return WT_FATE_ARRIVES;
}

static void forged_answers_do_not_hinder(void **state)
{
	struct wt_world *w = *state;

	forged = 0;
	wt_packet_net.fate = forged_answers;
	wt_world_server(w, "");
	wt_world_alice(w);
	for (int i = 0; i < 50 && !wt_world_alice_up(w); i++)
		wt_world_pass(w, 100);
	assert_true(wt_world_alice_up(w));
	wt_world_pass(w, 1000);
	assert_int_equal(w->alice.worker->refusals[WT_REASON_BAD_MAC], forged);
	uint32_t key = conn_of(&w->alice)->keys.current->local_index;

	wt_world_pass(w, 125000);
	assert_int_not_equal(conn_of(&w->alice)->keys.current->local_index, key);
	assert_true(forged >= 2000);
	carries_both_ways(w);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, wt_world_setup_packets, wt_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(ten_thousand_random_datagrams),
		WORLD(every_length_is_silence),
		WORLD(copies_of_old_messages_do_nothing),
		WORLD(that_the_proof_came_is_said_once_a_second),
		WORLD(an_old_first_message_gets_less_than_it_brought),
		WORLD(a_stolen_first_message_gets_less_than_it_brought),
		WORLD(a_stolen_first_message_moves_nobody),
		WORLD(copies_from_elsewhere_delay_nobody),
		WORLD(a_first_message_is_answered_by_one_socket),
		WORLD(an_answer_is_repeated_by_the_socket_that_gave_it),
		WORLD(strangers_are_answered_apart),
		WORLD(a_full_link_keeps_nobody_out),
		WORLD(old_messages_in_every_state_change_nothing),
		WORLD(a_changed_message_does_not_hinder_the_true_one),
		WORLD(forged_records_end_nothing),
		WORLD(a_record_opens_once),
		WORLD(an_index_of_another_peer_does_not_help),
		WORLD(a_foreign_source_is_dropped),
		WORLD(a_key_ends_at_its_limit_of_failures),
		WORLD(forged_answers_do_not_hinder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
