/* SPDX-License-Identifier: MIT
 *
 * The tunnel with several workers: the same promises, whichever worker a packet
 * or a connection comes to. All workers of an end read the same device here, so
 * that each packet comes to any of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/report.h"
#include "record/limits.h"
#include "session/initiation.h"
#include "support/world.h"

#define PEER_ALICE 0

static char several[32]; /* "workers = N", for [tunnel] */
static unsigned count;

static int setup(void **state)
{
	snprintf(several, sizeof several, "workers = %u", count);
	return wt_world_setup(state);
}

static void open_as(struct wt_world *w, struct wt_end *end, unsigned host, const char *key)
{
	wt_world_client(w, end, &(struct wt_client){ .host = host, .key = key, .more = several });
}

static uint32_t owner(struct wt_world *w, size_t peer)
{
	return atomic_load(&w->server.node->seats[peer].owner);
}

static bool client_up(const struct wt_end *end)
{
	return wt_peer_is_up(&end->worker->peers[0]);
}

static bool bob_end_up(void *arg)
{
	return client_up(&((struct wt_world *)arg)->bob);
}

/* ---- traffic ------------------------------------------------------------------------- */

static void packets_cross_both_ways(void **state)
{
	static const size_t lengths[] = { 20, 100, 1419, 1420, 1500 };
	struct wt_world *w = *state;

	wt_world_server(w, several);
	open_as(w, &w->alice, 2, "alice");
	open_as(w, &w->bob, 3, "bob");
	wt_world_until(w, wt_world_all_up);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", lengths[i]);
		wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", lengths[i]);
		wt_world_carries(w, &w->bob, &w->server, "10.8.0.3", "10.8.0.1", lengths[i]);
		wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.3", lengths[i]);
	}
}

static uint64_t handoffs(const struct wt_end *end)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < end->node->worker_count; i++) {
		assert_int_equal(end->worker[i].handoff_full, 0);
		sum += end->worker[i].handoffs;
	}
	return sum;
}

/* In batches that no ring is too small for: none may be lost. */
static void what_another_worker_read_is_handed_over(void **state)
{
	enum { BATCHES = 60, BATCH = 20 };
	struct wt_world *w = *state;
	uint8_t packet[1400], got[1500];

	wt_world_server(w, several);
	open_as(w, &w->alice, 2, "alice");
	open_as(w, &w->bob, 3, "bob");
	wt_world_until(w, wt_world_all_up);
	for (unsigned b = 0; b < BATCHES; b++) {
		for (unsigned i = 0; i < BATCH; i++) {
			wt_packet_make(packet, sizeof packet, "10.8.0.1",
				       i % 2 ? "10.8.0.2" : "10.8.0.3", (uint8_t)i);
			wt_end_inject(&w->server, packet, sizeof packet);
		}
		for (unsigned i = 0; i < BATCH; i++) {
			struct wt_end *to = i % 2 ? &w->alice : &w->bob;

			if (wt_ends_take(w->ends, 3, to, got, sizeof got) != sizeof packet)
				fail_msg("packet %u of batch %u is lost; the log:\n%s", i, b,
					 w->log);
		}
	}
	wt_engine_stop(w->server.engine);
	assert_true(handoffs(&w->server) > 0);
}

/* One that does not read keeps what waits for it, whoever read that; the others
 * go on getting theirs from every worker. */
static void a_peer_that_stands_keeps_nobody_from_handing_over(void **state)
{
	enum { STAND = 6000, BATCHES = 30, BATCH = 10 };
	struct wt_world *w = *state;
	struct wt_end *without_alice[] = { &w->server, &w->bob };
	uint8_t packet[1400], got[1500];

	wt_world_server(w, several);
	open_as(w, &w->alice, 2, "alice");
	open_as(w, &w->bob, 3, "bob");
	wt_world_until(w, wt_world_all_up);
	for (unsigned i = 0; i < STAND; i++) {
		/* Long ones fill the link, short ones the queue behind it. */
		size_t len = i < STAND / 2 ? sizeof packet : 100;

		wt_packet_make(packet, len, "10.8.0.1", "10.8.0.2", 0);
		wt_end_inject(&w->server, packet, len);
		if (i % BATCH == 0)
			wt_engine_turn(w->server.engine, 0);
	}
	wt_ends_settle(without_alice, 2);
	/* The device waits for her for so long. */
	wt_clock_manual_advance(&w->clock, 2000);
	wt_ends_settle(without_alice, 2);
	for (unsigned b = 0; b < BATCHES; b++) {
		for (unsigned i = 0; i < BATCH; i++) {
			wt_packet_make(packet, sizeof packet, "10.8.0.1", "10.8.0.3", (uint8_t)i);
			wt_end_inject(&w->server, packet, sizeof packet);
		}
		for (unsigned i = 0; i < BATCH; i++)
			if (wt_ends_take(without_alice, 2, &w->bob, got, sizeof got) !=
			    sizeof packet)
				fail_msg("packet %u of batch %u is lost", i, b);
	}
	assert_int_not_equal(owner(w, PEER_ALICE), WT_SEAT_FREE);
	wt_engine_stop(w->server.engine);
	uint64_t dropped = 0;

	for (unsigned i = 0; i < count; i++) {
		dropped += w->server.worker[i].peers[PEER_ALICE].counters.drops[WT_DROP_QUEUE_FULL];
		assert_int_equal(w->server.worker[i].desk->guests, 0);
	}
	assert_true(dropped > 0);
}

static bool reported(void *arg)
{
	return wt_world_logged(arg, "info: peer bob: state=up");
}

static void a_report_sums_over_the_workers(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, several);
	open_as(w, &w->alice, 2, "alice");
	open_as(w, &w->bob, 3, "bob");
	wt_world_until(w, wt_world_all_up);
	for (int i = 0; i < 10; i++)
		wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
	wt_report(w->server.worker);
	wt_report(w->server.worker); /* one is under way */
	wt_world_until(w, reported);
	assert_true(wt_world_logged(w, "peer alice: state=up endpoint=127.0.0.1:"));
	assert_true(wt_world_logged(w, "tx_packets=10 tx_bytes=1000 handshakes=1"));
	assert_true(wt_world_logged(w, " handoffs="));
	/* And it can be asked for again. */
	wt_world_settle(w);
	assert_false(wt_world_logged(w, "peer bob: state=down"));
	wt_engine_stop(w->bob.engine);
	for (int i = 0; i < 100 && owner(w, 1) != WT_SEAT_FREE; i++)
		wt_world_settle(w);
	wt_report(w->server.worker);
	for (int i = 0; i < 100 && !wt_world_logged(w, "peer bob: state=down"); i++)
		wt_world_settle(w);
	assert_true(wt_world_logged(w, "peer bob: state=down"));
}

/* ---- whose a peer is -------------------------------------------------------------------- */

/* Two clients with one key: until the second comes to another worker than the
 * first, which the kernel decides. */
static void connect_elsewhere(struct wt_world *w)
{
	for (int i = 0; i < 60; i++) {
		open_as(w, &w->alice, 2, "alice");
		wt_world_until(w, wt_world_alice_up);
		uint32_t first = owner(w, PEER_ALICE);

		open_as(w, &w->bob, 2, "alice");
		wt_world_until(w, bob_end_up);
		if (owner(w, PEER_ALICE) != first)
			return;
		wt_end_close(&w->bob);
		wt_end_close(&w->alice);
		for (int k = 0; k < 100 && owner(w, PEER_ALICE) != WT_SEAT_FREE; k++)
			wt_world_settle(w);
	}
	fail_msg("the kernel gave 60 pairs of connections to the same worker each");
}

static void a_peer_moves_with_its_newest_connection(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, several);
	connect_elsewhere(w);
	assert_true(wt_world_logged(w, "(takes the place of an older connection)"));
	for (int i = 0; i < 8; i++) {
		wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.2", 300);
		wt_world_carries(w, &w->bob, &w->server, "10.8.0.2", "10.8.0.1", 300);
	}
	/* The older one is received from for a while, and then told. */
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 300);
	wt_world_pass(w, WT_DEAD_PEER_MS - 500);
	assert_false(wt_world_logged(w, "another dialler with the same key took our place"));
	wt_world_pass(w, WT_PREVIOUS_MS);
	assert_true(wt_world_logged(w, "another dialler with the same key took our place"));
	assert_false(client_up(&w->alice));
	wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.2", 300);
}

static bool alice_gave_up(void *arg)
{
	struct wt_world *w = arg;

	return !wt_world_peer(&w->alice, 0)->attempt;
}

/* A handshake that waits for its last message ends when its peer begins another,
 * on whichever worker, and not only when its time is over. */
static void a_handshake_elsewhere_ends_the_one_that_waits(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, several);
	const struct wt_seat *seat = &w->server.node->seats[PEER_ALICE];
	uint32_t waits = WT_SEAT_FREE, then = WT_SEAT_FREE;

	for (int i = 0; i < 60 && waits == then; i++) {
		wt_world_client(w, &w->alice, &(struct wt_client){ .host = 2, .key = "alice" });
		atomic_store(&w->server.node->seats[PEER_ALICE].pending, WT_SEAT_FREE);
		/* Its first message, and not one turn more. */
		while (atomic_load(&seat->pending) == WT_SEAT_FREE) {
			wt_engine_turn(w->alice.engine, 1);
			for (int k = 0; k < 5; k++)
				wt_engine_turn(w->server.engine, 1);
		}
		waits = atomic_load(&seat->pending);
		struct wt_end *ends[] = { &w->server, &w->bob };

		open_as(w, &w->bob, 2, "alice");
		assert_true(wt_ends_turn(ends, 2, bob_end_up, w));
		then = atomic_load(&seat->pending);
		/* The clock stands still. */
		wt_world_until(w, alice_gave_up);
		wt_end_close(&w->bob);
		wt_end_close(&w->alice);
		for (int k = 0; k < 100 && owner(w, PEER_ALICE) != WT_SEAT_FREE; k++)
			wt_world_settle(w);
	}
	assert_int_not_equal(waits, then);
}

/* ---- dialling, stopping --------------------------------------------------------------------- */

static const char two_peers[] = "[tunnel]\ninterface = wt0\naddress = 10.8.0.2/24\n%s\n"
				"[crypto]\nplugin = aesgcm-openssl\n[transport tcp]\n[auth hmac]\n"
				"[peer nobody]\nendpoint = tcp://127.0.0.1:1\npsk_file = bob.psk\n"
				"allowed_ips = 10.8.0.9/32\n"
				"[peer office]\nendpoint = tcp://127.0.0.1:%u\n"
				"psk_file = alice.psk\nallowed_ips = 10.8.0.1/32\n";

static bool office_up(void *arg)
{
	struct wt_world *w = arg;

	return wt_peer_is_up(&w->alice.worker->peers[1]);
}

static void each_peer_has_a_worker_that_dials_it(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, several);
	wt_end_open(&w->alice, w->dir, "two", &w->clock.clock, two_peers, several, w->port);
	wt_world_until(w, office_up);
	assert_int_equal(atomic_load(&w->alice.node->seats[1].owner), 1);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
}

static void a_restarted_server_is_dialled_again(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, several);
	open_as(w, &w->alice, 2, "alice");
	open_as(w, &w->bob, 3, "bob");
	wt_world_until(w, wt_world_all_up);
	for (int round = 0; round < 5; round++) {
		wt_end_close(&w->server);
		wt_world_settle(w);
		assert_true(wt_world_logged(w, "info: peer office down: "));
		wt_world_server(w, several);
		for (int i = 0; i < 60 && !wt_world_all_up(w); i++)
			wt_world_pass(w, 100);
		assert_true(wt_world_all_up(w));
		wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 200);
		wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.3", 200);
	}
}

/* A first message goes by its source, everything else by the index that it
 * carries: to the worker that has the association. */
static void datagrams_find_their_worker(void **state)
{
	struct wt_world *w = *state;
	uint64_t unknown = 0;

	w->transport = "udp";
	wt_world_server(w, several);
	wt_world_alice(w);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	for (unsigned round = 1; round <= 4; round++) {
		wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 1280);
		wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
		wt_world_carries(w, &w->bob, &w->server, "10.8.0.3", "10.8.0.1", 100);
		wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.3", 1280);
		for (struct wt_end *end = &w->alice; end <= &w->bob; end++) {
			struct wt_conn *conn = wt_world_peer(end, 0)->active;

			assert_true(conn->link->datagram);
			assert_int_equal(conn->keys.current->remote_index % count,
					 owner(w, end == &w->bob));
			wt_initiation_start(conn);
			wt_world_settle(w);
			assert_int_equal(wt_world_peer(end, 0)->counters.handshakes, round + 1);
		}
	}
	wt_engine_stop(w->server.engine);
	for (unsigned i = 0; i < count; i++)
		unknown += w->server.worker[i].drops[WT_DROP_INDEX];
	assert_int_equal(unknown, 0);
}

/* With packets on every way between workers; the tear-down counts the buffers. */
static void stopping_in_full_traffic_loses_no_buffer(void **state)
{
	struct wt_world *w = *state;
	uint8_t packet[1000];

	wt_world_server(w, several);
	open_as(w, &w->alice, 2, "alice");
	open_as(w, &w->bob, 3, "bob");
	wt_world_until(w, wt_world_all_up);
	for (int i = 0; i < 100; i++) {
		wt_packet_make(packet, sizeof packet, "10.8.0.1", i % 2 ? "10.8.0.2" : "10.8.0.3",
			       (uint8_t)i);
		wt_end_inject(&w->server, packet, sizeof packet);
	}
	wt_engine_stop(w->server.engine);
	wt_engine_stop(w->server.engine); /* again is nothing */
	assert_int_equal(w->server.worker->drops[WT_DROP_TAG], 0);
}

int main(void)
{
#define WORKERS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		WORKERS_TEST(packets_cross_both_ways),
		WORKERS_TEST(what_another_worker_read_is_handed_over),
		WORKERS_TEST(a_peer_that_stands_keeps_nobody_from_handing_over),
		WORKERS_TEST(a_report_sums_over_the_workers),
		WORKERS_TEST(a_peer_moves_with_its_newest_connection),
		WORKERS_TEST(a_handshake_elsewhere_ends_the_one_that_waits),
		WORKERS_TEST(each_peer_has_a_worker_that_dials_it),
		WORKERS_TEST(a_restarted_server_is_dialled_again),
		WORKERS_TEST(datagrams_find_their_worker),
		WORKERS_TEST(stopping_in_full_traffic_loses_no_buffer),
	};
	int failed = 0;

	for (count = 2; count <= 4; count += 2)
		failed += cmocka_run_group_tests_name(count == 2 ? "2 workers" : "4 workers", tests,
						      NULL, NULL);
	return failed;
}
