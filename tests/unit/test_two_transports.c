/* SPDX-License-Identifier: MIT
 *
 * A server that listens for a stream and for datagrams at once: a peer may come
 * by either, the newest session carries its traffic, the older one ends.
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
#include "support/memory_transport.h"
#include "support/packet_transport.h"
#include "support/world.h"

static enum wt_fate all_lost(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	(void)datagram;
	return WT_FATE_LOST;
}

static void up(struct wt_world *w)
{
	w->also = "memory";
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
}

static bool by_datagrams(struct wt_end *end)
{
	const struct wt_conn *conn = wt_world_peer(end, 0)->active;

	assert_non_null(conn);
	return conn->link->datagram;
}

static void send_one(struct wt_world *w)
{
	uint8_t packet[100];

	wt_packet_make(packet, sizeof packet, "10.8.0.2", "10.8.0.1", 1);
	wt_end_inject(&w->alice, packet, sizeof packet);
	wt_world_settle(w);
	(void)wt_end_take(&w->server, packet, sizeof packet);
}

static void carries_both_ways(struct wt_world *w)
{
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 1280);
}

/* Until alice goes by datagrams, or by a stream. */
static void goes_by(struct wt_world *w, bool datagrams, uint64_t within_ms)
{
	for (uint64_t t = 0; t < within_ms; t += 100) {
		if (wt_world_alice_up(w) && by_datagrams(&w->alice) == datagrams &&
		    by_datagrams(&w->server) == datagrams)
			return;
		wt_world_pass(w, 100);
	}
	fail_msg("did not change its transport; the log:\n%s", w->log);
}

static void a_peer_falls_back_to_a_stream_and_returns(void **state)
{
	struct wt_world *w = *state;

	up(w);
	assert_true(by_datagrams(&w->alice));
	carries_both_ways(w);
	wt_packet_net.fate = all_lost;
	send_one(w);
	goes_by(w, false, 30000);
	carries_both_ways(w);
	const struct wt_conn *draining = wt_world_peer(&w->server, 0)->draining;

	assert_non_null(draining);
	assert_true(draining->link->datagram);
	wt_world_pass(w, 16000);
	assert_null(wt_world_peer(&w->server, 0)->draining);
	/* Its indices went with it. */
	assert_int_equal(w->server.worker->indices->count, 0);
	/* Datagrams pass again; that is looked for from time to time. */
	wt_packet_net.fate = NULL;
	wt_world_pass(w, 5000);
	assert_false(by_datagrams(&w->alice));
	carries_both_ways(w);
	wt_memory_cut(wt_memory_net.links);
	/* It was the last that worked: first there, and then to what comes first. */
	goes_by(w, false, 10000);
	goes_by(w, true, 40000);
	carries_both_ways(w);
}

/* The second of two sessions has the traffic at once; the first still receives what
 * is on its way, and is told. */
static void the_newest_session_carries_the_traffic(void **state)
{
	struct wt_world *w = *state;

	w->also = "memory";
	wt_world_server(w, "");
	w->also = NULL;
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
	/* Another process with the same key comes by the stream. */
	w->transport = "memory";
	wt_world_client(w, &w->bob, &(struct wt_client){ .host = 2, .key = "alice" });
	wt_world_settle(w);
	assert_false(by_datagrams(&w->server));
	wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.2", 100);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_pass(w, 16000);
	assert_false(wt_peer_is_up(wt_world_peer(&w->alice, 0)));
	assert_true(wt_world_logged(w, "another dialler with the same key took our place"));
	wt_world_carries(w, &w->bob, &w->server, "10.8.0.2", "10.8.0.1", 100);
	/* And back, a minute later. */
	w->transport = "packets";
	wt_world_pass(w, 61000);
	assert_true(by_datagrams(&w->server));
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
}

/* Old keys of one transport are nothing on another: copies of a stream's records
 * and messages that come as datagrams. */
static void transports_do_not_share_keys(void **state)
{
	struct wt_world *w = *state;

	w->also = "memory";
	wt_world_server(w, "");
	w->transport = "memory";
	w->also = NULL;
	wt_memory_net.hold = true;
	wt_world_alice(w);
	uint64_t drops = 0;

	for (int i = 0; i < 50 && !wt_world_alice_up(w); i++) {
		wt_world_settle(w);
		struct wt_memory_link *link = wt_memory_net.links;

		for (int to = 0; link && to < 2; to++) {
			uint8_t bytes[1024];
			size_t n = wt_memory_waiting(link, to);

			assert_true(n <= sizeof bytes);
			if (n > 0)
				wt_memory_peek(link, to, bytes, n);
			if (n > 4 && to == 1) {
				wt_packets_inject(40000, w->port, bytes + 4, n - 4);
				drops++;
			}
			wt_memory_deliver(link, to, n);
		}
	}
	assert_true(wt_world_alice_up(w));
	assert_true(drops >= 2);
	wt_world_settle(w);
	uint64_t refused = w->server.worker->drops[WT_DROP_INDEX];

	for (size_t i = 0; i < WT_REASON_COUNT; i++)
		refused += w->server.worker->refusals[i];
	assert_int_equal(refused, drops);
	assert_int_equal(wt_packet_net.sent, 0);
	wt_memory_net.hold = false;
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, wt_world_setup_packets, wt_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(a_peer_falls_back_to_a_stream_and_returns),
		WORLD(the_newest_session_carries_the_traffic),
		WORLD(transports_do_not_share_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
