/* SPDX-License-Identifier: MIT
 *
 * What follows when links, addresses or routes of the machine change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "record/limits.h"
#include "support/memory_transport.h"
#include "support/netns.h"
#include "support/packet_transport.h"
#include "support/world.h"
#include "tun/surroundings.h"

/* A PING as it waits in the memory transport: length, record. */
#define PING_BYTES (4u + WT_RECORD_HEADER + WT_CONTROL_MAX + WT_TAG_SIZE)

/* Where alice gets her news from. */
static int news[2];

static int setup_memory(void **state)
{
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, news) != 0)
		return -1;
	return wt_world_setup_memory(state);
}

static int setup_packets(void **state)
{
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, news) != 0)
		return -1;
	return wt_world_setup_packets(state);
}

/* A machine of its own, and the kernel's news. */
static int setup_machine(void **state)
{
	struct wt_error err = WT_ERROR_INIT;

	wt_netns_enter();
	wt_netns_loopback(true);
	news[1] = -1;
	if (wt_surroundings_open(&news[0], &err) != WT_OK)
		return -1;
	return wt_world_setup(state);
}

static int teardown(void **state)
{
	int rc = wt_world_teardown(state);

	close(news[0]);
	if (news[1] >= 0)
		close(news[1]);
	return rc;
}

static void listen_to_news(struct wt_world *w)
{
	struct wt_error err = WT_ERROR_INIT;

	assert_int_equal(wt_engine_watch_network(w->alice.engine, news[0], &err), WT_OK);
}

static void tell(struct wt_world *w)
{
	assert_int_equal(send(news[1], "news", 4, 0), 4);
	wt_world_settle(w);
}

static struct wt_peer *office(struct wt_world *w)
{
	return wt_world_peer(&w->alice, 0);
}

static void start(struct wt_world *w, const char *peer)
{
	wt_world_server(w, "");
	wt_world_client(w, &w->alice,
			&(struct wt_client){ .host = 2, .key = "alice", .peer = peer });
	listen_to_news(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_pass(w, 1000);
}

static size_t pings_under_way(void)
{
	size_t waiting = wt_memory_waiting(wt_memory_net.links, 1);

	assert_int_equal(waiting % PING_BYTES, 0);
	return waiting / PING_BYTES;
}

static void comes_up_at_the_news(struct wt_world *w)
{
	while (!wt_timer_armed(&office(w)->dial.timer) ||
	       office(w)->dial.timer.due_ms < w->clock.boot_ms + 3000)
		wt_world_pass(w, 100);
	wt_world_server(w, "");
	wt_world_settle(w);
	assert_false(wt_world_alice_up(w));
	/* The clock stands. */
	tell(w);
	assert_true(wt_world_alice_up(w));
}

static void a_waiting_dial_is_made_at_once(void **state)
{
	struct wt_world *w = *state;

	wt_world_alice(w);
	listen_to_news(w);
	wt_world_pass(w, 20000);
	comes_up_at_the_news(w);
}

static void a_held_dial_is_not(void **state)
{
	struct wt_world *w = *state;

	start(w, "");
	wt_world_client(w, &w->bob, &(struct wt_client){ .host = 2, .key = "alice" });
	for (int i = 0; i < 300 && office(w)->active; i++)
		wt_world_pass(w, 100);
	assert_true(wt_world_logged(w, "another dialler with the same key took our place"));
	for (int i = 0; i < 40; i++) {
		tell(w);
		wt_world_pass(w, 1000);
		assert_null(office(w)->active);
	}
	/* Until it was made once, in vain. */
	wt_end_close(&w->bob);
	wt_end_close(&w->server);
	wt_world_pass(w, 40000);
	comes_up_at_the_news(w);
}

static void what_stands_is_asked_at_once(void **state)
{
	static const char *const peers[] = { "", "keepalive = 3600\n" };
	struct wt_world *w = *state;

	for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
		start(w, peers[i]);
		wt_memory_net.hold = true;
		assert_int_equal(pings_under_way(), 0);
		tell(w);
		assert_int_equal(pings_under_way(), 1);
		/* It is asked once, */
		wt_world_pass(w, 1000);
		assert_int_equal(pings_under_way(), 1);
		/* and without an answer by a handshake. */
		assert_null(office(w)->active->own.auth);
		wt_world_pass(w, WT_DEAD_PEER_MS - 1000);
		assert_non_null(office(w)->active->own.auth);
		wt_memory_net.hold = false;
		wt_end_close(&w->alice);
		wt_end_close(&w->server);
		close(news[0]);
		close(news[1]);
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, news), 0);
	}
}

static void an_answer_is_the_end_of_it(void **state)
{
	struct wt_world *w = *state;

	start(w, "");
	tell(w);
	wt_world_pass(w, 2 * WT_DEAD_PEER_MS);
	assert_non_null(office(w)->active);
	assert_null(office(w)->active->own.auth);
	assert_int_equal(office(w)->counters.handshakes, 1);
}

static void a_burst_of_news_nudges_once_a_second(void **state)
{
	struct wt_world *w = *state;

	start(w, "");
	wt_memory_net.hold = true;
	for (int i = 0; i < 30; i++) {
		tell(w);
		tell(w);
		wt_world_pass(w, 100);
	}
	/* At 0, 1 and 2 s; the last news come at 2.9 s and count at 3. */
	assert_int_equal(pings_under_way(), 4);
	wt_world_pass(w, 1000);
	assert_int_equal(pings_under_way(), 4);
}

static void the_accepting_end_asks_nobody(void **state)
{
	struct wt_world *w = *state;
	struct wt_error err = WT_ERROR_INIT;

	wt_world_server(w, "");
	wt_world_alice(w);
	assert_int_equal(wt_engine_watch_network(w->server.engine, news[0], &err), WT_OK);
	wt_world_until(w, wt_world_alice_up);
	wt_world_pass(w, 1000);
	wt_memory_net.hold = true;
	tell(w);
	wt_world_pass(w, 1000);
	assert_int_equal(wt_memory_waiting(wt_memory_net.links, 0), 0);
	assert_int_equal(wt_memory_waiting(wt_memory_net.links, 1), 0);
}

static enum wt_fate lost(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	(void)datagram;
	return WT_FATE_LOST;
}

static void datagrams_that_got_no_answer_are_sent_again_at_once(void **state)
{
	struct wt_world *w = *state;
	uint64_t sent;

	wt_packet_net.fate = lost;
	wt_world_server(w, "");
	wt_world_alice(w);
	listen_to_news(w);
	wt_world_pass(w, 3000);
	sent = wt_packet_net.sent;
	wt_packet_net.fate = NULL;
	/* The clock stands. */
	tell(w);
	assert_true(wt_world_alice_up(w));
	assert_true(wt_packet_net.sent > sent);
}

static void a_session_over_datagrams_is_asked_at_once(void **state)
{
	struct wt_world *w = *state;
	uint64_t sent;

	start(w, "");
	sent = wt_packet_net.sent;
	tell(w);
	/* PING and PONG. */
	assert_int_equal(wt_packet_net.sent, sent + 2);
}

static bool alice_lost(void *arg)
{
	struct wt_world *w = arg;

	return !office(w)->active;
}

static void a_stream_from_an_address_that_is_gone_ends(void **state)
{
	struct wt_world *w = *state;

	start(w, "");
	/* Other news harm nothing. */
	wt_netns_address("lo:1", "192.0.2.1");
	wt_world_pass(w, 2000);
	assert_non_null(office(w)->active);
	wt_netns_address("lo", "198.51.100.1");
	wt_world_until(w, alice_lost);
	assert_true(
		wt_world_logged(w, "peer office down: the address that it was made from is gone"));
	wt_world_pass(w, 10000);
	wt_netns_address("lo", "127.0.0.1");
	wt_world_pass(w, 1000);
	wt_world_until(w, wt_world_alice_up);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_waiting_dial_is_made_at_once, setup_memory,
						teardown),
		cmocka_unit_test_setup_teardown(a_held_dial_is_not, setup_memory, teardown),
		cmocka_unit_test_setup_teardown(what_stands_is_asked_at_once, setup_memory,
						teardown),
		cmocka_unit_test_setup_teardown(an_answer_is_the_end_of_it, setup_memory, teardown),
		cmocka_unit_test_setup_teardown(a_burst_of_news_nudges_once_a_second, setup_memory,
						teardown),
		cmocka_unit_test_setup_teardown(the_accepting_end_asks_nobody, setup_memory,
						teardown),
		cmocka_unit_test_setup_teardown(datagrams_that_got_no_answer_are_sent_again_at_once,
						setup_packets, teardown),
		cmocka_unit_test_setup_teardown(a_session_over_datagrams_is_asked_at_once,
						setup_packets, teardown),
		cmocka_unit_test_setup_teardown(a_stream_from_an_address_that_is_gone_ends,
						setup_machine, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
