/* SPDX-License-Identifier: MIT
 *
 * What somebody can do who does hold a key, or who owns the network: whole
 * engines over a network of the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/counters.h"
#include "plugin/call.h"
#include "record/limits.h"
#include "session/initiation.h"
#include "session/output.h"
#include "support/memory_transport.h"
#include "support/world.h"

#define TO_SERVER 1
#define TO_CLIENT 0

/* The newest link. */
static struct wt_memory_link *link_of_last(void)
{
	assert_non_null(wt_memory_net.links);
	return wt_memory_net.links;
}

static struct wt_conn *server_conn(struct wt_world *w, size_t peer)
{
	struct wt_conn *conn = wt_world_peer(&w->server, peer)->active;

	assert_non_null(conn);
	return conn;
}

static void alice_is_up(struct wt_world *w)
{
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
}

/* With time standing still, nothing is left to do. */
static void assert_sleeps(struct wt_world *w, const struct wt_end *end)
{
	const struct wt_loop *loop = &end->worker->loop;

	wt_world_settle(w);
	if (loop->armed > 0 && loop->heap[0]->due_ms <= loop->now_ms)
		fail_msg("a timer fires again and again; the log:\n%s", w->log);
}

/* ---- two connections of one peer ------------------------------------------------ */

/* Bob's machine has Alice's key, and comes later. */
static void take_over(struct wt_world *w)
{
	wt_world_client(w, &w->bob, &(struct wt_client){ .host = 2, .key = "alice" });
	for (int i = 0; i < 50 && !wt_world_peer(&w->bob, 0)->active; i++)
		wt_world_pass(w, 100);
	assert_non_null(wt_world_peer(&w->bob, 0)->active);
	assert_non_null(wt_world_peer(&w->server, 0)->draining);
}

static void what_a_replaced_connection_sends_costs_no_rest(void **state)
{
	struct wt_world *w = *state;

	alice_is_up(w);
	wt_world_pass(w, 1000);
	take_over(w);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_pass(w, WT_KEEPALIVE_PASSIVE_MS + 1000);
	assert_non_null(wt_world_peer(&w->server, 0)->draining);
	assert_sleeps(w, &w->server);
}

static void a_replaced_connection_asks_for_nothing(void **state)
{
	struct wt_world *w = *state;

	alice_is_up(w);
	wt_world_pass(w, 1000);
	server_conn(w, 0)->ask_ms = w->server.worker->loop.now_ms + 3000;
	take_over(w);
	wt_world_pass(w, 4000);
	assert_non_null(wt_world_peer(&w->server, 0)->draining);
	assert_sleeps(w, &w->server);
}

static void packets_that_waited_do_not_stop_the_next_connection(void **state)
{
	struct wt_world *w = *state;
	uint8_t packet[1000];

	alice_is_up(w);
	wt_world_pass(w, 1000);
	/* The link to Alice stands, and packets for her wait. */
	wt_memory_room(link_of_last(), TO_CLIENT, 0);
	wt_packet_make(packet, sizeof packet, "10.8.0.1", "10.8.0.2", 0);
	for (int i = 0; i < 30; i++) {
		wt_end_inject(&w->server, packet, sizeof packet);
		wt_world_pass(w, 100);
	}
	assert_true(wt_world_peer(&w->server, 0)->queue.buffers > 0);
	/* She comes back from elsewhere. */
	take_over(w);
	wt_world_pass(w, 200);
	while (wt_end_take(&w->bob, packet, sizeof packet))
		;
	wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.2", 100);
	wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.2", 100);
}

/* ---- handshakes without end -------------------------------------------------------- */

static uint64_t counter_of(const struct wt_end *end, const char *name)
{
	const struct wt_counters *counters = end->node->counters;

	for (uint32_t id = 1; id <= wt_counter_count(counters); id++)
		if (strcmp(wt_counter_name(counters, id), name) == 0)
			return wt_counter_read(counters, id);
	fail_msg("no counter %s", name);
	return 0;
}

static void rekeys_on_demand_come_once_a_second(void **state)
{
	struct wt_world *w = *state;
	uint8_t text[WT_CONTROL_MAX];
	size_t len = wt_control_rekey(text);

	alice_is_up(w);
	for (int i = 0; i < 20; i++) {
		assert_true(wt_output_text(server_conn(w, 0), server_conn(w, 0)->keys.current, text,
					   len));
		wt_world_settle(w);
	}
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 1);
	/* What was asked for is done, a little later. */
	wt_world_pass(w, 1100);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 2);
	wt_world_pass(w, 5000);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 2);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
}

static void a_dialler_that_rekeys_without_end_is_cut_off(void **state)
{
	struct wt_world *w = *state;
	int n = 0;

	alice_is_up(w);
	const struct wt_conn *conn = server_conn(w, 0);

	while (n < 50 && wt_world_peer(&w->server, 0)->active == conn) {
		wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
		wt_world_settle(w);
		n++;
	}
	assert_in_range(n, 3, 8);
	assert_in_range(counter_of(&w->server, "auth-hmac.hmac_dh"), 3, 8);
	assert_int_equal(w->server.worker->refusals[WT_REASON_RATE], 1);
}

/* ---- what a recorded message is good for ---------------------------------------------- */

/* Alice's first message, which never arrived. */
static size_t record_m1(struct wt_world *w, uint8_t *m1, size_t size)
{
	size_t len;

	wt_memory_net.hold = true;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_settle(w);
	len = wt_memory_waiting(link_of_last(), TO_SERVER);
	assert_in_range(len, 1, size);
	wt_memory_peek(link_of_last(), TO_SERVER, m1, len);
	wt_end_close(&w->alice);
	wt_memory_net.hold = false;
	return len;
}

static void a_recorded_message_gets_one_retry_a_connection(void **state)
{
	struct wt_world *w = *state;
	uint8_t m1[512], answer[512];
	size_t len = record_m1(w, m1, sizeof m1);

	wt_world_pass(w, 120000);
	struct wt_memory_link *link = wt_memory_connect(w->port);

	wt_memory_inject(link, TO_SERVER, m1, len);
	wt_world_settle(w);
	assert_int_equal(wt_memory_read(link, answer, sizeof answer), 84);
	assert_false(wt_memory_closed(link));
	assert_int_equal(w->server.worker->half_open_count, 1);
	wt_memory_inject(link, TO_SERVER, m1, len);
	wt_world_settle(w);
	assert_int_equal(wt_memory_read(link, answer, sizeof answer), 0);
	assert_true(wt_memory_closed(link));
	wt_memory_hang_up(link);
}

/* ---- links that stand -------------------------------------------------------------------- */

/* The record that tells the dialler that its keys arrived may have to wait, but
 * it comes. */
static void a_rekey_survives_a_full_output(void **state)
{
	static const uint8_t padding[] = { WT_INNER_PADDING };
	struct wt_world *w = *state;

	alice_is_up(w);
	wt_world_pass(w, 2000);
	wt_memory_net.hold = true;
	struct wt_memory_link *link = link_of_last();
	struct wt_conn *conn = server_conn(w, 0);

	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	wt_world_settle(w);
	wt_memory_deliver(link, TO_SERVER, SIZE_MAX);
	wt_world_settle(w);
	wt_memory_deliver(link, TO_CLIENT, SIZE_MAX);
	wt_world_settle(w);
	/* M3 is on its way; the other direction fills up. */
	assert_non_null(conn->keys.next);
	wt_memory_room(link, TO_CLIENT, 0);
	while (wt_output_text(conn, conn->keys.current, padding, sizeof padding))
		wt_output_flush(conn->link);
	wt_memory_deliver(link, TO_SERVER, SIZE_MAX);
	wt_world_settle(w);
	assert_null(conn->keys.next);
	/* It goes on. */
	wt_memory_net.hold = false;
	wt_memory_room(link, TO_CLIENT, 1 << 20);
	wt_memory_deliver(link, TO_CLIENT, SIZE_MAX);
	wt_world_pass(w, 3000);
	assert_null(wt_world_peer(&w->alice, 0)->active->own.auth);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, 2);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
}

/* Peers that never read: each may have some of what is there to have, and all of
 * them together not all of it. */
static void stuck_peers_leave_buffers_for_the_others(void **state)
{
	enum { STUCK = 12 };
	static const char ini[] = "[tunnel]\ninterface = wt0\naddress = 10.8.1.%d/24\n"
				  "[crypto]\nplugin = aesgcm-sodium\n[transport memory]\n"
				  "[auth hmac]\n[peer office]\n"
				  "endpoint = memory://127.0.0.1:%u\npsk_file = p%d.psk\n"
				  "allowed_ips = 10.8.0.0/24\n";
	struct wt_world *w = *state;
	struct wt_end stuck[STUCK];
	struct wt_end *ends[STUCK + 1];
	uint8_t packet[1400];
	char more[4096] = "", name[16];

	for (int i = 0; i < STUCK; i++) {
		size_t at = strlen(more);

		snprintf(name, sizeof name, "p%d", i);
		wt_end_key(w->dir, name, (uint8_t)(50 + i));
		snprintf(more + at, sizeof more - at,
			 "\n[peer p%d]\npsk_file = p%d.psk\nallowed_ips = 10.8.1.%d/32\n", i, i,
			 i + 1);
	}
	wt_world_server(w, more);
	ends[STUCK] = &w->server;
	for (int i = 0; i < STUCK; i++) {
		snprintf(name, sizeof name, "p%d", i);
		stuck[i] = (struct wt_end){ .tun = -1 };
		wt_end_open(&stuck[i], w->dir, name, &w->clock.clock, ini, i + 1, w->port, i);
		ends[i] = &stuck[i];
	}
	wt_ends_settle(ends, STUCK + 1);
	for (struct wt_memory_link *link = wt_memory_net.links; link; link = link->next)
		wt_memory_room(link, TO_CLIENT, 100);
	wt_world_client(w, &w->alice, &(struct wt_client){ .host = 2, .key = "alice" });
	wt_world_settle(w);
	for (int i = 0; i < STUCK; i++) {
		char to[32];

		assert_non_null(wt_world_peer(&w->server, (size_t)i)->active);
		snprintf(to, sizeof to, "10.8.1.%d", i + 1);
		wt_packet_make(packet, sizeof packet, "10.8.0.1", to, 0);
		for (int k = 0; k < 20; k++)
			wt_end_inject(&w->server, packet, sizeof packet);
		/* Nor does the device wait for one of them for long. */
		wt_world_pass(w, 300);
	}
	assert_true(w->server.worker->slots.free_count >= 32);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 1400);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 1400);
	for (int i = 0; i < STUCK; i++)
		wt_end_close(&stuck[i]);
}

/* ---- what breaks ------------------------------------------------------------------------------
 */

static void a_dial_that_is_never_answered_ends(void **state)
{
	struct wt_world *w = *state;

	wt_memory_net.unreachable = true;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_pass(w, 60000);
	wt_memory_net.unreachable = false;
	wt_world_pass(w, WT_DIAL_MS + 6000);
	assert_true(wt_world_alice_up(w));
}

/* A server that ends each session at once is not dialled five times a second. */
static void sessions_that_do_not_last_are_not_begun_in_haste(void **state)
{
	struct wt_world *w = *state;
	uint64_t before;

	wt_world_server(w, "");
	wt_world_alice(w);
	for (int i = 0; i < 200; i++) {
		wt_world_pass(w, 100);
		if (wt_world_alice_up(w))
			wt_conn_close(server_conn(w, 0), true, "again");
	}
	assert_in_range(wt_world_peer(&w->alice, 0)->counters.handshakes, 4, 9);
	before = wt_world_peer(&w->alice, 0)->counters.handshakes;
	/* One that did last is missed at once. */
	wt_world_pass(w, 20000);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, before + 1);
	wt_conn_close(server_conn(w, 0), true, "again");
	wt_world_pass(w, 400);
	assert_true(wt_world_alice_up(w));
}

static void a_transport_that_gives_nothing_does_not_hold_the_loop(void **state)
{
	struct wt_world *w = *state;

	alice_is_up(w);
	wt_memory_net.recv_nothing = true;
	wt_memory_inject(link_of_last(), TO_SERVER, "x", 1);
	alarm(20);
	wt_world_settle(w);
	alarm(0);
}

/* Without a device there is nothing to wait for, least of all in a loop. */
static void a_device_that_is_gone_is_said_and_left_alone(void **state)
{
	struct wt_world *w = *state;
	struct epoll_event event;

	alice_is_up(w);
	assert_false(w->server.worker->tun.gone);
	close(w->server.tun);
	w->server.tun = -1;
	wt_world_settle(w);
	assert_int_equal(epoll_wait(w->server.worker->loop.epoll_fd, &event, 1, 0), 0);
	assert_true(w->server.worker->tun.gone);
	assert_true(wt_world_logged(w, "error: the TUN device is gone"));
	assert_non_null(wt_world_peer(&w->server, 0)->active);
}

/* ---- inner addresses ------------------------------------------------------------------------ */

static void sources_that_nobody_has_are_dropped(void **state)
{
	static const char *const sources[] = {
		"10.8.0.2", /* the receiver's own */
		"0.0.0.0",   "127.0.0.1", "127.255.255.255", "224.0.0.1",
		"239.1.2.3", "240.0.0.1", "255.255.255.255",
	};
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_client(w, &w->alice,
			&(struct wt_client){ .host = 2,
					     .key = "alice",
					     .peer = "allowed_ips = 0.0.0.0/0, ::/0\n" });
	wt_world_until(w, wt_world_alice_up);
	wt_world_carries(w, &w->server, &w->alice, "192.0.2.1", "10.8.0.2", 100);
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		wt_world_loses(w, &w->server, &w->alice, sources[i], "10.8.0.2");
		assert_int_equal(wt_world_peer(&w->alice, 0)->counters.drops[WT_DROP_SOURCE],
				 i + 1);
	}
	/* And none of them leads to a peer. */
	wt_world_loses(w, &w->alice, &w->server, "10.8.0.2", "127.0.0.1");
	assert_int_equal(w->alice.worker->drops[WT_DROP_NO_ROUTE], 1);
}

int main(void)
{
#define HOSTILE_TEST(f) cmocka_unit_test_setup_teardown(f, wt_world_setup_memory, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		HOSTILE_TEST(what_a_replaced_connection_sends_costs_no_rest),
		HOSTILE_TEST(a_replaced_connection_asks_for_nothing),
		HOSTILE_TEST(packets_that_waited_do_not_stop_the_next_connection),
		HOSTILE_TEST(rekeys_on_demand_come_once_a_second),
		HOSTILE_TEST(a_dialler_that_rekeys_without_end_is_cut_off),
		HOSTILE_TEST(a_recorded_message_gets_one_retry_a_connection),
		HOSTILE_TEST(a_rekey_survives_a_full_output),
		HOSTILE_TEST(sources_that_nobody_has_are_dropped),
		HOSTILE_TEST(stuck_peers_leave_buffers_for_the_others),
		HOSTILE_TEST(a_dial_that_is_never_answered_ends),
		HOSTILE_TEST(sessions_that_do_not_last_are_not_begun_in_haste),
		HOSTILE_TEST(a_device_that_is_gone_is_said_and_left_alone),
		HOSTILE_TEST(a_transport_that_gives_nothing_does_not_hold_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
