/* SPDX-License-Identifier: MIT
 *
 * Several connections of one peer: how many, which packet takes which, what
 * becomes of it when one breaks, and what the other end may not do.
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
#include "session/dial.h"
#include "session/initiation.h"
#include "session/lanes.h"
#include "support/later_auth.h"
#include "support/memory_transport.h"
#include "support/packet_transport.h"
#include "support/world.h"

#define FLOWS 24u
#define PACKET 100u

static unsigned workers = 1;

static const char server_ini[] = "[tunnel]\ninterface = wt0\naddress = 10.8.0.1/24\n"
				 "workers = %u\n%s"
				 "[crypto]\nplugin = aesgcm-openssl\n"
				 "[transport %s]\nlisten = 127.0.0.1:%u\n"
				 "[auth %s]\n"
				 "[peer alice]\npsk_file = alice.psk\nallowed_ips = 10.8.0.2/32\n"
				 "connections = %u\n"
				 "[peer bob]\npsk_file = bob.psk\nallowed_ips = 10.8.0.3/32\n"
				 "connections = 2\n";

static void open_server(struct wt_world *w, unsigned connections)
{
	wt_end_open(&w->server, w->dir, "server", &w->clock.clock, server_ini, workers, "",
		    w->transport, w->port, w->auth, connections);
}

static void open_client(struct wt_world *w, struct wt_end *end, const char *key,
			unsigned connections)
{
	char more[64], peer[64];

	snprintf(more, sizeof more, "workers = %u", workers);
	snprintf(peer, sizeof peer, "connections = %u\n", connections);
	wt_world_client(
		w, end,
		&(struct wt_client){
			.host = end == &w->bob ? 3 : 2, .key = key, .more = more, .peer = peer });
}

static struct wt_lanes *lanes_of(struct wt_end *end)
{
	return &end->node->lanes[0];
}

static struct wt_peer *lane(struct wt_end *end, unsigned i)
{
	return &end->worker->peers[wt_lanes_at(lanes_of(end), i)];
}

static unsigned up_count(struct wt_end *end)
{
	unsigned n = 0;

	for (unsigned i = 0; i < lanes_of(end)->count; i++)
		n += wt_peer_is_up(lane(end, i));
	return n;
}

static unsigned wanted_up;

static bool all_are_up(void *arg)
{
	struct wt_world *w = arg;

	return up_count(&w->alice) == wanted_up && up_count(&w->server) == wanted_up;
}

static void until_up(struct wt_world *w, unsigned count)
{
	wanted_up = count;
	for (int i = 0; i < 200 && !all_are_up(w); i++)
		wt_world_pass(w, 50);
	if (!all_are_up(w))
		fail_msg("%u and %u connections, not %u; the log:\n%s", up_count(&w->alice),
			 up_count(&w->server), count, w->log);
}

static void open_both(struct wt_world *w, unsigned connections)
{
	open_server(w, connections);
	open_client(w, &w->alice, "alice", connections);
	until_up(w, connections);
}

/* What lane i of `end` sent so far, on all workers. */
static uint64_t sent(struct wt_end *end, unsigned i)
{
	uint64_t sum = 0;

	for (unsigned k = 0; k < end->node->worker_count; k++)
		sum += end->worker[k].peers[wt_lanes_at(lanes_of(end), i)].counters.tx_packets;
	return sum;
}

static const char *host_of_flow(unsigned flow)
{
	static char text[32];

	snprintf(text, sizeof text, "10.8.0.%u", 100 + flow);
	return text;
}

static void flow_goes(struct wt_world *w, unsigned flow)
{
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", host_of_flow(flow), PACKET);
}

static void flow_comes(struct wt_world *w, unsigned flow)
{
	wt_world_carries(w, &w->server, &w->alice, host_of_flow(flow), "10.8.0.2", PACKET);
}

/* Which lane of `end` a packet took that `carry` carried. */
static unsigned lane_taken(struct wt_world *w, struct wt_end *end,
			   void (*carry)(struct wt_world *w, unsigned flow), unsigned flow)
{
	uint64_t before[WT_CONNECTIONS_MAX];
	unsigned taken = UINT32_MAX;

	for (unsigned i = 0; i < lanes_of(end)->count; i++)
		before[i] = sent(end, i);
	carry(w, flow);
	for (unsigned i = 0; i < lanes_of(end)->count; i++)
		if (sent(end, i) != before[i]) {
			assert_int_equal(taken, UINT32_MAX);
			assert_int_equal(sent(end, i), before[i] + 1);
			taken = i;
		}
	assert_int_not_equal(taken, UINT32_MAX);
	return taken;
}

/* ---- how many ------------------------------------------------------------------------- */

static void as_many_as_both_take(void **state)
{
	static const struct {
		unsigned client, server, up;
	} cases[] = { { 1, 1, 1 }, { 3, 3, 3 },	 { 3, 1, 1 },	{ 1, 3, 1 },
		      { 5, 2, 2 }, { 2, 16, 2 }, { 16, 16, 16 } };
	struct wt_world *w = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		open_server(w, cases[i].server);
		open_client(w, &w->alice, "alice", cases[i].client);
		until_up(w, cases[i].up);
		wt_world_pass(w, 3000);
		assert_true(all_are_up(w));
		assert_int_equal(wt_lanes_agreed(lanes_of(&w->alice)), cases[i].up);
		assert_int_equal(wt_lanes_agreed(lanes_of(&w->server)), cases[i].up);
		for (unsigned flow = 0; flow < FLOWS; flow++) {
			flow_goes(w, flow);
			flow_comes(w, flow);
		}
		/* Nobody was refused anything on the way. (Two in one millisecond get
		 * a token.) */
		for (unsigned r = 0; r < WT_REASON_COUNT; r++)
			if (r != WT_REASON_REPLAY)
				assert_int_equal(w->server.worker->refusals[r], 0);
		wt_end_close(&w->alice);
		wt_end_close(&w->server);
	}
}

static void a_flow_keeps_to_a_lane(void **state)
{
	struct wt_world *w = *state;
	unsigned of_flow[FLOWS], on_lane[3] = { 0 };

	open_both(w, 3);
	for (unsigned flow = 0; flow < FLOWS; flow++) {
		of_flow[flow] = lane_taken(w, &w->alice, flow_goes, flow);
		on_lane[of_flow[flow]]++;
	}
	/* On all, and back on the same. */
	for (unsigned i = 0; i < 3; i++)
		assert_true(on_lane[i] > 0);
	for (unsigned flow = 0; flow < FLOWS; flow++) {
		assert_int_equal(lane_taken(w, &w->alice, flow_goes, flow), of_flow[flow]);
		assert_int_equal(lane_taken(w, &w->server, flow_comes, flow), of_flow[flow]);
	}
}

static void lanes_are_named_and_summed(void **state)
{
	struct wt_world *w = *state;

	open_both(w, 2);
	assert_true(wt_world_logged(w, "peer alice, connection 1 up: "));
	assert_true(wt_world_logged(w, "peer office, connection 2 up: "));
	for (unsigned flow = 0; flow < FLOWS; flow++)
		flow_goes(w, flow);
	wt_report(w->alice.worker);
	wt_world_settle(w);
	assert_true(wt_world_logged(w, "peer office: state=up endpoint="));
	assert_true(wt_world_logged(w, " connections=2 rx_packets=0 rx_bytes=0 tx_packets=24 "));
	assert_true(wt_world_logged(w, " handshakes=2"));
}

/* ---- when one breaks --------------------------------------------------------------------- */

static void flows_move_to_lanes_that_are_up(void **state)
{
	struct wt_world *w = *state;
	unsigned of_flow[FLOWS], moved_to[3] = { 0 };

	open_both(w, 3);
	for (unsigned flow = 0; flow < FLOWS; flow++)
		of_flow[flow] = lane_taken(w, &w->alice, flow_goes, flow);
	for (unsigned broken = 0; broken < 3; broken++) {
		wt_memory_net.unreachable = true;
		wt_conn_close(lane(&w->server, broken)->active, true, "the test");
		wt_world_pass(w, 100);
		assert_int_equal(up_count(&w->alice), 2);
		for (unsigned flow = 0; flow < FLOWS; flow++) {
			unsigned now = lane_taken(w, &w->alice, flow_goes, flow);

			assert_int_equal(lane_taken(w, &w->server, flow_comes, flow), now);
			assert_int_not_equal(now, broken);
			/* The others stay where they are. */
			if (of_flow[flow] != broken)
				assert_int_equal(now, of_flow[flow]);
			else
				moved_to[now]++;
		}
		wt_report(w->server.worker);
		assert_true(wt_world_logged(w, "peer alice: state=up"));
		assert_false(wt_world_logged(w, "peer alice: state=down"));
		wt_memory_net.unreachable = false;
		until_up(w, 3);
		for (unsigned flow = 0; flow < FLOWS; flow++)
			assert_int_equal(lane_taken(w, &w->alice, flow_goes, flow), of_flow[flow]);
	}
	/* Not all on one. */
	for (unsigned i = 0; i < 3; i++)
		assert_true(moved_to[i] > 0);
}

static void a_restarted_server_gets_all_again(void **state)
{
	struct wt_world *w = *state;
	static const unsigned next[] = { 3, 2, 1, 3 };

	open_both(w, 3);
	for (size_t i = 0; i < sizeof next / sizeof next[0]; i++) {
		wt_end_close(&w->server);
		wt_world_pass(w, 100);
		assert_int_equal(up_count(&w->alice), 0);
		open_server(w, next[i]);
		until_up(w, next[i]);
		/* Nor does it try for more than are allowed. */
		wt_world_pass(w, 3000);
		uint64_t refused = w->server.worker->refusals[WT_REASON_PARAMS];

		wt_world_pass(w, 20000);
		assert_int_equal(w->server.worker->refusals[WT_REASON_PARAMS], refused);
		assert_true(all_are_up(w));
		for (unsigned flow = 0; flow < FLOWS; flow++) {
			flow_goes(w, flow);
			flow_comes(w, flow);
		}
	}
}

/* ---- handshakes ------------------------------------------------------------------------- */

static unsigned under_way(struct wt_end *end)
{
	unsigned n = 0;

	for (unsigned i = 0; i < lanes_of(end)->count; i++) {
		const struct wt_peer *peer = lane(end, i);

		n += (peer->active && peer->active->own.auth) ||
		     (peer->attempt && peer->attempt->own.auth);
	}
	return n;
}

/* However bytes are delayed, no two are under way at once; and none is lost. */
static void handshakes_take_turns(void **state)
{
	struct wt_world *w = *state;
	unsigned most = 0;

	open_both(w, 4);
	for (unsigned i = 0; i < 4; i++)
		wt_initiation_start(lane(&w->alice, i)->active);
	assert_int_equal(under_way(&w->alice), 1);
	for (int i = 0; i < 6000; i++) {
		wt_memory_net.hold = i % 4 != 3;
		if (!wt_memory_net.hold)
			for (struct wt_memory_link *l = wt_memory_net.links; l; l = l->next) {
				wt_memory_deliver(l, 0, SIZE_MAX);
				wt_memory_deliver(l, 1, SIZE_MAX);
			}
		wt_world_pass(w, 100);
		most = under_way(&w->alice) > most ? under_way(&w->alice) : most;
	}
	wt_memory_net.hold = false;
	assert_int_equal(most, 1);
	assert_true(all_are_up(w));
	assert_false(wt_world_logged(w, " down: "));
	/* 600 s, and keys for 120 s at most. */
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(lane(&w->server, i)->counters.handshakes, 6, 9);
}

/* Ten minutes, in which every fifth datagram is lost. */
static enum wt_fate every_fifth_is_lost(void *arg, struct wt_datagram *datagram)
{
	static unsigned count;

	(void)arg;
	(void)datagram;
	return ++count % 5 ? WT_FATE_ARRIVES : WT_FATE_LOST;
}

static void rekeys_over_datagrams(void **state)
{
	struct wt_world *w = *state;

	open_both(w, 3);
	wt_packet_net.fate = every_fifth_is_lost;
	wt_world_pass(w, 600000);
	wt_packet_net.fate = NULL;
	wt_world_pass(w, 6000);
	assert_true(all_are_up(w));
	assert_false(wt_world_logged(w, " down: "));
	for (unsigned i = 0; i < 3; i++)
		/* A ping that gets no answer begins one, too. */
		assert_in_range(lane(&w->server, i)->counters.handshakes, 5, 40);
	for (unsigned flow = 0; flow < FLOWS; flow++) {
		flow_goes(w, flow);
		flow_comes(w, flow);
	}
}

/* One that gets no answer keeps the others waiting for a while, not for ever. */
static void a_dead_lane_keeps_no_turn(void **state)
{
	struct wt_world *w = *state;

	open_both(w, 3);
	/* The newest is that of the last lane. */
	wt_memory_room(wt_memory_net.links, 0, 0);
	wt_initiation_start(lane(&w->alice, 2)->active);
	assert_int_equal(under_way(&w->alice), 1);
	wt_initiation_start(lane(&w->alice, 0)->active);
	assert_null(lane(&w->alice, 0)->active->own.auth);
	wt_world_pass(w, WT_HANDSHAKE_MS - 200);
	assert_int_equal(lane(&w->alice, 0)->counters.handshakes, 1);
	wt_world_pass(w, 1000);
	assert_int_equal(lane(&w->alice, 0)->counters.handshakes, 2);
	wt_world_pass(w, WT_WIPE_AFTER_MS);
	assert_true(wt_world_logged(w, "peer office, connection 3 down: "));
	assert_false(wt_world_logged(w, "connection 1 down: "));
	assert_false(wt_world_logged(w, "connection 2 down: "));
	assert_true(all_are_up(w));
}

static void turns(void **state)
{
	struct wt_lanes three = { .count = 3 }, one = { .count = 1 };

	(void)state;
	assert_true(wt_lanes_begin(&three, 1, 1000));
	assert_true(wt_lanes_begin(&three, 1, 1001));
	assert_false(wt_lanes_begin(&three, 0, 1002));
	wt_lanes_done(&three, 0); /* not its own */
	assert_false(wt_lanes_begin(&three, 0, 1003));
	wt_lanes_done(&three, 1);
	assert_true(wt_lanes_begin(&three, 0, 1004));
	assert_false(wt_lanes_begin(&three, 2, 1003)); /* another clock */
	assert_false(wt_lanes_begin(&three, 2, 1004 + WT_HANDSHAKE_MS - 1));
	/* It asked again meanwhile, which is no reason for more time. */
	assert_true(wt_lanes_begin(&three, 0, 1004 + WT_HANDSHAKE_MS - 1));
	assert_true(wt_lanes_begin(&three, 2, 1004 + WT_HANDSHAKE_MS));
	assert_false(wt_lanes_begin(&three, 0, 1004 + WT_HANDSHAKE_MS));
	wt_lanes_done(&three, 0);
	assert_false(wt_lanes_begin(&three, 1, 1004 + WT_HANDSHAKE_MS));
	/* Who has one needs no turn. */
	assert_true(wt_lanes_begin(&one, 0, 5));
	assert_int_equal(one.turn, 0);
}

static void indices(void **state)
{
	struct wt_peer_settings peers[] = {
		{ .connections = 1 }, { .connections = 3 }, { .connections = 1 },
		{ .connections = 2 }, { .connections = 1 },
	};
	struct wt_settings settings = { .peers = peers, .peer_count = 5 };
	struct wt_node node = { .settings = &settings, .peer_count = 5 };
	struct wt_error err = WT_ERROR_INIT;
	bool used[8] = { false };

	(void)state;
	assert_int_equal(wt_lanes_init(&node, &err), WT_OK);
	assert_int_equal(node.lane_count, 8);
	for (uint32_t id = 0; id < 5; id++)
		for (unsigned i = 0; i < peers[id].connections; i++) {
			uint32_t at = wt_lanes_at(&node.lanes[id], i);
			unsigned back = UINT32_MAX;

			assert_true(at < 8 && !used[at] && (i > 0) == (at >= 5));
			used[at] = true;
			assert_ptr_equal(wt_lanes_of(&node, at, &back), &node.lanes[id]);
			assert_int_equal(back, i);
		}
	wt_lanes_fini(&node);
}

/* ---- what the other end may not ---------------------------------------------------------- */

/* It goes for more than it was told that it may have. */
static void more_than_allowed_are_refused(void **state)
{
	struct wt_world *w = *state;

	open_server(w, 2);
	open_client(w, &w->alice, "alice", 3);
	until_up(w, 2);
	wt_lanes_agree(lanes_of(&w->alice), 3);
	wt_dial_schedule(lane(&w->alice, 2), 0);
	wt_world_pass(w, 2000);
	assert_true(wt_world_logged(w, "peer alice: its parameters are refused: it makes "
				       "connection 3, and `connections` here allows 2"));
	assert_true(w->server.worker->refusals[WT_REASON_PARAMS] > 0);
	assert_false(wt_peer_is_up(lane(&w->alice, 2)));
	wt_lanes_agree(lanes_of(&w->alice), 2);
	/* Those that it has are not touched, and bob has his own. */
	assert_int_equal(up_count(&w->server), 2);
	for (unsigned flow = 0; flow < FLOWS; flow++)
		flow_comes(w, flow);
	open_client(w, &w->bob, "bob", 2);
	wt_world_pass(w, 1000);
	assert_int_equal(up_count(&w->bob), 2);
	wt_world_carries(w, &w->bob, &w->server, "10.8.0.3", "10.8.0.1", PACKET);
}

/* Nor if the auth plugin does not ask about them. */
static void more_than_allowed_are_refused_by_the_core(void **state)
{
	struct wt_world *w = *state;

	wt_end_plugin(&wt_later_plugin);
	wt_later = (struct wt_later){ .delay_ms = 300 };
	w->auth = "later";
	for (int with_done = 0; with_done < 2; with_done++) {
		wt_later = (struct wt_later){ .keys_with_done = with_done, .asks_nothing = true };
		open_server(w, 2);
		open_client(w, &w->alice, "alice", 3);
		until_up(w, 1);
		wt_lanes_agree(lanes_of(&w->alice), 3);
		wt_dial_schedule(lane(&w->alice, 2), 0);
		wt_world_pass(w, 400);
		assert_false(wt_peer_is_up(lane(&w->alice, 2)));
		assert_int_equal(up_count(&w->server), 1);
		assert_int_equal(w->server.worker->refusals[WT_REASON_PARAMS] > 0, !with_done);
		assert_int_equal(w->server.worker->drops[WT_DROP_CRYPTO] > 0, with_done);
		assert_int_equal(lane(&w->server, 0)->counters.handshakes, 1);
		/* One that it may have: if its number is there with the first message. */
		wt_lanes_agree(lanes_of(&w->alice), 2);
		wt_dial_schedule(lane(&w->alice, 1), 0);
		wt_world_pass(w, 400);
		assert_int_equal(up_count(&w->server), with_done ? 1 : 2);
		assert_int_equal(up_count(&w->alice), with_done ? 1 : 2);
		wt_end_close(&w->alice);
		wt_end_close(&w->server);
	}
}

/* The core has more places than there are peers: no plugin was told of those. */
static void a_lane_is_no_peer(void **state)
{
	struct wt_world *w = *state;

	wt_end_plugin(&wt_later_plugin);
	wt_later = (struct wt_later){ .fault[WT_LATER_M1] = WT_LATER_PEER_LANE };
	w->auth = "later";
	open_server(w, 4);
	open_client(w, &w->alice, "alice", 4);
	wt_world_pass(w, 400);
	assert_true(wt_world_logged(w, "it names no peer"));
	assert_int_equal(up_count(&w->server), 0);
	wt_later.fault[WT_LATER_M1] = WT_LATER_SOUND;
	until_up(w, 4);
}

/* A connection is of one lane for all its life. */
static void a_connection_keeps_its_lane(void **state)
{
	struct wt_world *w = *state;
	struct wt_peer *peer;

	open_both(w, 3);
	peer = lane(&w->alice, 1);
	peer->lane = 2;
	wt_initiation_start(peer->active);
	peer->lane = 1;
	wt_world_settle(w);
	assert_int_equal(w->server.worker->refusals[WT_REASON_PARAMS], 1);
	assert_true(wt_world_logged(w, "peer alice, connection 2 down: "));
	assert_false(wt_world_logged(w, "peer alice, connection 3 down: "));
	assert_int_equal(lane(&w->server, 2)->counters.handshakes, 1);
	until_up(w, 3);
}

/* A second machine with the same key takes the lanes that it makes, each as a
 * newer connection does, and there are never more than allowed. */
static void a_copy_of_the_key_gets_no_more(void **state)
{
	struct wt_world *w = *state;
	unsigned count = 0;

	open_both(w, 2);
	open_client(w, &w->bob, "alice", 2);
	wt_world_pass(w, WT_PREVIOUS_MS + 10000);
	assert_int_equal(up_count(&w->bob), 2);
	assert_int_equal(up_count(&w->alice), 0);
	for (const struct wt_link *l = w->server.worker->links; l; l = l->next)
		count++;
	assert_int_equal(count, 2);
	wt_world_carries(w, &w->bob, &w->server, "10.8.0.2", "10.8.0.1", PACKET);
}

int main(void)
{
#define LANES_TEST(f) cmocka_unit_test_setup_teardown(f, wt_world_setup_memory, wt_world_teardown)
#define PACKETS_TEST(f)                                                                            \
	cmocka_unit_test_setup_teardown(f, wt_world_setup_packets, wt_world_teardown)
#define WORKERS_TEST(f) cmocka_unit_test_setup_teardown(f, wt_world_setup, wt_world_teardown)
	const struct CMUnitTest alone[] = {
		cmocka_unit_test(indices),
		cmocka_unit_test(turns),
		LANES_TEST(as_many_as_both_take),
		LANES_TEST(a_flow_keeps_to_a_lane),
		LANES_TEST(lanes_are_named_and_summed),
		LANES_TEST(flows_move_to_lanes_that_are_up),
		LANES_TEST(a_restarted_server_gets_all_again),
		LANES_TEST(handshakes_take_turns),
		LANES_TEST(a_dead_lane_keeps_no_turn),
		LANES_TEST(more_than_allowed_are_refused),
		LANES_TEST(more_than_allowed_are_refused_by_the_core),
		LANES_TEST(a_lane_is_no_peer),
		LANES_TEST(a_connection_keeps_its_lane),
		LANES_TEST(a_copy_of_the_key_gets_no_more),
	};
	const struct CMUnitTest datagrams[] = {
		PACKETS_TEST(as_many_as_both_take),
		PACKETS_TEST(a_flow_keeps_to_a_lane),
		PACKETS_TEST(a_restarted_server_gets_all_again),
		PACKETS_TEST(rekeys_over_datagrams),
		PACKETS_TEST(more_than_allowed_are_refused),
	};
	const struct CMUnitTest several[] = {
		WORKERS_TEST(as_many_as_both_take),
		WORKERS_TEST(a_restarted_server_gets_all_again),
	};
	int failed = cmocka_run_group_tests_name("1 worker", alone, NULL, NULL);

	failed += cmocka_run_group_tests_name("1 worker, datagrams", datagrams, NULL, NULL);
	workers = 2;
	return failed + cmocka_run_group_tests_name("2 workers", several, NULL, NULL);
}
