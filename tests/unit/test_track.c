/* SPDX-License-Identifier: MIT
 *
 * Whole engines over a network of datagrams whose paths change: what they take,
 * and where the other end is.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "record/limits.h"
#include "session/life.h"
#include "session/output.h"
#include "support/memory_transport.h"
#include "support/packet_transport.h"
#include "support/world.h"

#define ALICE_IN "10.8.0.2"
#define SERVER_IN "10.8.0.1"
/* What of a record of 1472 bytes is left for a packet. */
#define CLEAR_MTU 1439u

static struct wt_conn *at_server(struct wt_world *w)
{
	return wt_world_peer(&w->server, 0)->active;
}

static struct wt_conn *at_alice(struct wt_world *w)
{
	return wt_world_peer(&w->alice, 0)->active;
}

static void up(struct wt_world *w)
{
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_pass(w, 1000);
}

static void send_up(struct wt_world *w, size_t len)
{
	uint8_t packet[1500];

	wt_packet_make(packet, len, ALICE_IN, SERVER_IN, 1);
	wt_end_inject(&w->alice, packet, len);
	wt_world_settle(w);
}

static void send_down(struct wt_world *w, size_t len)
{
	uint8_t packet[1500];

	wt_packet_make(packet, len, SERVER_IN, ALICE_IN, 1);
	wt_end_inject(&w->server, packet, len);
	wt_world_settle(w);
}

/* How many arrive of what waits there. */
static unsigned arrived(struct wt_end *end)
{
	uint8_t packet[65535];
	unsigned n = 0;

	while (wt_end_take(end, packet, sizeof packet) > 0)
		n++;
	return n;
}

static void carries_both_ways(struct wt_world *w, size_t len)
{
	wt_world_carries(w, &w->alice, &w->server, ALICE_IN, SERVER_IN, len);
	wt_world_carries(w, &w->server, &w->alice, SERVER_IN, ALICE_IN, len);
}

/* ---- what the path takes ---------------------------------------------------- */

static void a_clear_path_is_used_whole(void **state)
{
	struct wt_world *w = *state;

	up(w);
	assert_int_equal(at_alice(w)->path_record_max, 1472);
	assert_int_equal(at_server(w)->path_record_max, 1472);
	assert_true(wt_world_logged(w, "info: peer office: the path takes records of 1472 bytes, "
				       "inner mtu 1439"));
	assert_true(wt_world_logged(w, "info: peer alice: the path takes records of 1472 bytes, "
				       "inner mtu 1439"));
	carries_both_ways(w, CLEAR_MTU);
	assert_int_equal(wt_packet_net.too_large, 0);
}

static void what_does_not_fit_is_answered(void **state)
{
	struct wt_world *w = *state;
	uint8_t answer[1500];
	uint16_t mtu;

	up(w);
	send_up(w, CLEAR_MTU + 1);
	assert_true(wt_end_take(&w->alice, answer, sizeof answer) >= 28);
	assert_int_equal(answer[20], 3); /* unreachable: */
	assert_int_equal(answer[21], 4); /* needs to be fragmented */
	memcpy(&mtu, answer + 26, sizeof mtu);
	assert_int_equal(ntohs(mtu), CLEAR_MTU);
	assert_int_equal(w->alice.worker->drops[WT_DROP_TOO_LARGE], 1);
	assert_int_equal(arrived(&w->server), 0);
}

static void a_smaller_inner_mtu_bounds_the_search(void **state)
{
	struct wt_world *w = *state;

	w->alice.mtu = 1300;
	up(w);
	assert_int_equal(at_alice(w)->path_record_max, 1333);
	assert_int_equal(at_server(w)->path_record_max, 1333);
	carries_both_ways(w, 1300);
}

static void a_smaller_path_is_searched(void **state)
{
	struct wt_world *w = *state;

	wt_packet_net.path_max = 1400;
	up(w);
	carries_both_ways(w, 1280);
	wt_world_pass(w, 20000);
	assert_in_range(at_alice(w)->path_record_max, 1393, 1400);
	assert_in_range(at_server(w)->path_record_max, 1393, 1400);
	carries_both_ways(w, at_server(w)->limits.inner_mtu);
}

static void a_black_hole_is_left_within_five_seconds(void **state)
{
	struct wt_world *w = *state;
	unsigned tenths = 0;

	up(w);
	wt_packet_net.path_max = 1400;
	while (at_server(w)->path_record_max > 1400 && tenths < 100) {
		send_down(w, CLEAR_MTU);
		wt_world_pass(w, 100);
		tenths++;
	}
	assert_in_range(tenths, 1, 50);
	assert_true(wt_world_logged(w, "warning: peer alice: records of 1472 bytes do not arrive "
				       "any more; going on with 1313"));
	assert_int_equal(arrived(&w->alice), 0);
	wt_world_carries(w, &w->server, &w->alice, SERVER_IN, ALICE_IN, 1280);
	wt_world_pass(w, 20000);
	assert_in_range(at_server(w)->path_record_max, 1393, 1400);
	/* Who sent nothing large did not notice, and need not. */
	assert_int_equal(at_alice(w)->path_record_max, 1472);
}

static bool everything_is_lost;

static enum wt_fate lost_if(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	(void)datagram;
	return everything_is_lost ? WT_FATE_LOST : WT_FATE_ARRIVES;
}

static void an_outage_changes_no_size(void **state)
{
	struct wt_world *w = *state;

	up(w);
	wt_packet_net.fate = lost_if;
	everything_is_lost = true;
	for (int i = 0; i < 120; i++) {
		send_up(w, CLEAR_MTU);
		send_down(w, CLEAR_MTU);
		wt_world_pass(w, 100);
	}
	everything_is_lost = false;
	wt_world_pass(w, 8000);
	assert_int_equal(at_alice(w)->path_record_max, 1472);
	assert_int_equal(at_server(w)->path_record_max, 1472);
	carries_both_ways(w, CLEAR_MTU);
	assert_false(wt_world_logged(w, "do not arrive"));
}

static void an_ipv6_packet(uint8_t *packet, size_t len)
{
	memset(packet, 0, len);
	packet[0] = 0x60;
	packet[4] = (uint8_t)((len - 40) >> 8);
	packet[5] = (uint8_t)(len - 40);
	packet[6] = 59; /* nothing follows */
	packet[7] = 64;
	assert_int_equal(inet_pton(AF_INET6, "fd08::2", packet + 8), 1);
	assert_int_equal(inet_pton(AF_INET6, "fd08::1", packet + 24), 1);
}

static void below_1280_ipv6_is_refused(void **state)
{
	struct wt_world *w = *state;
	uint8_t packet[100];

	wt_packet_net.path_max = 1250;
	wt_world_server(w, "");
	wt_world_client(w, &w->alice,
			&(struct wt_client){ .host = 2,
					     .key = "alice",
					     .peer = "allowed_ips = 10.8.0.0/24, fd08::/64\n" });
	wt_world_until(w, wt_world_alice_up);
	an_ipv6_packet(packet, sizeof packet);
	wt_end_inject(&w->alice, packet, sizeof packet);
	wt_world_settle(w);
	assert_int_equal(w->alice.worker->drops[WT_DROP_SMALL_PATH], 0);
	wt_world_pass(w, 20000);
	assert_in_range(at_alice(w)->path_record_max, 1243, 1250);
	wt_end_inject(&w->alice, packet, sizeof packet);
	wt_world_settle(w);
	assert_int_equal(w->alice.worker->drops[WT_DROP_SMALL_PATH], 1);
	assert_true(wt_world_logged(w, "peer office: not even records of 1313 bytes arrive; going "
				       "on with 1200, and IPv6 inside"));
	carries_both_ways(w, at_alice(w)->limits.inner_mtu);
}

static void the_link_bounds_the_search(void **state)
{
	struct wt_world *w = *state;

	wt_packet_net.link_max = 1232; /* IPv6 over a link of 1280 */
	up(w);
	assert_int_equal(at_alice(w)->path_record_max, 1232);
	assert_int_equal(wt_packet_net.too_large, 0);
	carries_both_ways(w, 1199);
	/* More at once, and less at once. */
	wt_packet_net.link_max = 1472;
	wt_track_link_changed(at_alice(w));
	wt_world_pass(w, 1000);
	assert_int_equal(at_alice(w)->path_record_max, 1472);
	wt_packet_net.link_max = 1400;
	wt_track_link_changed(at_alice(w));
	assert_int_equal(at_alice(w)->path_record_max, 1400);
	assert_true(wt_world_logged(w, "peer office: the path takes records of 1400 bytes"));
	/* As little as no link of any use takes. */
	wt_packet_net.link_max = 100;
	wt_track_link_changed(at_alice(w));
	assert_int_equal(at_alice(w)->path_record_max, WT_PARAMS_RECORD_MIN);
}

static void without_a_route_nothing_is_learned(void **state)
{
	struct wt_world *w = *state;

	wt_packet_net.no_route = true;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_pass(w, 3000);
	wt_packet_net.no_route = false;
	for (int i = 0; i < 60 && !wt_world_alice_up(w); i++)
		wt_world_pass(w, 100);
	wt_world_pass(w, 1000);
	assert_int_equal(at_alice(w)->path_record_max, 1472);
	wt_packet_net.no_route = true;
	wt_track_link_changed(at_alice(w));
	assert_int_equal(at_alice(w)->path_record_max, 1472);
	wt_world_pass(w, 3000);
	wt_packet_net.no_route = false;
	wt_track_link_changed(at_alice(w));
	wt_world_pass(w, 3000);
	assert_int_equal(at_alice(w)->path_record_max, 1472);
	carries_both_ways(w, CLEAR_MTU);
}

static void a_rekey_changes_no_size(void **state)
{
	struct wt_world *w = *state;
	uint64_t handshakes;
	uint16_t id;

	up(w);
	handshakes = wt_world_peer(&w->alice, 0)->counters.handshakes;
	id = at_server(w)->track.pmtu.last_id;
	wt_world_pass(w, 125000);
	assert_true(wt_world_peer(&w->alice, 0)->counters.handshakes > handshakes);
	assert_int_equal(at_alice(w)->path_record_max, 1472);
	assert_int_equal(at_server(w)->path_record_max, 1472);
	assert_int_equal(at_server(w)->track.pmtu.state, WT_PMTU_COMPLETE);
	/* Nothing was asked again. */
	assert_int_equal(at_server(w)->track.pmtu.last_id, id);
}

/* ---- where the other end is ------------------------------------------------ */

#define ELSEWHERE 31000u
#define NOBODY 31999u

static struct {
	uint64_t to_elsewhere, from_elsewhere, to_nobody, to_old;
	uint16_t old;
	bool lose_elsewhere;
} seen;

static enum wt_fate look(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	if (datagram->from == ELSEWHERE)
		seen.from_elsewhere += datagram->len;
	if (datagram->to == ELSEWHERE)
		seen.to_elsewhere += datagram->len;
	if (datagram->to == NOBODY)
		seen.to_nobody += datagram->len;
	if (datagram->to == seen.old)
		seen.to_old++;
	return datagram->to == ELSEWHERE && seen.lose_elsewhere ? WT_FATE_LOST : WT_FATE_ARRIVES;
}

static void up_and_look(struct wt_world *w)
{
	up(w);
	memset(&seen, 0, sizeof seen);
	seen.old = wt_packets_last_port();
	wt_packet_net.fate = look;
}

static void a_peer_that_moved_is_followed(void **state)
{
	struct wt_world *w = *state;

	up_and_look(w);
	wt_packets_rebind(seen.old, ELSEWHERE);
	send_up(w, 100);
	wt_world_pass(w, 100);
	assert_true(wt_world_logged(w, "info: peer alice moved: endpoint "));
	assert_int_equal(arrived(&w->server), 1);
	carries_both_ways(w, 1280);
	/* Neither end began anew. */
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 1);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, 1);
	/* The new path was measured from base, and found. */
	assert_int_equal(at_server(w)->path_record_max, 1472);
	assert_false(wt_path_due(&at_server(w)->track.check));
}

static void until_the_answer_data_goes_where_it_went(void **state)
{
	struct wt_world *w = *state;
	uint64_t old;

	up_and_look(w);
	wt_packets_rebind(seen.old, ELSEWHERE);
	seen.lose_elsewhere = true;
	for (int i = 0; i < 20; i++) {
		send_up(w, 100);
		old = seen.to_old;
		send_down(w, 1000);
		assert_true(seen.to_old > old);
		wt_world_pass(w, 50);
	}
	/* Four challenges, whatever came. */
	assert_int_equal(seen.to_elsewhere, 4 * WT_PATH_CHALLENGE_RECORD);
	assert_false(wt_world_logged(w, "moved"));
	/* As soon as one arrives. */
	seen.lose_elsewhere = false;
	for (int i = 0; i < 30; i++) {
		send_up(w, 100);
		wt_world_pass(w, 100);
	}
	assert_true(wt_world_logged(w, "moved"));
	wt_world_settle(w);
	(void)arrived(&w->server);
	(void)arrived(&w->alice);
	carries_both_ways(w, 1280);
}

static void a_move_begins_the_measurement_at_base(void **state)
{
	struct wt_world *w = *state;

	up_and_look(w);
	assert_int_equal(at_server(w)->path_record_max, 1472);
	wt_packet_net.path_max = 1313;
	wt_packets_rebind(seen.old, ELSEWHERE);
	send_up(w, 100);
	assert_true(wt_world_logged(w, "moved"));
	assert_int_equal(at_server(w)->path_record_max, 1313);
	assert_int_equal(at_server(w)->limits.inner_mtu, 1280);
}

/* What alice sent last, for who copies it. */
static uint8_t copied[2000];
static size_t copied_len;
static bool hold_back;

static enum wt_fate copy(void *arg, struct wt_datagram *datagram)
{
	(void)look(arg, datagram);
	if (datagram->from != seen.old || datagram->len > sizeof copied)
		return WT_FATE_ARRIVES;
	memcpy(copied, datagram->bytes, datagram->len);
	copied_len = datagram->len;
	return hold_back ? WT_FATE_LOST : WT_FATE_ARRIVES;
}

static void a_copy_from_elsewhere_is_no_move(void **state)
{
	struct wt_world *w = *state;

	up_and_look(w);
	wt_packet_net.fate = copy;
	hold_back = false;
	send_up(w, 100);
	for (int i = 0; i < 100; i++) {
		wt_packets_inject(NOBODY, w->port, copied, copied_len);
		wt_world_settle(w);
	}
	assert_int_equal(w->server.worker->drops[WT_DROP_REPLAY], 100);
	assert_false(at_server(w)->track.check.running);
	assert_int_equal(seen.to_nobody, 0);
}

static uint64_t given;

static enum wt_fate overtake(void *arg, struct wt_datagram *datagram)
{
	(void)look(arg, datagram);
	if (datagram->from == seen.old) {
		given += datagram->len;
		wt_packets_inject(NOBODY, datagram->to, datagram->bytes, datagram->len);
	}
	return WT_FATE_ARRIVES;
}

/* Somebody is faster than the way of every single record, her answers too. */
static void copies_that_overtake_move_nothing(void **state)
{
	struct wt_world *w = *state;

	up_and_look(w);
	wt_packet_net.fate = overtake;
	given = 0;
	for (int i = 0; i < 100; i++) {
		send_up(w, 20);
		send_down(w, 20);
		assert_true(seen.to_nobody <= 3 * given);
		wt_world_pass(w, 50);
	}
	/* Two checks of 3 s were begun, of four challenges each. */
	assert_int_equal(seen.to_nobody, 8 * WT_PATH_CHALLENGE_RECORD);
	assert_false(wt_world_logged(w, "moved"));
	assert_int_equal(arrived(&w->server), 100);
	assert_int_equal(arrived(&w->alice), 100);
	/* One that is her own is the newest, and ends it. */
	wt_packet_net.fate = look;
	send_up(w, 20);
	assert_false(at_server(w)->track.check.running);
}

static void one_copy_that_overtakes_is_seen_through_at_once(void **state)
{
	struct wt_world *w = *state;

	up_and_look(w);
	wt_packet_net.fate = copy;
	hold_back = true;
	send_up(w, 20);
	hold_back = false;
	wt_packets_inject(NOBODY, w->port, copied, copied_len);
	/* She answers where she is; the clock stands. */
	wt_world_settle(w);
	assert_int_equal(seen.to_nobody, WT_PATH_CHALLENGE_RECORD);
	assert_false(at_server(w)->track.check.running);
}

static void another_socket_of_ours_is_no_move(void **state)
{
	static const struct wt_path somewhere = { { 1, 2, 3 } };
	struct wt_world *w = *state;
	struct wt_conn *conn;

	up_and_look(w);
	conn = at_server(w);

	struct wt_link another = *conn->link;
	const struct wt_origin from = { .link = &another, .path = somewhere };
	const struct wt_origin here = { .link = conn->link, .path = somewhere };

	wt_track_received(conn, &from, 100, true);
	assert_false(conn->track.check.running);
	wt_track_received(conn, &here, 100, true);
	assert_true(conn->track.check.running);
	wt_track_response(conn, &from, conn->track.check.to_candidate);
	assert_false(wt_world_logged(w, "moved"));
	/* New keys say where she is. */
	wt_track_confirmed(conn);
	assert_false(conn->track.check.running);
}

static void a_record_that_was_overtaken_is_no_move(void **state)
{
	struct wt_world *w = *state;
	uint8_t held[sizeof copied];
	size_t len;

	up_and_look(w);
	wt_packet_net.fate = copy;
	hold_back = true;
	send_up(w, 100);
	hold_back = false;
	memcpy(held, copied, copied_len);
	len = copied_len;
	send_up(w, 200);
	assert_int_equal(arrived(&w->server), 1);
	/* It is accepted, from wherever; it says nothing of where she is now. */
	wt_packets_inject(NOBODY, w->port, held, len);
	wt_world_settle(w);
	assert_int_equal(arrived(&w->server), 1);
	assert_false(at_server(w)->track.check.running);
	assert_int_equal(seen.to_nobody, 0);
}

static void what_was_replaced_asks_nothing(void **state)
{
	struct wt_world *w = *state;
	struct wt_conn *before;

	up(w);
	wt_packet_net.path_max = 1400;
	send_down(w, CLEAR_MTU);
	before = at_server(w);
	assert_true(wt_track_due(before) != 0);
	wt_world_client(w, &w->bob, &(struct wt_client){ .host = 2, .key = "alice" });
	for (int i = 0; i < 50 && at_server(w) == before; i++)
		wt_world_pass(w, 100);
	assert_int_equal(before->state, WT_CONN_DRAINING);
	assert_ptr_equal(wt_world_peer(&w->server, 0)->draining, before);
	assert_int_equal(wt_track_due(before), 0);
}

static void a_late_record_of_old_keys_is_no_move(void **state)
{
	struct wt_world *w = *state;
	uint32_t before;

	up_and_look(w);
	wt_packet_net.fate = copy;
	hold_back = true;
	send_up(w, 100);
	wt_packet_net.fate = look;
	before = at_alice(w)->keys.current->local_index;
	wt_world_pass(w, 1000);
	at_alice(w)->rekey_ms = w->clock.boot_ms;
	wt_life_run(at_alice(w));
	wt_world_settle(w);
	assert_int_not_equal(at_alice(w)->keys.current->local_index, before);
	assert_int_equal(arrived(&w->server), 0);
	wt_packets_inject(NOBODY, w->port, copied, copied_len);
	wt_world_settle(w);
	assert_int_equal(arrived(&w->server), 1);
	assert_false(at_server(w)->track.check.running);
	assert_int_equal(seen.to_nobody, 0);
}

static void a_handshake_says_where_it_is(void **state)
{
	struct wt_world *w = *state;

	up_and_look(w);
	wt_packets_rebind(seen.old, ELSEWHERE);
	seen.lose_elsewhere = true;
	send_up(w, 100);
	assert_true(at_server(w)->track.check.running);
	seen.lose_elsewhere = false;
	wt_packet_net.path_max = 1313;
	at_alice(w)->rekey_ms = w->clock.boot_ms;
	wt_life_run(at_alice(w));
	wt_world_settle(w);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 2);
	assert_false(at_server(w)->track.check.running);
	assert_false(wt_world_logged(w, "moved"));
	/* Another way, measured from base. */
	assert_int_equal(at_server(w)->path_record_max, 1313);
	wt_packet_net.path_max = WT_PACKET_MAX_DATAGRAM;
	(void)arrived(&w->server);
	carries_both_ways(w, 1280);
	wt_world_pass(w, 5000);
	assert_int_equal(at_server(w)->path_record_max, 1472);
}

static void only_who_was_dialled_follows(void **state)
{
	struct wt_world *w = *state;

	up_and_look(w);
	wt_packets_rebind(w->port, ELSEWHERE);
	send_down(w, 100);
	assert_int_equal(arrived(&w->alice), 0);
	assert_false(at_alice(w)->track.check.running);
	/* It hears nothing from where it dialled, and dials again. */
	wt_packets_rebind(w->port, 0);
	carries_both_ways(w, 1280);
}

static void an_idle_dialler_keeps_its_mapping(void **state)
{
	struct wt_world *w = *state;
	unsigned seconds = 0;

	up_and_look(w);
	assert_int_equal(wt_world_peer(&w->alice, 0)->settings->keepalive_s,
			 WT_KEEPALIVE_DATAGRAM_S);
	wt_packets_rebind(seen.old, ELSEWHERE);
	while (!wt_world_logged(w, "moved") && seconds++ < 60)
		wt_world_pass(w, 1000);
	assert_in_range(seconds, 1, WT_KEEPALIVE_DATAGRAM_S + 1);
	wt_world_carries(w, &w->server, &w->alice, SERVER_IN, ALICE_IN, 1280);
}

/* ---- streams ----------------------------------------------------------------- */

static void a_stream_answers_no_probe(void **state)
{
	static const uint8_t payload[WT_PING_SIZE] = { 1 };
	struct wt_world *w = *state;
	uint8_t text[WT_CONTROL_MAX];
	struct wt_conn *conn;

	up(w);
	conn = at_alice(w);
	assert_int_equal(conn->track.pmtu.state, WT_PMTU_OFF);
	wt_memory_net.hold = true;
	assert_true(wt_output_text(conn, conn->keys.current, text, wt_control_probe_ack(text, 7)));
	assert_true(wt_output_probe(conn, 100, 7));
	assert_true(wt_output_text(conn, conn->keys.current, text,
				   wt_control_path_challenge(text, payload)));
	assert_true(wt_output_text(conn, conn->keys.current, text,
				   wt_control_path_response(text, payload)));
	wt_output_flush(conn->link);
	wt_memory_deliver(wt_memory_net.links, 1, wt_memory_waiting(wt_memory_net.links, 1));
	wt_world_settle(w);
	assert_int_equal(wt_memory_waiting(wt_memory_net.links, 0), 0);
	assert_ptr_equal(at_alice(w), conn);
	wt_memory_net.hold = false;
}

/* ---- a machine that slept --------------------------------------------------- */

static struct wt_end nobody;

static void sleep_for(struct wt_world *w, bool alice, bool server, uint64_t ms)
{
	if (server)
		w->ends[0] = &nobody;
	if (alice)
		w->ends[1] = &nobody;
	if (server && alice)
		wt_clock_manual_advance(&w->clock, ms);
	else
		wt_world_pass(w, ms);
	w->ends[0] = &w->server;
	w->ends[1] = &w->alice;
}

/* With an application that tries all the time. */
static void back_within_10_s(struct wt_world *w)
{
	unsigned tenths = 0, there = 0, back = 0;

	(void)arrived(&w->server);
	(void)arrived(&w->alice);
	for (; tenths < 100 && (!there || !back); tenths++) {
		send_up(w, 100);
		there += arrived(&w->server);
		send_down(w, 100);
		back += arrived(&w->alice);
		wt_world_pass(w, 100);
	}
	if (!there || !back)
		fail_msg("%u there, %u back; the log:\n%s", there, back, w->log);
}

static void whoever_slept_is_back_soon(void **state)
{
	static const uint64_t times[] = { 20000, 200000, 3 * 3600 * UINT64_C(1000) };
	struct wt_world *w = *state;

	up(w);
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		for (unsigned who = 1; who <= 3; who++) {
			sleep_for(w, who & 1, who & 2, times[i]);
			back_within_10_s(w);
			wt_world_pass(w, 10000);
			assert_int_equal(at_alice(w)->path_record_max, 1472);
			assert_int_equal(at_server(w)->path_record_max, 1472);
		}
}

static void who_slept_and_moved_is_back_soon(void **state)
{
	struct wt_world *w = *state;

	up_and_look(w);
	sleep_for(w, true, false, 20000);
	wt_packets_rebind(seen.old, ELSEWHERE);
	back_within_10_s(w);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 1);
}

#define PACKETS_TEST(f)                                                                            \
	cmocka_unit_test_setup_teardown(f, wt_world_setup_packets, wt_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PACKETS_TEST(a_clear_path_is_used_whole),
		PACKETS_TEST(what_does_not_fit_is_answered),
		PACKETS_TEST(a_smaller_inner_mtu_bounds_the_search),
		PACKETS_TEST(a_smaller_path_is_searched),
		PACKETS_TEST(a_black_hole_is_left_within_five_seconds),
		PACKETS_TEST(an_outage_changes_no_size),
		PACKETS_TEST(below_1280_ipv6_is_refused),
		PACKETS_TEST(the_link_bounds_the_search),
		PACKETS_TEST(without_a_route_nothing_is_learned),
		PACKETS_TEST(a_rekey_changes_no_size),
		PACKETS_TEST(a_peer_that_moved_is_followed),
		PACKETS_TEST(until_the_answer_data_goes_where_it_went),
		PACKETS_TEST(a_move_begins_the_measurement_at_base),
		PACKETS_TEST(a_copy_from_elsewhere_is_no_move),
		PACKETS_TEST(copies_that_overtake_move_nothing),
		PACKETS_TEST(one_copy_that_overtakes_is_seen_through_at_once),
		PACKETS_TEST(another_socket_of_ours_is_no_move),
		PACKETS_TEST(a_record_that_was_overtaken_is_no_move),
		PACKETS_TEST(what_was_replaced_asks_nothing),
		PACKETS_TEST(a_late_record_of_old_keys_is_no_move),
		PACKETS_TEST(a_handshake_says_where_it_is),
		PACKETS_TEST(only_who_was_dialled_follows),
		PACKETS_TEST(an_idle_dialler_keeps_its_mapping),
		cmocka_unit_test_setup_teardown(a_stream_answers_no_probe, wt_world_setup_memory,
						wt_world_teardown),
		PACKETS_TEST(whoever_slept_is_back_soon),
		PACKETS_TEST(who_slept_and_moved_is_back_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
