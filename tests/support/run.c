/* SPDX-License-Identifier: MIT */
#include "support/run.h"

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define FIN 0x01
#define PSH 0x08
#define CWR 0x80

uint64_t wt_random_next(uint64_t *state)
{
	/* SplitMix64 (Steele, Lea, Flood 2014). */
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffffu);
}

uint16_t wt_plain_sum(const uint8_t *data, size_t len, uint32_t before)
{
	uint32_t sum = before;

	for (size_t i = 0; i < len; i++) {
		sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
		sum = (sum & 0xffffu) + (sum >> 16);
	}
	return (uint16_t)((sum & 0xffffu) + (sum >> 16));
}

uint16_t wt_plain_pseudo(const uint8_t *packet, size_t len, size_t start, uint8_t protocol)
{
	bool ipv4 = packet[0] >> 4 == 4;
	uint32_t before = wt_plain_sum(packet + (ipv4 ? 12 : 8), ipv4 ? 8 : 32, 0);

	return wt_plain_sum(NULL, 0, before + protocol + (uint32_t)(len - start));
}

static size_t ip_header(const struct wt_run *run)
{
	return (run->family == AF_INET ? 20 : 40) + run->extra;
}

size_t wt_run_headers(const struct wt_run *run)
{
	return ip_header(run) + (run->protocol == IPPROTO_TCP ? 20 + run->tcp_extra : 8);
}

size_t wt_run_count(const struct wt_run *run)
{
	return run->size ? (run->payload + run->size - 1) / run->size : 1;
}

static size_t checksum_offset(const struct wt_run *run)
{
	return run->protocol == IPPROTO_TCP ? 16 : 6;
}

static void make_ipv4(const struct wt_run *run, uint8_t *out, size_t len, size_t i)
{
	static const uint8_t addresses[8] = { 10, 1, 0, 2, 10, 2, 0, 2 };
	uint16_t sum;

	memset(out + 20, 1, run->extra); /* no-operation */
	out[0] = (uint8_t)(0x40 + (20 + run->extra) / 4);
	out[1] = run->tos;
	put16(out + 2, len);
	put16(out + 4, (run->id + i) & 0xffffu);
	put16(out + 6, 0x4000); /* DF */
	out[8] = run->hops ? run->hops : 64;
	out[9] = run->protocol;
	put16(out + 10, 0);
	memcpy(out + 12, run->addresses ? run->addresses : addresses, 8);
	sum = (uint16_t)~wt_plain_sum(out, 20 + run->extra, 0);
	put16(out + 10, sum);
}

static void make_ipv6(const struct wt_run *run, uint8_t *out, size_t len)
{
	static const uint8_t addresses[32] = {
		[0] = 0xfd, [1] = 1, [15] = 2, [16] = 0xfd, [17] = 2, [31] = 2
	};

	put32(out, 0x60000000u | (uint32_t)run->tos << 20 | (uint32_t)(run->seed & 0xfffffu));
	put16(out + 4, len - 40);
	out[6] = run->extra ? IPPROTO_DSTOPTS : run->protocol;
	out[7] = run->hops ? run->hops : 64;
	memcpy(out + 8, addresses, sizeof addresses);
	if (run->extra) {
		memset(out + 40, 0, run->extra); /* one-byte padding */
		out[40] = run->protocol;
		out[41] = (uint8_t)(run->extra / 8 - 1);
	}
}

static void make_upper(const struct wt_run *run, uint8_t *out, size_t len, size_t i, bool last)
{
	uint8_t flags = run->tcp_flags;

	put16(out, 1024 + (run->seed & 0x3fff));
	put16(out + 2, run->port);
	if (run->protocol == IPPROTO_UDP) {
		put16(out + 4, len);
		put16(out + 6, 0);
		return;
	}
	if (!last)
		flags &= (uint8_t) ~(FIN | PSH);
	if (i > 0)
		flags &= (uint8_t)~CWR;
	put32(out + 4, run->sequence + (uint32_t)(i * run->size));
	put32(out + 8, (uint32_t)(run->seed >> 32));
	out[12] = (uint8_t)((20 + run->tcp_extra) / 4 << 4);
	out[13] = flags;
	put16(out + 14, 512);
	put16(out + 16, 0);
	put16(out + 18, flags & 0x20 ? 1 : 0);
	memset(out + 20, 1, run->tcp_extra);
}

/* All payload bytes in a row; packet i has those from i * size. */
static void make_payload(const struct wt_run *run, uint8_t *out, size_t at, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		uint64_t word = run->seed + (at + k) / 8;

		out[k] = (uint8_t)(wt_random_next(&word) >> 8 * ((at + k) % 8));
	}
}

static size_t make(const struct wt_run *run, uint8_t *out, size_t i, size_t at, size_t n)
{
	size_t headers = wt_run_headers(run), start = ip_header(run), len = headers + n;

	if (run->family == AF_INET)
		make_ipv4(run, out, len, i);
	else
		make_ipv6(run, out, len);
	make_upper(run, out + start, len - start, i, at + n == run->payload);
	make_payload(run, out + headers, at, n);
	return len;
}

size_t wt_run_whole(const struct wt_run *run, uint8_t *out)
{
	size_t len = make(run, out, 0, 0, run->payload), start = ip_header(run);

	put16(out + start + checksum_offset(run), wt_plain_pseudo(out, len, start, run->protocol));
	return len;
}

/* Packet `i`, the checksum field zero. */
static size_t make_packet(const struct wt_run *run, size_t i, uint8_t *out)
{
	size_t at = i * run->size, rest = run->payload - at;

	return make(run, out, i, at, run->size && rest > run->size ? run->size : rest);
}

size_t wt_run_partial(const struct wt_run *run, size_t i, uint8_t *out)
{
	size_t len = make_packet(run, i, out), start = ip_header(run);

	put16(out + start + checksum_offset(run), wt_plain_pseudo(out, len, start, run->protocol));
	return len;
}

size_t wt_run_packet(const struct wt_run *run, size_t i, uint8_t *out)
{
	size_t len = make_packet(run, i, out), start = ip_header(run);
	uint16_t sum = wt_plain_pseudo(out, len, start, run->protocol);

	sum = (uint16_t)~wt_plain_sum(out + start, len - start, sum);
	/* Linux: TCP segments that it cuts may say 0, which is as good. */
	if (sum == 0 && (run->protocol == IPPROTO_UDP || run->size == 0))
		sum = 0xffff;
	put16(out + start + checksum_offset(run), sum);
	return len;
}

struct wt_run wt_run_random(uint64_t *random, size_t most)
{
	struct wt_run run = {
		.family = wt_random_next(random) % 2 ? AF_INET : AF_INET6,
		.protocol = wt_random_next(random) % 2 ? IPPROTO_TCP : IPPROTO_UDP,
		.tcp_flags = (uint8_t)wt_random_next(random),
		.tos = (uint8_t)wt_random_next(random),
		.id = (uint16_t)wt_random_next(random),
		.sequence = (uint32_t)wt_random_next(random),
		.port = (uint16_t)wt_random_next(random),
		.seed = wt_random_next(random),
	};

	run.extra = wt_random_next(random) % 4 * 8;
	if (run.protocol == IPPROTO_TCP)
		run.tcp_extra = wt_random_next(random) % 11 * 4;
	run.payload = 1 + wt_random_next(random) % (65535 - wt_run_headers(&run));
	run.size = (uint16_t)(run.payload / most + 1 + wt_random_next(random) % 3000);
	return run;
}

void wt_run_zero_checksum(struct wt_run *run)
{
	static uint8_t packet[WT_RUN_MAX];
	const uint8_t *field = packet + ip_header(run) + checksum_offset(run);

	run->port = 0;
	(void)wt_run_packet(run, 0, packet);
	/* What the sum lacks to 0xffff is the checksum. */
	run->port = (uint16_t)(field[0] << 8 | field[1]);
}

struct wt_vnet wt_run_vnet(const struct wt_run *run)
{
	struct wt_vnet vnet = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				.segment_size = run->size,
				.checksum_start = (uint16_t)ip_header(run),
				.checksum_offset = (uint16_t)checksum_offset(run) };

	if (run->size == 0)
		return vnet;
	if (run->protocol == IPPROTO_UDP)
		vnet.type = 5; /* VIRTIO_NET_HDR_GSO_UDP_L4 */
	else if (run->family == AF_INET)
		vnet.type = VIRTIO_NET_HDR_GSO_TCPV4;
	else
		vnet.type = VIRTIO_NET_HDR_GSO_TCPV6;
	if (run->protocol == IPPROTO_TCP && run->tcp_flags & CWR)
		vnet.type |= VIRTIO_NET_HDR_GSO_ECN;
	return vnet;
}
