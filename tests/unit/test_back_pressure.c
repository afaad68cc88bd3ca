/* SPDX-License-Identifier: MIT
 *
 * What happens to packets while a link takes nothing: how many wait, for how
 * long, which are dropped, when the device is not read, and that nobody else
 * notices. Whole engines over a network of the test's; time is the test's too.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "pipeline/transmit.h"
#include "record/params.h"
#include "support/memory_transport.h"
#include "support/run.h"
#include "support/world.h"

#define TO_SERVER 1
#define TO_CLIENT 0
#define SMALL 1400u
#define NUMBER 28u /* where a packet's number is */
/* As long as the device is held for one peer's sake where there are others. */
#define PAUSE_MS 100u
/* Who was sent to alone for so long has the device for himself. */
#define ALONE_MS 1000u

static void inject(struct wt_end *end, const char *from, const char *to, uint32_t number,
		   size_t len)
{
	static uint8_t packet[65535];

	wt_packet_make(packet, len, from, to, (uint8_t)number);
	memcpy(packet + NUMBER, &number, sizeof number);
	wt_end_inject(end, packet, len);
}

/* The number of the next packet that came, or -1. */
static int64_t take(struct wt_end *end)
{
	static uint8_t packet[65535];
	uint32_t number;

	if (wt_end_take(end, packet, sizeof packet) == 0)
		return -1;
	memcpy(&number, packet + NUMBER, sizeof number);
	return number;
}

static uint64_t dropped(const struct wt_peer *peer)
{
	return peer->counters.drops[WT_DROP_QUEUE_FULL];
}

/* One after the other, so that each has a link of a known place. */
static void all_up(struct wt_world *w)
{
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
}

static struct wt_memory_link *alices_link(void)
{
	return wt_memory_net.links->next;
}

static void turn_once(struct wt_world *w)
{
	for (int k = 0; k < 3; k++)
		if (w->ends[k]->engine)
			wt_engine_turn(w->ends[k]->engine, 0);
}

static void turn(struct wt_world *w)
{
	for (int i = 0; i < 3; i++)
		turn_once(w);
}

/* ---- one stuck peer among others -------------------------------------------------- */

/* `count` packets of `len` bytes for Alice, and between them some for Bob, which
 * arrive at once. */
static void both_are_sent_to(struct wt_world *w, uint32_t count, size_t len)
{
	for (uint32_t i = 0; i < count; i++) {
		inject(&w->server, "10.8.0.1", "10.8.0.2", i, len);
		inject(&w->server, "10.8.0.1", "10.8.0.3", i, SMALL);
		turn(w);
		assert_int_equal(take(&w->bob), i);
		assert_false(w->server.worker->tun.paused);
		assert_true(w->server.worker->slots.free_count >=
			    w->server.worker->spare_slots - 1);
		assert_true(wt_world_peer(&w->server, 0)->queue.bytes <= WT_QUEUE_BYTES);
	}
}

static void a_stuck_peer_costs_only_itself(void **state)
{
	static const struct {
		size_t len;
		uint32_t count;
	} cases[] = { { SMALL, 400 }, { 65535, 40 }, { 100, 1000 } };
	struct wt_world *w = *state;
	struct wt_peer *alice, *bob;

	w->server.mtu = w->alice.mtu = 65535;
	all_up(w);
	alice = wt_world_peer(&w->server, 0);
	bob = wt_world_peer(&w->server, 1);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t before = dropped(alice);
		uint32_t came = 0;
		int64_t number, last = -1;
		int quiet = 0;

		wt_memory_room(alices_link(), TO_CLIENT, 0);
		both_are_sent_to(w, cases[i].count, cases[i].len);
		assert_true(alice->active->link->blocked);
		assert_true(dropped(alice) > before);
		assert_int_equal(dropped(bob), 0);
		/* Sealed ones are sent whatever happens; then the newest. */
		wt_memory_room(alices_link(), TO_CLIENT, 64u << 20);
		while (quiet++ < 20) {
			turn_once(w);
			for (; (number = take(&w->alice)) >= 0; quiet = 0, came++) {
				assert_true(number > last);
				last = number;
			}
		}
		assert_int_equal(last, cases[i].count - 1);
		assert_int_equal(came + dropped(alice) - before, cases[i].count);
		assert_null(alice->queue.head);
	}
}

static void old_packets_go_when_new_ones_come(void **state)
{
	struct wt_world *w = *state;
	struct wt_peer *alice;
	uint32_t n = 0;

	all_up(w);
	alice = wt_world_peer(&w->server, 0);
	wt_memory_room(alices_link(), TO_CLIENT, 0);
	while (alice->queue.buffers < 10) {
		both_are_sent_to(w, 1, SMALL);
		assert_in_range(n++, 0, 100);
	}
	wt_world_pass(w, WT_QUEUE_MS);
	both_are_sent_to(w, 1, SMALL);
	assert_int_equal(dropped(alice), 0);
	wt_world_pass(w, 1);
	both_are_sent_to(w, 1, SMALL);
	assert_int_equal(dropped(alice), 10);
	assert_int_equal(alice->queue.buffers, 2);
}

/* ---- one peer, whose senders shall wait -------------------------------------------- */

/* Packets that the engine has not read from the device. */
static bool device_waits(const struct wt_end *end)
{
	uint8_t byte;

	return recv(end->inner, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Alice has the server alone, whose link takes nothing. Returns how many packets
 * were sent until she stopped to read; one more waits in the device. */
static uint32_t alice_is_held(struct wt_world *w)
{
	uint32_t n = 0;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_memory_room(wt_memory_net.links, TO_SERVER, 0);
	while (!device_waits(&w->alice)) {
		inject(&w->alice, "10.8.0.2", "10.8.0.1", n, SMALL);
		turn(w);
		assert_in_range(n++, 0, 200);
	}
	assert_true(w->alice.worker->tun.paused);
	return n;
}

static void senders_wait_for_a_sole_peer(void **state)
{
	struct wt_world *w = *state;
	uint32_t n = alice_is_held(w);

	for (uint32_t i = 0; i < 20; i++)
		inject(&w->alice, "10.8.0.2", "10.8.0.1", n + i, SMALL);
	/* Not for ever: a peer that is gone is found out otherwise. */
	wt_world_pass(w, 2000);
	assert_true(device_waits(&w->alice));
	wt_memory_room(wt_memory_net.links, TO_SERVER, 1 << 20);
	wt_world_settle(w);
	assert_false(w->alice.worker->tun.paused);
	/* Nothing was lost by it. */
	for (uint32_t i = 0; i < n + 20; i++)
		assert_int_equal(take(&w->server), i);
	assert_int_equal(dropped(wt_world_peer(&w->alice, 0)), 0);
}

/* What was read before the link was found to be full waits with the device, and as
 * long: 64 KB lost each time would be most of what a slow link carries. */
static void what_was_read_before_waits_too(void **state)
{
	struct wt_world *w = *state;
	struct wt_peer *peer;
	uint32_t n = 0;

	w->server.mtu = w->alice.mtu = 65535;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	peer = wt_world_peer(&w->alice, 0);
	wt_memory_room(wt_memory_net.links, TO_SERVER, 0);
	for (int i = 0; i < 6; i++)
		inject(&w->alice, "10.8.0.2", "10.8.0.1", n++, 30000);
	turn(w);
	assert_true(peer->active->link->blocked);
	assert_int_equal(peer->queue.buffers, 1);
	wt_world_pass(w, 500);
	wt_memory_room(wt_memory_net.links, TO_SERVER, 1 << 20);
	wt_world_settle(w);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(take(&w->server), i);
}

static void with_others_the_wait_is_short(void **state)
{
	struct wt_world *w = *state;
	struct wt_peer *alice;
	uint32_t n = 0;

	all_up(w);
	alice = wt_world_peer(&w->server, 0);
	wt_world_pass(w, ALONE_MS + 100);
	wt_memory_room(alices_link(), TO_CLIENT, 0);
	while (!device_waits(&w->server)) {
		inject(&w->server, "10.8.0.1", "10.8.0.2", n, SMALL);
		turn(w);
		assert_in_range(n++, 0, 200);
	}
	/* Bob's packet waits behind those for Alice. */
	inject(&w->server, "10.8.0.1", "10.8.0.3", 7, SMALL);
	wt_world_pass(w, PAUSE_MS - 1);
	assert_int_equal(take(&w->bob), -1);
	wt_world_pass(w, 1);
	assert_int_equal(take(&w->bob), 7);
	assert_true(alice->active->link->stalled);
	/* Once was enough: no other has to wait for her again. */
	wt_world_pass(w, ALONE_MS + 100);
	for (uint32_t i = 0; i < 100; i++) {
		inject(&w->server, "10.8.0.1", "10.8.0.2", n + i, SMALL);
		turn(w);
		assert_false(device_waits(&w->server));
	}
	/* Until her link moves. */
	wt_memory_room(alices_link(), TO_CLIENT, 1 << 20);
	wt_world_settle(w);
	assert_false(alice->active->link->stalled);
	assert_false(alice->active->link->blocked);
}

/* ---- runs that are cut while they wait ----------------------------------------------- */

static void inject_run(struct wt_world *w, uint32_t sequence, size_t payload, uint16_t size)
{
	static const uint8_t addresses[8] = { 10, 8, 0, 2, 10, 8, 0, 1 };
	const struct wt_run run = { .family = AF_INET,
				    .protocol = IPPROTO_TCP,
				    .payload = payload,
				    .size = size,
				    .tcp_flags = 0x10,
				    .sequence = sequence,
				    .seed = 1,
				    .addresses = addresses };
	const struct wt_vnet vnet = wt_run_vnet(&run);
	uint8_t header[10] = { vnet.flags, vnet.type };
	static uint8_t packet[WT_RUN_MAX];
	size_t len = wt_run_whole(&run, packet);

	memcpy(header + 4, &vnet.segment_size, 2);
	memcpy(header + 6, &vnet.checksum_start, 2);
	memcpy(header + 8, &vnet.checksum_offset, 2);
	wt_end_inject_raw(&w->alice, header, packet, len);
}

/* The server takes no runs: those that waited are cut when the link moves. */
static void what_waited_leaves_in_order(void **state)
{
	struct wt_world *w = *state;
	uint8_t packet[1500];
	uint32_t n = alice_is_held(w), expected = 0;
	struct wt_peer *peer = wt_world_peer(&w->alice, 0);
	size_t len;

	for (uint32_t i = 0; i < 4; i++) {
		inject_run(w, 11000 * i, 10000, 1000);
		inject_run(w, 11000 * i + 10000, 1000, 0);
	}
	/* As after a pause: the device is read, and its packets wait here. */
	peer->active->link->stalled = true;
	turn(w);
	assert_int_equal(peer->queue.buffers, 9);
	wt_memory_room(wt_memory_net.links, TO_SERVER, 1 << 20);
	wt_world_settle(w);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(take(&w->server), i);
	while ((len = wt_end_take(&w->server, packet, sizeof packet)) > 0) {
		uint32_t sequence = (uint32_t)packet[24] << 24 | (uint32_t)packet[25] << 16 |
				    (uint32_t)packet[26] << 8 | packet[27];

		assert_int_equal(sequence, expected);
		expected += (uint32_t)len - 40;
	}
	assert_int_equal(expected, 44000);
}

/* So are those of which a part has left already. */
static void a_run_that_is_cut_waits_as_one(void **state)
{
	struct wt_world *w = *state;
	uint32_t n = alice_is_held(w);
	uint8_t packet[1500];
	uint32_t came = 0;

	inject_run(w, 0, 40000, 1000);
	wt_memory_room(wt_memory_net.links, TO_SERVER, 1 << 20);
	turn(w);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(take(&w->server), i);
	wt_memory_room(wt_memory_net.links, TO_SERVER, 0);
	inject_run(w, 40000, 40000, 1000);
	turn(w);
	assert_in_range(wt_world_peer(&w->alice, 0)->queue.buffers, 10, 39);
	wt_world_pass(w, 500);
	wt_memory_room(wt_memory_net.links, TO_SERVER, 1 << 20);
	wt_world_settle(w);
	while (wt_end_take(&w->server, packet, sizeof packet) > 0)
		came++;
	assert_int_equal(came, 80);
}

int main(void)
{
#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, wt_world_setup_memory, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_stuck_peer_costs_only_itself),
		WORLD_TEST(old_packets_go_when_new_ones_come),
		WORLD_TEST(senders_wait_for_a_sole_peer),
		WORLD_TEST(what_was_read_before_waits_too),
		WORLD_TEST(with_others_the_wait_is_short),
		WORLD_TEST(what_waited_leaves_in_order),
		WORLD_TEST(a_run_that_is_cut_waits_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
