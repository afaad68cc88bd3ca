/* SPDX-License-Identifier: MIT
 *
 * Packets that arrive in a row go to the device as one run, in the order in which
 * they came, counted as what they are. Whole engines over a stream.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/delivery.h"
#include "record/params.h"
#include "session/peer.h"
#include "support/run.h"
#include "support/world.h"

#define ALL_FEATURES (WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS)
#define PACKETS 5u
#define HEADERS 40u

/* A kernel that takes no runs. */
static bool kernel_refuses;

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	if (kernel_refuses) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_writev, fd, parts, count);
}

static const uint8_t alice_to_server[8] = { 10, 8, 0, 2, 10, 8, 0, 1 };
static const uint8_t bob_to_server[8] = { 10, 8, 0, 3, 10, 8, 0, 1 };

static const struct wt_run tcp = { .family = AF_INET,
				   .protocol = IPPROTO_TCP,
				   .tcp_flags = 0x10,
				   .payload = PACKETS * 1000 - 300,
				   .size = 1000,
				   .addresses = alice_to_server };
static const struct wt_run udp = { .family = AF_INET,
				   .protocol = IPPROTO_UDP,
				   .payload = PACKETS * 1000,
				   .size = 1000,
				   .addresses = alice_to_server };

static uint8_t whole[WT_RUN_MAX], got[WT_RUN_MAX];

static void up(struct wt_world *w)
{
	kernel_refuses = false;
	w->server.features = ALL_FEATURES;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
}

/* Packet `i` of the run, its checksum partial, into alice's device. */
static void inject(struct wt_world *w, const struct wt_run *run, size_t i)
{
	struct wt_vnet vnet = wt_run_vnet(run);
	uint8_t header[WT_TUN_HEADER], packet[1500];
	size_t len = wt_run_partial(run, i, packet);

	vnet.type = VIRTIO_NET_HDR_GSO_NONE;
	vnet.segment_size = 0;
	wt_vnet_store(&vnet, header);
	wt_end_inject_raw(&w->alice, header, packet, len);
}

static void takes_run(struct wt_world *w, const struct wt_run *run)
{
	struct wt_vnet vnet = wt_run_vnet(run), found;
	uint8_t header[WT_TUN_HEADER];
	size_t len = wt_run_whole(run, whole);

	assert_int_equal(wt_end_take_raw(&w->server, header, got, sizeof got), len);
	assert_memory_equal(got, whole, len);
	found = wt_vnet_read(header);
	assert_memory_equal(&found, &vnet, sizeof vnet);
}

static void packets_in_a_row_arrive_as_a_run(void **state)
{
	static const struct wt_run *const runs[] = { &tcp, &udp };
	struct wt_world *w = *state;
	const struct wt_offload_counters *counters;
	const struct wt_peer_counters *peer;

	up(w);
	counters = &w->server.worker->offloads;
	peer = &wt_world_peer(&w->server, 0)->counters;
	for (size_t i = 0; i < 2; i++) {
		uint64_t packets = peer->rx_packets, bytes = peer->rx_bytes;

		for (size_t k = 0; k < PACKETS; k++)
			inject(w, runs[i], k);
		wt_world_settle(w);
		takes_run(w, runs[i]);
		assert_int_equal(counters->merged_runs, i + 1);
		assert_int_equal(counters->merged_packets, (i + 1) * PACKETS);
		assert_int_equal(counters->received_partial, (i + 1) * PACKETS);
		assert_int_equal(peer->rx_packets - packets, PACKETS);
		assert_int_equal(peer->rx_bytes - bytes,
				 runs[i]->payload + PACKETS * wt_run_headers(runs[i]));
	}
	assert_int_equal(counters->copied_bytes, 0);
}

static void one_packet_does_not_wait_for_another(void **state)
{
	struct wt_world *w = *state;
	uint8_t header[WT_TUN_HEADER];

	up(w);
	for (size_t i = 0; i < PACKETS; i++) {
		inject(w, &tcp, i);
		wt_world_settle(w);
		assert_true(wt_end_take_raw(&w->server, header, got, sizeof got) > 0);
		assert_int_equal(header[1], VIRTIO_NET_HDR_GSO_NONE);
	}
	assert_int_equal(w->server.worker->offloads.merged_runs, 0);
}

/* A run ends where another packet came between. */
static void the_order_is_kept(void **state)
{
	struct wt_world *w = *state;
	uint8_t header[WT_TUN_HEADER], other[100];
	struct wt_run first = tcp, rest = tcp;

	up(w);
	wt_packet_make(other, sizeof other, "10.8.0.2", "10.8.0.1", 1);
	inject(w, &tcp, 0);
	inject(w, &tcp, 1);
	wt_end_inject(&w->alice, other, sizeof other);
	for (size_t i = 2; i < PACKETS; i++)
		inject(w, &tcp, i);
	wt_world_settle(w);
	first.payload = 2000;
	takes_run(w, &first);
	assert_int_equal(wt_end_take_raw(&w->server, header, got, sizeof got), sizeof other);
	assert_memory_equal(got, other, sizeof other);
	assert_true(wt_end_take_raw(&w->server, header, got, sizeof got) > 0);
	assert_int_equal(header[1], VIRTIO_NET_HDR_GSO_TCPV4);
	(void)wt_run_whole(&rest, whole);
	assert_memory_equal(got + HEADERS, whole + HEADERS + 2000, rest.payload - 2000);
	assert_int_equal(wt_end_take(&w->server, got, sizeof got), 0);
}

static void what_the_kernel_refuses_goes_one_by_one(void **state)
{
	struct wt_world *w = *state;
	uint8_t header[WT_TUN_HEADER], expected[1500];

	up(w);
	kernel_refuses = true;
	for (size_t i = 0; i < PACKETS; i++)
		inject(w, &tcp, i);
	wt_world_settle(w);
	kernel_refuses = false;
	for (size_t i = 0; i < PACKETS; i++) {
		size_t len = wt_run_partial(&tcp, i, expected);

		assert_int_equal(wt_end_take_raw(&w->server, header, got, sizeof got), len);
		assert_memory_equal(got, expected, len);
		assert_int_equal(header[0], VIRTIO_NET_HDR_F_NEEDS_CSUM);
		assert_int_equal(header[1], VIRTIO_NET_HDR_GSO_NONE);
	}
	assert_int_equal(w->server.worker->offloads.refused, 1);
	assert_int_equal(w->server.worker->offloads.merged_runs, 0);
	assert_int_equal(w->server.worker->offloads.received_partial, PACKETS);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.rx_packets, PACKETS);
}

/* Packets are written before the connection that holds them ends: CLOSE comes in
 * the same receive. */
static void what_came_before_close_arrives(void **state)
{
	struct wt_world *w = *state;

	up(w);
	for (size_t i = 0; i < PACKETS; i++)
		inject(w, &tcp, i);
	/* Alice sends, and the server does not receive before she has closed. */
	for (int i = 0; i < 5; i++)
		wt_engine_turn(w->alice.engine, 0);
	wt_engine_stop(w->alice.engine);
	for (int i = 0; i < 5; i++)
		wt_engine_turn(w->server.engine, 0);
	assert_false(wt_peer_is_up(wt_world_peer(&w->server, 0)));
	takes_run(w, &tcp);
}

/* ---- whose it is --------------------------------------------------------- */

static struct wt_inner parsed(const struct wt_run *run, size_t i, uint8_t *room,
			      const struct wt_inner_limits *own)
{
	struct wt_inner inner;
	size_t len = wt_run_partial(run, i, room + 17);

	room[16] = WT_INNER_PARTIAL;
	assert_int_equal(wt_inner_parse(room + 16, 1 + len, own, &inner), WT_DROP_NONE);
	return inner;
}

static void each_packet_is_its_sender_s(void **state)
{
	struct wt_world *w = *state;
	static uint8_t room[2][1600];
	uint8_t header[WT_TUN_HEADER];
	struct wt_run bobs = tcp;
	struct wt_delivery delivery;
	struct wt_worker *worker;
	struct wt_inner inner;

	up(w);
	worker = w->server.worker;
	bobs.addresses = bob_to_server;
	wt_delivery_init(&delivery, worker);
	inner = parsed(&tcp, 0, room[0], &worker->node->limits);
	wt_delivery_packet(&delivery, wt_world_peer(&w->server, 0), &inner);
	wt_delivery_flush(&delivery);
	inner = parsed(&bobs, 1, room[1], &worker->node->limits);
	wt_delivery_packet(&delivery, wt_world_peer(&w->server, 1), &inner);
	/* Alice, with bob's address. */
	wt_delivery_packet(&delivery, wt_world_peer(&w->server, 0), &inner);
	wt_delivery_flush(&delivery);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(wt_world_peer(&w->server, i)->counters.rx_packets, 1);
		assert_true(wt_end_take_raw(&w->server, header, got, sizeof got) > 0);
	}
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.drops[WT_DROP_SOURCE], 1);
	assert_int_equal(wt_end_take_raw(&w->server, header, got, sizeof got), 0);
}

int main(void)
{
#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, wt_world_setup, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		WORLD_TEST(packets_in_a_row_arrive_as_a_run),
		WORLD_TEST(one_packet_does_not_wait_for_another),
		WORLD_TEST(the_order_is_kept),
		WORLD_TEST(what_the_kernel_refuses_goes_one_by_one),
		WORLD_TEST(what_came_before_close_arrives),
		WORLD_TEST(each_packet_is_its_sender_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
