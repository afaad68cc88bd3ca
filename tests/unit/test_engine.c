/* SPDX-License-Identifier: MIT
 *
 * Two or three whole engines against each other: what a tunnel promises, with
 * a clock that the test turns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/secret.h"
#include "plugin/call.h"
#include "record/limits.h"
#include "session/handshake.h"
#include "session/initiation.h"
#include "session/output.h"
#include "support/world.h"

/* ---- the tunnel ------------------------------------------------------------------ */

static void packets_cross_both_ways(void **state)
{
	static const size_t lengths[] = { 20, 21, 100, 576, 1419, 1420, 1500 };
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", lengths[i]);
		wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", lengths[i]);
	}
	assert_true(wt_world_logged(w, "info: peer office up: endpoint 127.0.0.1:"));
	assert_true(wt_world_logged(w, "info: peer alice up: endpoint 127.0.0.1:"));
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.rx_packets, 7);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.tx_packets, 7);
}

static void a_burst_arrives_whole_and_in_order(void **state)
{
	enum { N = 300 };
	struct wt_world *w = *state;
	uint8_t packet[1400], got[1500];
	unsigned next = 0;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	for (unsigned i = 0; i < N; i++) {
		wt_packet_make(packet, sizeof packet, "10.8.0.2", "10.8.0.1", 0);
		memcpy(packet + 20, &i, sizeof i);
		wt_end_inject(&w->alice, packet, sizeof packet);
		if (i % 50 == 49) {
			wt_world_settle(w);
			while (wt_end_take(&w->server, got, sizeof got)) {
				assert_memory_equal(got + 20, &next, sizeof next);
				next++;
			}
		}
	}
	assert_int_equal(next, N);
}

static void each_peer_gets_its_own(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.3", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
	wt_world_loses(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.4"); /* nobody's */
	assert_int_equal(w->server.worker->drops[WT_DROP_NO_ROUTE], 1);
	/* Bob with Alice's address, with the server's, and with a foreign one. */
	wt_world_loses(w, &w->bob, &w->server, "10.8.0.2", "10.8.0.1");
	wt_world_loses(w, &w->bob, &w->server, "10.8.0.1", "10.8.0.1");
	wt_world_loses(w, &w->bob, &w->server, "192.0.2.1", "10.8.0.1");
	wt_world_loses(w, &w->bob, &w->server, "127.0.0.1", "10.8.0.1");
	assert_int_equal(wt_world_peer(&w->server, 1)->counters.drops[WT_DROP_SOURCE], 4);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.drops[WT_DROP_SOURCE], 0);
	wt_world_carries(w, &w->bob, &w->server, "10.8.0.3", "10.8.0.1", 100);
}

static void what_is_no_packet_is_counted(void **state)
{
	static const struct {
		uint8_t first;
		size_t len;
		enum wt_drop drop;
	} cases[] = {
		{ 0x00, 40, WT_DROP_IP_VERSION }, { 0x55, 40, WT_DROP_IP_VERSION },
		{ 0x44, 40, WT_DROP_IP_HEADER },  { 0x45, 39, WT_DROP_IP_LENGTH },
		{ 0x60, 39, WT_DROP_IP_HEADER },
	};
	struct wt_world *w = *state;
	uint8_t packet[40];

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t before = w->alice.worker->drops[cases[i].drop];

		wt_packet_make(packet, sizeof packet, "10.8.0.2", "10.8.0.1", 0);
		packet[0] = cases[i].first;
		wt_end_inject(&w->alice, packet, cases[i].len);
		wt_world_settle(w);
		assert_int_equal(w->alice.worker->drops[cases[i].drop], before + 1);
	}
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 40);
}

/* ---- keys and time ----------------------------------------------------------------- */

static void rekeys_come_on_schedule_without_a_gap(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "rekey_after = 60");
	wt_world_client(
		w, &w->alice,
		&(struct wt_client){ .host = 2, .key = "alice", .more = "rekey_after = 60" });
	wt_world_until(w, wt_world_alice_up);
	uint32_t first = wt_world_peer(&w->alice, 0)->active->keys.current->local_index;

	wt_world_pass(w, 54000); /* the jitter is at most a twelfth */
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, 1);
	for (int i = 0; i < 70; i++) {
		wt_world_pass(w, 100);
		wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 200);
		wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 200);
	}
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, 2);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 2);
	assert_int_not_equal(wt_world_peer(&w->alice, 0)->active->keys.current->local_index, first);
	/* The old pair is gone at both ends, as is what waited for proof. */
	assert_null(wt_world_peer(&w->alice, 0)->active->keys.previous);
	assert_null(wt_world_peer(&w->server, 0)->active->keys.previous);
	assert_null(wt_world_peer(&w->server, 0)->active->keys.next);
	assert_null(wt_world_peer(&w->server, 0)->pending);
}

static void an_idle_tunnel_stays_up_for_hours(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	const struct wt_conn *conn = wt_world_peer(&w->alice, 0)->active;

	wt_world_pass(w, 3600000);
	assert_ptr_equal(wt_world_peer(&w->alice, 0)->active, conn);
	assert_in_range(wt_world_peer(&w->alice, 0)->counters.handshakes, 30, 34);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 200);
	assert_false(wt_world_logged(w, "down"));
}

static void units_make_both_ends_rekey(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_peer(&w->alice, 0)->active->keys.current->limits.rekey_units = 50;
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 1000);
	wt_world_settle(w);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, 2);
	/* The responder cannot begin: it asks. */
	wt_world_peer(&w->server, 0)->active->keys.current->limits.rekey_units = 50;
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 1000);
	wt_world_pass(w, WT_REKEY_EARLIEST_MS + 100);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, 3);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 3);
}

static void a_key_at_its_end_sends_nothing(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	struct wt_keypair *pair = wt_world_peer(&w->alice, 0)->active->keys.current;

	pair->limits.stop_units = pair->send_units;
	wt_world_loses(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1");
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.drops[WT_DROP_SEND_LIMIT], 1);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.tx_packets, 0);
}

static void silence_is_answered_with_a_keepalive(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_pass(w, 1000);
	uint64_t counter = wt_world_peer(&w->server, 0)->active->keys.current->send_counter;

	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_pass(w, WT_KEEPALIVE_PASSIVE_MS - 200);
	assert_int_equal(wt_world_peer(&w->server, 0)->active->keys.current->send_counter, counter);
	wt_world_pass(w, 400);
	assert_int_equal(wt_world_peer(&w->server, 0)->active->keys.current->send_counter,
			 counter + 1);
	/* A keepalive never answers a keepalive. */
	wt_world_pass(w, 20000);
	assert_int_equal(wt_world_peer(&w->server, 0)->active->keys.current->send_counter,
			 counter + 1);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, 1);
}

static void keepalive_pings_and_is_answered(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_client(
		w, &w->alice,
		&(struct wt_client){ .host = 2, .key = "alice", .peer = "keepalive = 10\n" });
	wt_world_until(w, wt_world_alice_up);
	wt_world_pass(w, 500);
	uint64_t sent = wt_world_peer(&w->alice, 0)->active->keys.current->send_counter;
	uint64_t answered = wt_world_peer(&w->server, 0)->active->keys.current->send_counter;

	wt_world_pass(w, 35000);
	assert_int_equal(wt_world_peer(&w->alice, 0)->active->keys.current->send_counter, sent + 3);
	assert_int_equal(wt_world_peer(&w->server, 0)->active->keys.current->send_counter,
			 answered + 3);
}

/* ---- ends and replacements ------------------------------------------------------------ */

static bool server_lost_alice(void *arg)
{
	struct wt_world *w = arg;

	return !wt_world_peer(&w->server, 0)->active;
}

static void stopping_says_close(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_engine_stop(w->alice.engine);
	wt_world_until(w, server_lost_alice);
	assert_true(wt_world_logged(w, "info: peer alice down: the other end closed it: shutdown"));
	assert_int_equal(w->server.worker->drops[WT_DROP_TAG], 0);
}

static void a_restarted_server_is_dialled_again(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_end_close(&w->server);
	wt_world_settle(w);
	assert_true(wt_world_logged(w, "info: peer office down: "));
	wt_world_server(w, "");
	for (int i = 0; i < 60 && !wt_world_alice_up(w); i++)
		wt_world_pass(w, 100);
	assert_true(wt_world_alice_up(w));
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 200);
}

/* Alice is up, and then somebody else with her key. */
static void copy_key_of_alice(struct wt_world *w)
{
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_pass(w, 1000);
	wt_world_client(w, &w->bob, &(struct wt_client){ .host = 2, .key = "alice" });
	for (int i = 0; i < 50 && !(wt_world_peer(&w->bob, 0)->active); i++)
		wt_world_pass(w, 100);
	assert_non_null(wt_world_peer(&w->bob, 0)->active);
	wt_world_settle(w);
}

/* Who begins a rekey does not know yet that its place is taken; it is told at once
 * instead of being given new keys. */
static void a_replaced_dialler_gets_no_new_keys(void **state)
{
	struct wt_world *w = *state;

	copy_key_of_alice(w);
	const uint64_t handshakes = wt_world_peer(&w->server, 0)->counters.handshakes;

	assert_non_null(wt_world_peer(&w->alice, 0)->active);
	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	wt_world_settle(w);
	assert_null(wt_world_peer(&w->alice, 0)->active);
	assert_true(wt_world_logged(w, "another dialler with the same key took our place"));
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, handshakes);
	assert_non_null(wt_world_peer(&w->bob, 0)->active);
}

/* The same key from another place: the newest wins, the older one is told and
 * stays away for a minute. */
static void a_copied_key_takes_over_and_is_reported(void **state)
{
	struct wt_world *w = *state;

	copy_key_of_alice(w);
	wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.2", 100);
	/* What the older one sends still arrives for a while. */
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_pass(w, WT_PREVIOUS_MS + 500);
	assert_null(wt_world_peer(&w->alice, 0)->active);
	assert_true(wt_world_logged(w, "another dialler with the same key took our place"));
	wt_world_pass(w, WT_REPLACED_WAIT_MS - WT_PREVIOUS_MS);
	assert_null(wt_world_peer(&w->alice, 0)->active);
	assert_non_null(wt_world_peer(&w->bob, 0)->active);
}

/* ---- what goes wrong --------------------------------------------------------------------- */

static void a_wrong_key_is_told_at_both_ends(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_client(w, &w->alice, &(struct wt_client){ .host = 2, .key = "stranger" });
	wt_world_pass(w, 15000);
	assert_null(wt_world_peer(&w->alice, 0)->active);
	assert_true(wt_world_logged(w, "refused: it names no peer here"));
	assert_true(wt_world_logged(w, "warning: peer office: no answer from tcp://127.0.0.1:"));
	assert_true(wt_world_logged(w, "yes, something accepts connections there"));
	/* Once an outage. */
	assert_null(strstr(strstr(w->log, "no answer from") + 1, "no answer from"));
	assert_true(w->server.worker->refusals[WT_REASON_UNKNOWN_PEER] >= 3);
	assert_int_equal(w->server.worker->half_open_count, 0);
}

static void a_wrong_realm_is_told_at_both_ends(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_client(
		w, &w->alice,
		&(struct wt_client){ .host = 2, .key = "alice", .auth = "realm = elsewhere\n" });
	wt_world_pass(w, 15000);
	assert_null(wt_world_peer(&w->alice, 0)->active);
	assert_true(wt_world_logged(w, "it names no peer here"));
	assert_true(wt_world_logged(w, "3. the realm in [auth hmac]"));
}

/* Each end has its own clock here: the client's is ten minutes fast. */
static void a_wrong_clock_is_told_and_comes_up(void **state)
{
	struct wt_world *w = *state;
	struct wt_clock_manual fast;

	wt_clock_manual_init(&fast, w->clock.boot_ms, w->clock.unix_ms + 600000);
	wt_world_server(w, "");
	wt_end_open(&w->alice, w->dir, "fast", &fast.clock,
		    "[tunnel]\ninterface = wt0\naddress = 10.8.0.2/24\n"
		    "[crypto]\nplugin = aesgcm-sodium\n[transport tcp]\n[auth hmac]\n"
		    "[peer office]\nendpoint = tcp://127.0.0.1:%u\npsk_file = alice.psk\n"
		    "allowed_ips = 10.8.0.0/24\n",
		    w->port);
	wt_world_until(w, wt_world_alice_up);
	assert_true(wt_world_logged(w, "handshake of alice answered with a token: its clock is "
				       "600 s ahead of ours"));
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
}

static void nobody_there_is_told(void **state)
{
	struct wt_world *w = *state;

	wt_world_alice(w);
	wt_world_pass(w, 10000);
	assert_true(wt_world_logged(w, "no connection was made"));
	assert_true(wt_world_logged(w, "refused"));
}

/* A backend that fails costs a packet, never the daemon. */
static void a_failing_backend_costs_a_packet(void **state)
{
	struct wt_world *w = *state;
	struct wt_crypto_faults faults = { 0 };

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	w->alice.node->crypto->faults = &faults;
	faults.seal = 1;
	wt_world_loses(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1");
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.drops[WT_DROP_CRYPTO], 1);
	/* No counter was lost, so the stream goes on. */
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	w->alice.node->crypto->faults = NULL;
}

static void a_failing_key_setup_costs_a_handshake(void **state)
{
	for (uint64_t n = 1; n <= 6; n++) {
		struct wt_world *w = *state;
		struct wt_crypto_faults faults = { 0 };

		wt_world_server(w, "");
		w->server.node->crypto->faults = &faults;
		faults.key_init = n;
		wt_world_alice(w);
		for (int i = 0; i < 100 && !wt_world_alice_up(w); i++)
			wt_world_pass(w, 100);
		assert_true(wt_world_alice_up(w));
		wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
		w->server.node->crypto->faults = NULL;
		wt_end_close(&w->alice);
		wt_end_close(&w->server);
	}
}

static void a_tampered_record_closes_and_the_tunnel_returns(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	/* The next record will not open: as if a bit had changed. */
	struct wt_conn *conn = wt_world_peer(&w->alice, 0)->active;
	struct wt_buffer *buffer = wt_slot_get(&w->alice.worker->slots);

	wt_packet_make(buffer->slot.base + WT_SLOT_PACKET, 100, "10.8.0.2", "10.8.0.1", 0);
	buffer->len = 100;
	assert_int_equal(wt_output_packet(conn, buffer, (const uint8_t[]){ WT_INNER_PACKET }, 1),
			 WT_DROP_NONE);
	conn->link->out[0].data[40] ^= 1;
	wt_world_settle(w);
	assert_int_equal(w->server.worker->drops[WT_DROP_TAG], 1);
	for (int i = 0; i < 60 && !wt_world_alice_up(w); i++)
		wt_world_pass(w, 100);
	assert_true(wt_world_alice_up(w));
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
}

static void a_swapped_order_closes(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	struct wt_conn *conn = wt_world_peer(&w->alice, 0)->active;

	for (int i = 0; i < 2; i++) {
		struct wt_buffer *buffer = wt_slot_get(&w->alice.worker->slots);

		wt_packet_make(buffer->slot.base + WT_SLOT_PACKET, 100, "10.8.0.2", "10.8.0.1", 0);
		buffer->len = 100;
		assert_int_equal(
			wt_output_packet(conn, buffer, (const uint8_t[]){ WT_INNER_PACKET }, 1),
			WT_DROP_NONE);
	}
	struct wt_record first = conn->link->out[0];

	conn->link->out[0] = conn->link->out[1];
	conn->link->out[1] = first;
	wt_world_settle(w);
	assert_int_equal(w->server.worker->drops[WT_DROP_SEQUENCE], 1);
	assert_null(wt_world_peer(&w->server, 0)->active);
}

int main(void)
{
#define TUNNEL_TEST(f) cmocka_unit_test_setup_teardown(f, wt_world_setup, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		TUNNEL_TEST(packets_cross_both_ways),
		TUNNEL_TEST(a_burst_arrives_whole_and_in_order),
		TUNNEL_TEST(each_peer_gets_its_own),
		TUNNEL_TEST(what_is_no_packet_is_counted),
		TUNNEL_TEST(rekeys_come_on_schedule_without_a_gap),
		TUNNEL_TEST(an_idle_tunnel_stays_up_for_hours),
		TUNNEL_TEST(units_make_both_ends_rekey),
		TUNNEL_TEST(a_key_at_its_end_sends_nothing),
		TUNNEL_TEST(silence_is_answered_with_a_keepalive),
		TUNNEL_TEST(keepalive_pings_and_is_answered),
		TUNNEL_TEST(stopping_says_close),
		TUNNEL_TEST(a_restarted_server_is_dialled_again),
		TUNNEL_TEST(a_copied_key_takes_over_and_is_reported),
		TUNNEL_TEST(a_replaced_dialler_gets_no_new_keys),
		TUNNEL_TEST(a_wrong_key_is_told_at_both_ends),
		TUNNEL_TEST(a_wrong_realm_is_told_at_both_ends),
		TUNNEL_TEST(a_wrong_clock_is_told_and_comes_up),
		TUNNEL_TEST(nobody_there_is_told),
		TUNNEL_TEST(a_failing_backend_costs_a_packet),
		TUNNEL_TEST(a_failing_key_setup_costs_a_handshake),
		TUNNEL_TEST(a_tampered_record_closes_and_the_tunnel_returns),
		TUNNEL_TEST(a_swapped_order_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
