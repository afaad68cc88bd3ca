/* SPDX-License-Identifier: MIT
 *
 * Runs over datagrams: what the device gives at once leaves with one call and
 * comes out as it was; what is lost on the way costs no more than itself. Whole
 * engines over a network that the test owns.
 */
#include <arpa/inet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "record/params.h"
#include "session/output.h"
#include "session/peer.h"
#include "support/packet_transport.h"
#include "support/run.h"
#include "support/world.h"
#include "tun/tun.h"

#define ALL_FEATURES (WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS)
#define SIZE 1200u
#define PACKETS 5u
/* Header, kind and tag of a record. */
#define OVERHEAD 33u

static const uint8_t alice_to_server[8] = { 10, 8, 0, 2, 10, 8, 0, 1 };
static const uint8_t server_to_alice[8] = { 10, 8, 0, 1, 10, 8, 0, 2 };
static const uint8_t server_to_bob[8] = { 10, 8, 0, 1, 10, 8, 0, 3 };

static const struct wt_run tcp = { .family = AF_INET,
				   .protocol = IPPROTO_TCP,
				   .tcp_flags = 0x10,
				   .payload = PACKETS * SIZE - 300,
				   .size = SIZE,
				   .addresses = alice_to_server };
static const struct wt_run udp = { .family = AF_INET,
				   .protocol = IPPROTO_UDP,
				   .payload = PACKETS * SIZE,
				   .size = SIZE,
				   .addresses = alice_to_server };

static uint8_t whole[WT_RUN_MAX], got[WT_RUN_MAX];

static void up(struct wt_world *w)
{
	w->server.features = w->alice.features = w->bob.features = ALL_FEATURES;
	wt_packet_net.coalesce = true;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
	w->alice.worker->offloads = (struct wt_offload_counters){ 0 };
	w->server.worker->offloads = (struct wt_offload_counters){ 0 };
}

static void inject_run(struct wt_end *end, const struct wt_run *run)
{
	struct wt_vnet vnet = wt_run_vnet(run);
	uint8_t header[WT_TUN_HEADER];
	size_t len = wt_run_whole(run, whole);

	wt_vnet_store(&vnet, header);
	wt_end_inject_raw(end, header, whole, len);
}

/* A packet of its own; its checksum is partial. */
static void inject_packet(struct wt_end *end, const struct wt_run *run, size_t i)
{
	struct wt_vnet vnet = wt_run_vnet(run);
	uint8_t header[WT_TUN_HEADER], packet[1500];
	size_t len = wt_run_partial(run, i, packet);

	vnet.type = VIRTIO_NET_HDR_GSO_NONE;
	vnet.segment_size = 0;
	wt_vnet_store(&vnet, header);
	wt_end_inject_raw(end, header, packet, len);
}

static void takes_run(struct wt_end *end, const struct wt_run *run)
{
	struct wt_vnet vnet = wt_run_vnet(run), found;
	uint8_t header[WT_TUN_HEADER];
	size_t len = wt_run_whole(run, whole);

	assert_int_equal(wt_end_take_raw(end, header, got, sizeof got), len);
	assert_memory_equal(got, whole, len);
	found = wt_vnet_read(header);
	assert_memory_equal(&found, &vnet, sizeof vnet);
}

/* A part of the run, packets `from` to `to`, put together. */
static void takes_part(struct wt_end *end, const struct wt_run *run, size_t from, size_t to)
{
	size_t headers = wt_run_headers(run), start = from * run->size;
	size_t stop = to * run->size < run->payload ? to * run->size : run->payload;
	uint8_t header[WT_TUN_HEADER];

	(void)wt_run_whole(run, whole);
	assert_int_equal(wt_end_take_raw(end, header, got, sizeof got), headers + stop - start);
	assert_memory_equal(got + headers, whole + headers + start, stop - start);
}

static void takes_nothing(struct wt_end *end)
{
	uint8_t header[WT_TUN_HEADER];

	assert_int_equal(wt_end_take_raw(end, header, got, sizeof got), 0);
}

/* ---- superpackets -------------------------------------------------------- */

static void a_superpacket_crosses_as_a_run(void **state)
{
	static const struct wt_run *const runs[] = { &tcp, &udp };
	struct wt_world *w = *state;
	const struct wt_offload_counters *out, *in;
	const struct wt_peer_counters *sent;

	up(w);
	out = &w->alice.worker->offloads;
	in = &w->server.worker->offloads;
	sent = &wt_world_peer(&w->alice, 0)->counters;
	for (size_t i = 1; i <= 2; i++) {
		uint64_t packets = sent->tx_packets;

		inject_run(&w->alice, runs[i - 1]);
		wt_world_settle(w);
		takes_run(&w->server, runs[i - 1]);
		takes_nothing(&w->server);
		assert_int_equal(out->carved, i);
		assert_int_equal(out->sent_runs, i);
		assert_int_equal(out->sent_run_packets, i * PACKETS);
		assert_int_equal(out->sent_partial, i * PACKETS);
		assert_int_equal(in->merged_runs, i);
		assert_int_equal(in->merged_packets, i * PACKETS);
		assert_int_equal(sent->tx_packets - packets, PACKETS);
	}
	assert_int_equal(out->copied_bytes + in->copied_bytes, 0);
}

/* One datagram a receive: each packet goes on at once. */
static void without_runs_in_the_network_packets_arrive(void **state)
{
	struct wt_world *w = *state;

	up(w);
	wt_packet_net.coalesce = false;
	inject_run(&w->alice, &tcp);
	wt_world_settle(w);
	for (size_t i = 0; i < PACKETS; i++)
		takes_part(&w->server, &tcp, i, i + 1);
	takes_nothing(&w->server);
	assert_int_equal(w->server.worker->offloads.merged_runs, 0);
}

static unsigned lost_at;

static enum wt_fate lose_one(void *arg, struct wt_datagram *datagram)
{
	(void)arg;
	(void)datagram;
	return lost_at-- == 0 ? WT_FATE_LOST : WT_FATE_ARRIVES;
}

static void a_loss_costs_itself_alone(void **state)
{
	struct wt_world *w = *state;

	up(w);
	lost_at = 2;
	wt_packet_net.fate = lose_one;
	inject_run(&w->alice, &tcp);
	wt_world_settle(w);
	wt_packet_net.fate = NULL;
	takes_part(&w->server, &tcp, 0, 2);
	takes_part(&w->server, &tcp, 3, 5);
	takes_nothing(&w->server);
}

static void out_of_order_nothing_is_put_together_wrongly(void **state)
{
	struct wt_world *w = *state;
	uint8_t header[WT_TUN_HEADER];
	size_t bytes = 0, len;

	up(w);
	wt_packet_net.fate = NULL;
	for (size_t i = PACKETS; i-- > 0;)
		inject_packet(&w->alice, &udp, i);
	wt_world_settle(w);
	while ((len = wt_end_take_raw(&w->server, header, got, sizeof got)) > 0) {
		assert_int_equal(header[1], VIRTIO_NET_HDR_GSO_NONE);
		bytes += len;
	}
	assert_int_equal(bytes, PACKETS * (SIZE + 28));
	assert_int_equal(w->server.worker->offloads.merged_runs, 0);
}

/* More than one call takes: 64 records, and 65,507 bytes. */
static void the_largest_superpackets_are_several_runs(void **state)
{
	static const struct {
		uint16_t size;
		size_t runs;
	} cases[] = { { 1200, 2 }, { 600, 2 }, { 1000, 2 }, { 512, 2 }, { 400, 3 } };
	struct wt_world *w = *state;
	const struct wt_offload_counters *out;

	up(w);
	out = &w->alice.worker->offloads;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_run run = tcp;
		uint64_t runs = out->sent_runs;
		uint8_t header[WT_TUN_HEADER];
		size_t payload = 0, len;

		run.size = cases[i].size;
		run.payload = 65535 - 40;
		run.seed = i;
		inject_run(&w->alice, &run);
		wt_world_settle(w);
		assert_int_equal(out->sent_runs - runs, cases[i].runs);
		while ((len = wt_end_take_raw(&w->server, header, got, sizeof got)) > 0) {
			assert_memory_equal(got + 40, whole + 40 + payload, len - 40);
			payload += len - 40;
		}
		assert_int_equal(payload, run.payload);
	}
	assert_int_equal(out->copied_bytes, 0);
	assert_int_equal(w->alice.worker->drops[WT_DROP_QUEUE_FULL], 0);
}

/* What one superpacket leaves room for in a run, the next one fills. */
static void superpackets_in_a_row_fill_their_runs(void **state)
{
	struct wt_world *w = *state;
	struct wt_run run = tcp;
	uint8_t header[WT_TUN_HEADER];
	size_t payload = 0, len;

	up(w);
	run.payload = 54 * SIZE; /* a run has room for 51 of these */
	inject_run(&w->alice, &run);
	inject_run(&w->alice, &run);
	wt_world_settle(w);
	assert_int_equal(w->alice.worker->offloads.sent_runs, 3);
	assert_int_equal(w->alice.worker->offloads.sent_run_packets, 2 * 54);
	while ((len = wt_end_take_raw(&w->server, header, got, sizeof got)) > 0) {
		size_t at = payload % run.payload;

		assert_memory_equal(got + 40, whole + 40 + at, len - 40);
		payload += len - 40;
	}
	assert_int_equal(payload, 2 * run.payload);
}

/* What was sealed before takes all places but one: it goes first. */
static void a_superpacket_makes_room_for_itself(void **state)
{
	struct wt_world *w = *state;
	struct wt_run small = udp, large = tcp;
	uint8_t header[WT_TUN_HEADER];
	size_t payload = 0, len;

	up(w);
	for (size_t i = 1; i < WT_LINK_OUT_SEALED; i++) {
		small.payload = small.size = (uint16_t)i;
		inject_packet(&w->alice, &small, 0);
	}
	large.payload = 65535 - 40;
	inject_run(&w->alice, &large);
	wt_world_settle(w);
	for (size_t i = 1; i < WT_LINK_OUT_SEALED; i++)
		assert_int_equal(wt_end_take_raw(&w->server, header, got, sizeof got), 28 + i);
	(void)wt_run_whole(&large, whole);
	while ((len = wt_end_take_raw(&w->server, header, got, sizeof got)) > 0) {
		assert_memory_equal(got + 40, whole + 40 + payload, len - 40);
		payload += len - 40;
	}
	assert_int_equal(payload, large.payload);
	assert_int_equal(w->alice.worker->drops[WT_DROP_QUEUE_FULL], 0);
}

static void a_superpacket_waits_whole_for_a_full_socket(void **state)
{
	struct wt_world *w = *state;

	up(w);
	wt_packet_net.full = true;
	inject_run(&w->alice, &tcp); /* sealed; the socket does not take it */
	wt_world_settle(w);
	inject_run(&w->alice, &udp); /* waits as it is */
	wt_world_settle(w);
	takes_nothing(&w->server);
	assert_int_equal(w->alice.worker->offloads.carved, 1);
	wt_packet_net.full = false;
	wt_packets_drain();
	wt_world_settle(w);
	takes_run(&w->server, &tcp);
	takes_run(&w->server, &udp);
	assert_int_equal(w->alice.worker->offloads.carved, 2);
}

/* Each packet that is not sealed is counted, once. */
static void what_cannot_be_sealed_is_counted(void **state)
{
	struct wt_world *w = *state;
	struct wt_keypair *pair;
	const struct wt_peer *peer;
	uint64_t sent;

	up(w);
	peer = wt_world_peer(&w->alice, 0);
	pair = peer->active->keys.current;
	/* Two more records, and the key is used up. */
	pair->limits.stop_units = pair->send_units + wt_record_units(SIZE + 41) + 1;
	sent = peer->counters.tx_packets;
	inject_run(&w->alice, &tcp);
	wt_world_settle(w);
	assert_int_equal(peer->counters.tx_packets - sent, 2);
	assert_int_equal(peer->counters.drops[WT_DROP_SEND_LIMIT], PACKETS - 2);
	takes_part(&w->server, &tcp, 0, 2);
	takes_nothing(&w->server);
}

/* ---- packets that wait together ------------------------------------------ */

static void small_packets_leave_together(void **state)
{
	struct wt_world *w = *state;
	const struct wt_offload_counters *out;
	struct wt_run small = udp;
	uint8_t header[WT_TUN_HEADER], expected[1500];

	up(w);
	out = &w->alice.worker->offloads;
	small.size = 64;
	small.payload = 10 * 64 - 4; /* the last is shorter */
	for (size_t i = 0; i < 10; i++)
		inject_packet(&w->alice, &small, i);
	wt_world_settle(w);
	assert_int_equal(out->sent_runs, 1);
	assert_int_equal(out->sent_run_packets, 10);
	for (size_t i = 0; i < 10; i++) {
		size_t len = wt_run_partial(&small, i, expected);

		assert_int_equal(wt_end_take_raw(&w->server, header, got, sizeof got), len);
		assert_memory_equal(got, expected, len);
	}
	assert_int_equal(w->server.worker->offloads.merged_runs, 0);
	assert_int_equal(out->copied_bytes, 0);
}

static void a_larger_packet_begins_a_run(void **state)
{
	struct wt_world *w = *state;
	struct wt_run small = udp, large = udp;
	const struct wt_offload_counters *out;

	up(w);
	out = &w->alice.worker->offloads;
	small.payload = small.size = 64;
	large.payload = large.size = 65;
	/* 64 64 | 65 64 | 65 64 | 64, for nothing follows a shorter one. */
	inject_packet(&w->alice, &small, 0);
	inject_packet(&w->alice, &small, 0);
	inject_packet(&w->alice, &large, 0);
	inject_packet(&w->alice, &small, 0);
	inject_packet(&w->alice, &large, 0);
	inject_packet(&w->alice, &small, 0);
	inject_packet(&w->alice, &small, 0);
	wt_world_settle(w);
	assert_int_equal(out->sent_runs, 3);
	assert_int_equal(out->sent_run_packets, 6);
	for (int i = 0; i < 7; i++) {
		uint8_t header[WT_TUN_HEADER];

		assert_true(wt_end_take_raw(&w->server, header, got, sizeof got) > 0);
	}
	takes_nothing(&w->server);
}

static void who_goes_elsewhere_is_in_no_run(void **state)
{
	struct wt_world *w = *state;
	struct wt_run alices = udp, bobs = udp;

	up(w);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	wt_world_settle(w);
	alices.addresses = server_to_alice;
	bobs.addresses = server_to_bob;
	for (size_t i = 0; i < 2; i++) {
		inject_packet(&w->server, &alices, i);
		inject_packet(&w->server, &bobs, i);
	}
	w->server.worker->offloads.sent_runs = 0;
	wt_world_settle(w);
	assert_int_equal(w->server.worker->offloads.sent_runs, 0);
	takes_part(&w->alice, &alices, 0, 2);
	takes_part(&w->bob, &bobs, 0, 2);
	assert_int_equal(w->alice.worker->drops[WT_DROP_INDEX], 0);
	assert_int_equal(w->bob.worker->drops[WT_DROP_INDEX], 0);
}

/* A probe may be too large for the path; nothing shares its fate. */
static void a_probe_is_in_no_run(void **state)
{
	struct wt_world *w = *state;
	static uint8_t probe[2000];
	size_t len;
	struct wt_conn *conn;
	struct wt_link *link;

	up(w);
	conn = wt_world_peer(&w->alice, 0)->active;
	link = conn->link;
	/* Its record is larger than what the path is known to take. */
	len = conn->limits.record_max;
	assert_in_range(len, SIZE, sizeof probe);
	assert_true(wt_output_text(conn, conn->keys.current, probe, len));
	assert_int_equal(wt_output_piece(conn, probe, 100), WT_DROP_NONE);
	assert_int_equal(link->out_count, 2);
	assert_int_equal(link->out[0].segment, 0);
	/* A control record that fits is no probe. */
	assert_int_equal(wt_output_piece(conn, probe, 100), WT_DROP_NONE);
	assert_int_equal(link->out_count, 2);
	assert_int_equal(link->out[1].segment, 100 + OVERHEAD - 1);
	wt_output_flush(link);
}

static void a_run_ends_at_what_one_call_takes(void **state)
{
	static const size_t lengths[] = { 100, 1023, 1241 };
	struct wt_world *w = *state;
	static uint8_t text[1300];
	struct wt_conn *conn;
	struct wt_link *link;

	up(w);
	conn = wt_world_peer(&w->alice, 0)->active;
	link = conn->link;
	for (size_t i = 0; i < 3; i++) {
		size_t record = lengths[i] + OVERHEAD - 1, most = 65507 / record, n = 0;

		most = most < 64 ? most : 64;
		while (link->out_count < 2) {
			assert_int_equal(wt_output_piece(conn, text, lengths[i]), WT_DROP_NONE);
			n++;
		}
		assert_int_equal(n, most + 1);
		assert_int_equal(link->out[0].len, most * record);
		assert_int_equal(link->out_bytes, n * record);
		wt_output_flush(link);
		assert_int_equal(link->out_bytes, 0);
	}
	/* No room in the list: nothing happens before a flush. */
	for (size_t i = 0; i < WT_LINK_OUT_SEALED; i++)
		assert_int_equal(wt_output_piece(conn, text, i + 1), WT_DROP_NONE);
	assert_int_equal(wt_output_piece(conn, text, 1000), WT_DROP_QUEUE_FULL);
	assert_int_equal(link->out_count, WT_LINK_OUT_SEALED);
	wt_output_flush(link);
	wt_world_settle(w);
}

/* Also of packets that leave only in runs it is asked whether they still arrive. */
static void a_black_hole_is_left_when_all_are_runs(void **state)
{
	struct wt_world *w = *state;
	unsigned tenths = 0;

	up(w);
	wt_world_pass(w, 1000);
	wt_packet_net.path_max = 1210;
	while (wt_world_peer(&w->alice, 0)->active->path_record_max > 1313 && tenths++ < 100) {
		inject_run(&w->alice, &tcp);
		wt_world_pass(w, 100);
	}
	assert_in_range(tenths, 1, 50);
}

int main(void)
{
#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, wt_world_setup_packets, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_superpacket_crosses_as_a_run),
		WORLD_TEST(without_runs_in_the_network_packets_arrive),
		WORLD_TEST(a_loss_costs_itself_alone),
		WORLD_TEST(out_of_order_nothing_is_put_together_wrongly),
		WORLD_TEST(the_largest_superpackets_are_several_runs),
		WORLD_TEST(superpackets_in_a_row_fill_their_runs),
		WORLD_TEST(a_superpacket_makes_room_for_itself),
		WORLD_TEST(a_superpacket_waits_whole_for_a_full_socket),
		WORLD_TEST(what_cannot_be_sealed_is_counted),
		WORLD_TEST(small_packets_leave_together),
		WORLD_TEST(a_larger_packet_begins_a_run),
		WORLD_TEST(who_goes_elsewhere_is_in_no_run),
		WORLD_TEST(a_probe_is_in_no_run),
		WORLD_TEST(a_run_ends_at_what_one_call_takes),
		WORLD_TEST(a_black_hole_is_left_when_all_are_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
