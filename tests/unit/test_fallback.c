/* SPDX-License-Identifier: MIT
 *
 * A peer with several endpoints: from one that fell silent to the next, back when
 * it answers again, and to the one that answers fastest, with the session going on
 * meanwhile. Whole engines over networks of the test's; time is the test's too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/memory_transport.h"
#include "support/packet_transport.h"
#include "support/world.h"

static enum wt_fate all_lost(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	(void)datagram;
	return WT_FATE_LOST;
}

static enum wt_fate all_later(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	(void)datagram;
	return WT_FATE_LATER;
}

/* Datagrams first, then a stream. */
static void begin(struct wt_world *w, const char *more, const char *peer)
{
	w->also = "memory";
	wt_world_server(w, "");
	wt_world_client(
		w, &w->alice,
		&(struct wt_client){ .host = 2, .key = "alice", .more = more, .peer = peer });
}

static bool by_datagrams(struct wt_world *w)
{
	const struct wt_conn *alice = wt_world_peer(&w->alice, 0)->active;
	const struct wt_conn *server = wt_world_peer(&w->server, 0)->active;

	return alice && server && alice->link->datagram && server->link->datagram;
}

static bool by_stream(struct wt_world *w)
{
	const struct wt_conn *alice = wt_world_peer(&w->alice, 0)->active;
	const struct wt_conn *server = wt_world_peer(&w->server, 0)->active;

	return alice && server && !alice->link->datagram && !server->link->datagram;
}

/* With traffic all the while, as a user has. */
static void within(struct wt_world *w, uint64_t ms, bool (*done)(struct wt_world *w))
{
	uint8_t packet[100];

	for (uint64_t t = 0; t < ms; t += 100) {
		if (done(w))
			return;
		wt_packet_make(packet, sizeof packet, "10.8.0.2", "10.8.0.1", 1);
		wt_end_inject(&w->alice, packet, sizeof packet);
		wt_world_pass(w, 100);
		while (wt_end_take(&w->server, packet, sizeof packet) > 0)
			;
	}
	fail_msg("not within %llu ms; the log:\n%s", (unsigned long long)ms, w->log);
}

static void carries_both_ways(struct wt_world *w)
{
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
}

static unsigned changes(const struct wt_world *w)
{
	static const char change[] = "peer office up: ";
	unsigned n = 0;

	for (const char *p = w->log; (p = strstr(p, change)) != NULL; p += sizeof change)
		n++;
	return n - 1;
}

static void blocked_from_the_start(void **state)
{
	struct wt_world *w = *state;

	wt_packet_net.fate = all_lost;
	begin(w, "", "");
	within(w, 10000, by_stream);
	carries_both_ways(w);
}

static void blocked_later_and_back(void **state)
{
	struct wt_world *w = *state;

	begin(w, "", "");
	within(w, 1000, by_datagrams);
	wt_packet_net.fate = all_lost;
	within(w, 10000, by_stream);
	carries_both_ways(w);
	/* Still blocked: the stream is left in peace. */
	wt_world_pass(w, 100000);
	assert_true(by_stream(w));
	/* Nor is its silence a reason to use tags that can be linked. */
	assert_int_equal(wt_world_peer(&w->alice, 0)->dial.unanswered, 0);
	carries_both_ways(w);
	wt_packet_net.fate = NULL;
	within(w, 40000, by_datagrams);
	carries_both_ways(w);
	/* The inner connections saw a pause and nothing else. */
	assert_false(wt_world_logged(w, "peer office down"));
	assert_false(wt_world_logged(w, "peer alice down"));
	/* Nobody mistook the change for a second dialler. */
	wt_world_pass(w, 70000);
	assert_false(wt_world_logged(w, "another dialler"));
	assert_true(by_datagrams(w));
	carries_both_ways(w);
}

/* What answers a handshake and then falls silent is gone back to more and more
 * rarely. */
static void what_does_not_last_is_tried_more_rarely(void **state)
{
	struct wt_world *w = *state;
	const struct wt_dial *dial;

	begin(w, "", "");
	dial = &wt_world_peer(&w->alice, 0)->dial;
	within(w, 1000, by_datagrams);
	for (uint64_t wait = WT_SEEK_MS; wait < WT_SEEK_MOST_MS; wait *= 2) {
		wt_packet_net.fate = all_lost;
		within(w, 10000, by_stream);
		assert_int_equal(dial->seek_ms, wait);
		wt_packet_net.fate = NULL;
		within(w, wait * 2, by_datagrams);
	}
	/* One that lasts makes it as at first. */
	wt_world_pass(w, WT_SEEK_LASTS_MS);
	wt_packet_net.fate = all_lost;
	within(w, 10000, by_stream);
	assert_int_equal(dial->seek_ms, WT_SEEK_MS);
}

/* Searching, and making new keys every two seconds, do not get into each other's
 * way: an auth plugin has one handshake a peer. */
static void searches_and_rekeys_go_together(void **state)
{
	struct wt_world *w = *state;

	wt_packet_net.fate = all_lost;
	begin(w, "rekey_after = 2", "");
	within(w, 10000, by_stream);
	uint64_t handshakes = wt_world_peer(&w->alice, 0)->counters.handshakes;

	wt_world_pass(w, 200000);
	assert_true(by_stream(w));
	assert_true(wt_world_peer(&w->alice, 0)->counters.handshakes > handshakes + 60);
	assert_false(wt_world_logged(w, "down"));
	carries_both_ways(w);
}

/* Datagrams take 40 ms from now on. */
static void pass_slowly(struct wt_world *w, uint64_t ms)
{
	for (uint64_t t = 0; t < ms; t += 20) {
		wt_clock_manual_advance(&w->clock, 20);
		wt_packets_release_all(false);
		for (int i = 0; i < 3; i++)
			for (int k = 0; k < 2; k++)
				wt_engine_turn(w->ends[k]->engine, 0);
	}
}

static void the_fastest_is_found_and_kept(void **state)
{
	struct wt_world *w = *state;
	uint64_t sent;

	wt_packet_net.fate = all_later;
	begin(w, "", "policy = latency\n");
	pass_slowly(w, 2000);
	assert_true(by_datagrams(w));
	pass_slowly(w, 40000);
	assert_true(by_stream(w));
	assert_true(wt_world_logged(w, "takes the place of an older connection"));
	/* It goes on looking, and finds nothing better. */
	sent = wt_packet_net.sent;
	pass_slowly(w, 60000);
	assert_true(by_stream(w));
	assert_true(wt_packet_net.sent > sent);
	assert_int_equal(changes(w), 1);
}

/* The second endpoint of two, and no search. */
static void random_stays_where_it_is(void **state)
{
	struct wt_world *w = *state;
	uint64_t sent;

	wt_packet_net.fate = all_lost;
	begin(w, "", "policy = random\n");
	within(w, 10000, by_stream);
	wt_packet_net.fate = NULL;
	wt_world_pass(w, 20000);
	sent = wt_packet_net.sent;
	wt_world_pass(w, 120000);
	assert_true(by_stream(w));
	assert_int_equal(wt_packet_net.sent, sent);
}

/* All ways were silent for a moment: when the session is heard of again, the search
 * beside it ends. */
static void an_outage_of_all_ends_with_the_session(void **state)
{
	struct wt_world *w = *state;
	const struct wt_dial *dial;
	unsigned connected;

	begin(w, "", "");
	dial = &wt_world_peer(&w->alice, 0)->dial;
	within(w, 1000, by_datagrams);
	wt_packet_net.fate = all_lost;
	wt_memory_net.unreachable = true;
	wt_world_loses(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1");
	wt_world_pass(w, 6000);
	assert_true(dial->elsewhere);
	wt_packet_net.fate = NULL;
	wt_world_pass(w, 8000);
	assert_false(wt_world_peer(&w->alice, 0)->active->own.auth);
	/* What is still being dialled ends by itself, and nothing follows. */
	wt_world_pass(w, 20000);
	assert_false(dial->elsewhere);
	connected = wt_memory_net.connected;
	wt_memory_net.unreachable = false;
	wt_world_pass(w, 60000);
	assert_int_equal(wt_memory_net.connected, connected);
	assert_true(by_datagrams(w));
	assert_int_equal(changes(w), 0);
}

/* An auth plugin has one handshake of ours for each peer. Over datagrams, both
 * endpoints, of which nobody is at the second. */
static void a_search_and_a_rekey_take_turns(void **state)
{
	struct wt_world *w = *state;
	struct wt_peer *peer;

	wt_world_server(w, "");
	wt_world_client(w, &w->alice,
			&(struct wt_client){ .host = 2,
					     .key = "alice",
					     .peer = "endpoint = packets://127.0.0.1:9\n"
						     "policy = latency\n" });
	within(w, 1000, by_datagrams);
	peer = wt_world_peer(&w->alice, 0);
	while (!peer->attempt)
		wt_world_pass(w, 100);
	/* It is due while the search is at it: it comes when that is over. */
	peer->active->rekey_ms = w->clock.boot_ms;
	wt_conn_schedule_at(peer->active, w->clock.boot_ms);
	while (peer->attempt) {
		assert_null(peer->active->own.auth);
		wt_world_pass(w, 100);
	}
	uint64_t handshakes = peer->counters.handshakes;

	wt_world_pass(w, 2000);
	assert_int_equal(peer->counters.handshakes, handshakes + 1);
	/* And the other way round: one that gets no answer yet. */
	wt_packet_net.fate = all_lost;
	peer->active->rekey_ms = w->clock.boot_ms;
	wt_conn_schedule_at(peer->active, w->clock.boot_ms);
	wt_world_pass(w, 100);
	assert_non_null(peer->active->own.auth);
	wt_timer_arm(&peer->dial.timer, 0);
	for (int i = 0; i < 20; i++) {
		wt_world_pass(w, 100);
		assert_null(peer->attempt);
	}
	wt_packet_net.fate = NULL;
	wt_world_pass(w, 10000);
	assert_int_equal(peer->counters.handshakes, handshakes + 2);
	assert_int_equal(changes(w), 0);
}

#define WORLD_TEST(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, wt_world_setup_packets, wt_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(blocked_from_the_start),
		WORLD_TEST(blocked_later_and_back),
		WORLD_TEST(what_does_not_last_is_tried_more_rarely),
		WORLD_TEST(searches_and_rekeys_go_together),
		WORLD_TEST(the_fastest_is_found_and_kept),
		WORLD_TEST(an_outage_of_all_ends_with_the_session),
		WORLD_TEST(a_search_and_a_rekey_take_turns),
		WORLD_TEST(random_stays_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
