/* SPDX-License-Identifier: MIT
 *
 * bench_segment: what it costs to do a kernel's work on a run of segments here:
 * cutting it into packets, and the checksums.
 *
 *	bench_segment [rounds]
 *
 * One core, one run of 64 KB over and over, so all of it is in the cache, as it
 * is right after it was read or opened. The rows take turns; of each the best
 * round counts, since what disturbs a measurement only ever makes it slower.
 * memcpy of the same bytes is there to compare with.
 */
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "record/checksum.h"
#include "record/plan.h"
#include "record/vnet.h"

#define ROUNDS 15u
#define TURN_NS 5000000u

struct row {
	const char *what;
	uint8_t family, protocol;
	uint16_t size; /* of a segment; 0: one packet */
	uint64_t (*once)(const struct row *row);
	size_t len;
	uint64_t best; /* ns, times 100 */
};

static uint8_t run[65536], out[65536];
static struct wt_vnet vnet;
/* Whatever is computed ends here, so that it is. */
static volatile uint64_t sink;

static uint64_t now_ns(void)
{
	return wt_clock_system.mono_ns(&wt_clock_system);
}

static void run_make(struct row *row)
{
	size_t ip = row->family == AF_INET ? 20 : 40;
	size_t l4 = row->protocol == IPPROTO_TCP ? 32 : 8;
	size_t payload = row->size ? 65000u - 65000u % row->size : 1448u;
	struct wt_packet packet;
	struct wt_layer4 layer4;
	uint16_t partial;

	row->len = ip + l4 + payload;
	for (size_t i = 0; i < sizeof run; i++)
		run[i] = (uint8_t)(i * 31 + (i >> 8));
	memset(run, 0, ip + l4);
	if (row->family == AF_INET) {
		run[0] = 0x45;
		wt_store_be16(run + 2, (uint16_t)row->len);
		run[9] = row->protocol;
	} else {
		run[0] = 0x60;
		wt_store_be16(run + 4, (uint16_t)(row->len - 40));
		run[6] = row->protocol;
	}
	if (row->protocol == IPPROTO_TCP) {
		run[ip + 12] = 8 << 4;
		run[ip + 13] = 0x10;
	} else {
		wt_store_be16(run + ip + 4, (uint16_t)(row->len - ip));
	}
	vnet = (struct wt_vnet){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				 .segment_size = row->size,
				 .checksum_start = (uint16_t)ip,
				 .checksum_offset = row->protocol == IPPROTO_TCP ? 16 : 6 };
	if (row->size)
		vnet.type = row->protocol == IPPROTO_UDP ? WT_VNET_UDP_L4
			    : row->family == AF_INET	 ? VIRTIO_NET_HDR_GSO_TCPV4
							 : VIRTIO_NET_HDR_GSO_TCPV6;
	if (wt_packet_parse(run, row->len, &packet) != WT_DROP_NONE ||
	    wt_layer4_parse(run, row->len, &packet, &layer4) != WT_DROP_NONE) {
		fprintf(stderr, "bench_segment: the run of \"%s\" is wrong\n", row->what);
		exit(1);
	}
	partial = wt_layer4_pseudo(&layer4, row->len, &packet);
	memcpy(run + ip + vnet.checksum_offset, &partial, sizeof partial);
}

/* To a peer that takes nothing: parsed, planned, cut. */
static uint64_t cut(const struct row *row)
{
	static const struct wt_inner_limits takes_nothing = { .record_max = 65570,
							      .inner_mtu = 1500 };
	struct wt_packet packet;
	struct wt_plan plan;
	uint64_t packets = 0;

	if (wt_packet_parse(run, row->len, &packet) != WT_DROP_NONE)
		return 0;
	wt_plan_make(&vnet, run, row->len, &packet, &takes_nothing, &plan);
	if (plan.way != WT_PLAN_CUT)
		return 0;
	while (wt_segments_next(&plan.segments, out) > 0)
		packets++;
	return packets;
}

/* To a peer that takes all: parsed and planned. */
static uint64_t pass(const struct row *row)
{
	static const struct wt_inner_limits takes_all = { .features = 31,
							  .record_max = 65570,
							  .inner_mtu = 1500 };
	struct wt_packet packet;
	struct wt_plan plan;

	if (wt_packet_parse(run, row->len, &packet) != WT_DROP_NONE)
		return 0;
	wt_plan_make(&vnet, run, row->len, &packet, &takes_all, &plan);
	return plan.way == WT_PLAN_SEND;
}

static uint64_t finish(const struct row *row)
{
	wt_vnet_finish(&vnet, run, row->len);
	return 1;
}

static uint64_t sum(const struct row *row)
{
	sink = wt_checksum_add(0, run, row->len);
	return 1;
}

static uint64_t copy(const struct row *row)
{
	memcpy(out, run, row->len);
	/* The compiler must believe that somebody looks. */
	__asm__ volatile("" : : "r"(out) : "memory");
	return 1;
}

static uint64_t turn(const struct row *row)
{
	uint64_t start = now_ns(), ns = 0, n = 0;

	while (ns < TURN_NS) {
		for (int i = 0; i < 8; i++)
			if (row->once(row) == 0) {
				fprintf(stderr, "bench_segment: \"%s\" does not do its work\n",
					row->what);
				exit(1);
			}
		n += 8;
		ns = now_ns() - start;
	}
	return ns * 100 / n;
}

int main(int argc, char **argv)
{
	static struct row rows[] = {
		{ "cut TCP/IPv4, segments of 1448", AF_INET, IPPROTO_TCP, 1448, cut, 0, 0 },
		{ "cut TCP/IPv6, segments of 1428", AF_INET6, IPPROTO_TCP, 1428, cut, 0, 0 },
		{ "cut UDP/IPv4, segments of 1200", AF_INET, IPPROTO_UDP, 1200, cut, 0, 0 },
		{ "cut TCP/IPv4, segments of 536", AF_INET, IPPROTO_TCP, 536, cut, 0, 0 },
		{ "checksum of as many bytes", AF_INET, IPPROTO_TCP, 1448, sum, 0, 0 },
		{ "memcpy of as many bytes", AF_INET, IPPROTO_TCP, 1448, copy, 0, 0 },
		{ "pass the run on as one record", AF_INET, IPPROTO_TCP, 1448, pass, 0, 0 },
		{ "finish a packet of 1500", AF_INET, IPPROTO_TCP, 0, finish, 0, 0 },
	};
	const size_t count = sizeof rows / sizeof rows[0];
	unsigned long rounds = ROUNDS;

	if (argc > 1) {
		char *end;

		rounds = strtoul(argv[1], &end, 10);
		if (argc > 2 || *end || rounds < 1 || rounds > 1000) {
			fprintf(stderr, "usage: bench_segment [rounds 1..1000]\n");
			return 2;
		}
	}
	for (unsigned long round = 0; round < rounds; round++)
		for (size_t i = 0; i < count; i++) {
			uint64_t took;

			run_make(&rows[i]);
			took = turn(&rows[i]);
			if (round == 0 || took < rows[i].best)
				rows[i].best = took;
		}
	printf("%-32s %8s %10s %8s\n", "", "bytes", "ns", "GB/s");
	for (size_t i = 0; i < count; i++) {
		double ns = (double)rows[i].best / 100;

		printf("%-32s %8zu %10.0f %8.1f\n", rows[i].what, rows[i].len, ns,
		       (double)rows[i].len / ns);
	}
	return 0;
}
