/* SPDX-License-Identifier: MIT
 *
 * The shapes in which packets cross: complete, with a partial checksum, as a run
 * of segments; cut or finished on either side where the other or its kernel
 * takes less. Whole engines; what arrives is compared with what was sent.
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
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/checksum.h"
#include "record/params.h"
#include "support/world.h"

#define SEGMENT 1000
#define SEGMENTS 5
#define HEADERS 40
#define RUN (HEADERS + SEGMENT * SEGMENTS - 300) /* the last one is short */
#define ALL_FEATURES (WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS)

/* A kernel that refuses what it took when it was tried. */
static bool kernel_refuses;

ssize_t write(int fd, const void *data, size_t len)
{
	const uint8_t *header = data;

	if (kernel_refuses && len > 10 && header[0] == VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_write, fd, data, len);
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* A TCP packet from alice to the server, its checksum partial. */
static void tcp_make(uint8_t *p, size_t len, uint8_t flags)
{
	uint16_t sum;

	wt_packet_make(p, len, "10.8.0.2", "10.8.0.1", 7);
	p[9] = IPPROTO_TCP;
	memset(p + 20, 0, 20);
	put16(p + 20, 40000);
	put16(p + 22, 80);
	p[24] = 9; /* sequence */
	p[32] = 5 << 4;
	p[33] = flags;
	p[6] = 0x40; /* DF */
	sum = (uint16_t)~wt_checksum_fold(wt_checksum_add(0, p, 20));
	memcpy(p + 10, &sum, 2);
	sum = wt_checksum_fold(wt_checksum_pseudo(p + 12, 8, IPPROTO_TCP, (uint32_t)len - 20));
	memcpy(p + 36, &sum, 2);
}

static void header_make(uint8_t out[10], uint16_t segment)
{
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = segment ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_NONE,
		.hdr_len = HEADERS,
		.gso_size = segment,
		.csum_start = 20,
		.csum_offset = 16,
	};

	memcpy(out, &header, 10);
}

/* Both checksums are complete and right. */
static bool checksums_right(const uint8_t *p, size_t len)
{
	uint64_t sum = wt_checksum_pseudo(p + 12, 8, IPPROTO_TCP, (uint32_t)len - 20);

	return wt_checksum_fold(wt_checksum_add(0, p, 20)) == 0xffff &&
	       wt_checksum_fold(wt_checksum_add(sum, p + 20, len - 20)) == 0xffff;
}

static void up(struct wt_world *w, uint32_t server, uint32_t alice)
{
	w->server.features = server;
	w->alice.features = alice;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	kernel_refuses = false;
}

static void a_run_crosses_as_one_record(void **state)
{
	struct wt_world *w = *state;
	uint8_t header[10], got_header[10], sent[RUN], got[65535];

	up(w, ALL_FEATURES, 0);
	tcp_make(sent, RUN, 0x10);
	header_make(header, SEGMENT);
	wt_end_inject_raw(&w->alice, header, sent, RUN);
	wt_world_settle(w);
	assert_int_equal(wt_end_take_raw(&w->server, got_header, got, sizeof got), RUN);
	assert_memory_equal(got_header, header, 10);
	assert_memory_equal(got, sent, RUN);
	assert_int_equal(w->alice.worker->offloads.sent_segments, 1);
	assert_int_equal(w->server.worker->offloads.received_segments, 1);
}

static void a_partial_checksum_crosses_as_it_is(void **state)
{
	struct wt_world *w = *state;
	uint8_t header[10], got_header[10], sent[500], got[65535];

	up(w, WT_FEATURE_PARTIAL, 0);
	tcp_make(sent, sizeof sent, 0x10);
	header_make(header, 0);
	wt_end_inject_raw(&w->alice, header, sent, sizeof sent);
	wt_world_settle(w);
	assert_int_equal(wt_end_take_raw(&w->server, got_header, got, sizeof got), sizeof sent);
	/* hdr_len belongs to runs; the far header is built anew. */
	assert_int_equal(got_header[0], VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(got_header[1], VIRTIO_NET_HDR_GSO_NONE);
	assert_memory_equal(got, sent, sizeof sent);
	assert_int_equal(w->alice.worker->offloads.sent_partial, 1);
}

/* Takes the packets of the run, complete ones, and compares them with it. */
static void takes_cut_run(struct wt_world *w, const uint8_t *run)
{
	uint8_t packet[1500];
	size_t at = HEADERS, n, len;

	for (n = 0; (len = wt_end_take(&w->server, packet, sizeof packet)) > 0; n++) {
		assert_true(checksums_right(packet, len));
		assert_memory_equal(packet + HEADERS, run + at, len - HEADERS);
		assert_int_equal(packet[26] << 8 | packet[27], at - HEADERS);
		at += len - HEADERS;
	}
	assert_int_equal(n, SEGMENTS);
	assert_int_equal(at, RUN);
}

static void a_run_is_cut_for_a_peer_that_takes_none(void **state)
{
	struct wt_world *w = *state;
	uint8_t header[10], sent[RUN];

	up(w, 0, ALL_FEATURES);
	tcp_make(sent, RUN, 0x10);
	header_make(header, SEGMENT);
	wt_end_inject_raw(&w->alice, header, sent, RUN);
	wt_world_settle(w);
	takes_cut_run(w, sent);
	assert_int_equal(w->alice.worker->offloads.cut, 1);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.tx_packets, SEGMENTS);
}

/* ... but takes partial checksums: then nobody sums up the payload. */
static void packets_of_a_cut_run_stay_partial(void **state)
{
	struct wt_world *w = *state;
	uint8_t header[10], got_header[10], sent[RUN], got[1500];
	size_t at = HEADERS, len;

	up(w, WT_FEATURE_PARTIAL, 0);
	tcp_make(sent, RUN, 0x10);
	header_make(header, SEGMENT);
	wt_end_inject_raw(&w->alice, header, sent, RUN);
	wt_world_settle(w);
	header_make(header, 0);
	memset(header + 2, 0, 2); /* hdr_len belongs to runs */
	while ((len = wt_end_take_raw(&w->server, got_header, got, sizeof got)) > 0) {
		uint16_t sum = wt_checksum_fold(
			wt_checksum_pseudo(got + 12, 8, IPPROTO_TCP, (uint32_t)len - 20));

		assert_memory_equal(got_header, header, sizeof header);
		assert_memory_equal(got + 36, &sum, sizeof sum);
		assert_memory_equal(got + HEADERS, sent + at, len - HEADERS);
		at += len - HEADERS;
	}
	assert_int_equal(at, RUN);
	assert_int_equal(w->server.worker->offloads.received_partial, SEGMENTS);
}

static void a_checksum_is_finished_for_a_peer_that_takes_none(void **state)
{
	struct wt_world *w = *state;
	uint8_t header[10], sent[500], got[500];

	up(w, 0, ALL_FEATURES);
	tcp_make(sent, sizeof sent, 0x10);
	header_make(header, 0);
	wt_end_inject_raw(&w->alice, header, sent, sizeof sent);
	wt_world_settle(w);
	assert_int_equal(wt_end_take(&w->server, got, sizeof got), sizeof got);
	assert_true(checksums_right(got, sizeof got));
	assert_memory_equal(got + HEADERS, sent + HEADERS, sizeof got - HEADERS);
	assert_int_equal(w->alice.worker->offloads.finished, 1);
}

static void what_the_kernel_refuses_is_done_here(void **state)
{
	struct wt_world *w = *state;
	uint8_t header[10], sent[RUN], got[500];

	up(w, ALL_FEATURES, 0);
	kernel_refuses = true;
	tcp_make(sent, RUN, 0x10);
	header_make(header, SEGMENT);
	wt_end_inject_raw(&w->alice, header, sent, RUN);
	wt_world_settle(w);
	takes_cut_run(w, sent);
	tcp_make(sent, sizeof got, 0x10);
	header_make(header, 0);
	wt_end_inject_raw(&w->alice, header, sent, sizeof got);
	wt_world_settle(w);
	assert_int_equal(wt_end_take(&w->server, got, sizeof got), sizeof got);
	assert_true(checksums_right(got, sizeof got));
	kernel_refuses = false;
	assert_int_equal(w->server.worker->offloads.refused, 2);
	assert_true(
		wt_world_logged(w, "the kernel refused a packet that it took when it was tried"));
}

static void a_syn_is_clamped_to_the_smaller_end(void **state)
{
	static const uint8_t mss_1460[] = { 2, 4, 0x05, 0xb4 };
	struct wt_world *w = *state;
	uint8_t header[10], got_header[10], sent[44], got[100];

	w->server.mtu = 1300;
	up(w, ALL_FEATURES, ALL_FEATURES);
	tcp_make(sent, sizeof sent, 0x02);
	sent[32] = 6 << 4;
	memcpy(sent + 40, mss_1460, 4);
	header_make(header, 0);
	wt_end_inject_raw(&w->alice, header, sent, sizeof sent);
	wt_world_settle(w);
	assert_int_equal(wt_end_take_raw(&w->server, got_header, got, sizeof got), sizeof sent);
	assert_int_equal(got[42] << 8 | got[43], 1300 - 40);
	assert_int_equal(w->alice.worker->offloads.clamped, 1);
}

static void what_does_not_fit_is_told_to_its_sender(void **state)
{
	struct wt_world *w = *state;
	uint8_t sent[1400], got[65535];

	w->server.mtu = 1300;
	up(w, 0, 0);
	wt_packet_make(sent, sizeof sent, "10.8.0.2", "10.8.0.1", 1);
	wt_end_inject(&w->alice, sent, sizeof sent);
	wt_world_settle(w);
	assert_int_equal(wt_end_take(&w->server, got, sizeof got), 0);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.drops[WT_DROP_TOO_LARGE], 1);
	assert_true(wt_end_take(&w->alice, got, sizeof got) > 28);
	assert_int_equal(got[9], IPPROTO_ICMP);
	assert_int_equal(got[20], 3);
	assert_int_equal(got[21], 4);
	assert_int_equal(got[26] << 8 | got[27], 1300);
	/* Not for ever: a flood gets a few. */
	int told = 0;

	for (int i = 0; i < 100; i++) {
		wt_end_inject(&w->alice, sent, sizeof sent);
		if (i % 10 < 9)
			continue;
		wt_world_settle(w);
		while (wt_end_take(&w->alice, got, sizeof got) > 0)
			told++;
	}
	assert_in_range(told, 1, 25);
}

int main(void)
{
#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, wt_world_setup, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_run_crosses_as_one_record),
		WORLD_TEST(a_partial_checksum_crosses_as_it_is),
		WORLD_TEST(a_run_is_cut_for_a_peer_that_takes_none),
		WORLD_TEST(packets_of_a_cut_run_stay_partial),
		WORLD_TEST(a_checksum_is_finished_for_a_peer_that_takes_none),
		WORLD_TEST(what_the_kernel_refuses_is_done_here),
		WORLD_TEST(a_syn_is_clamped_to_the_smaller_end),
		WORLD_TEST(what_does_not_fit_is_told_to_its_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
