/* SPDX-License-Identifier: MIT
 *
 * usage: bench_allowed_ips
 *
 * Nanoseconds for one look-up of an address over 1..65536 peers, each with an
 * IPv4 /32 and an IPv6 /128 or a random /24 and /64: the packet path does one
 * a packet in each direction.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/bytes.h"
#include "session/allowed_ips.h"

#define ADDRESSES 4096u
#define ROUNDS 200u

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* The prefix of peer `i`: hosts in a row, or networks all over. */
static struct wt_prefix prefix_of(uint8_t family, bool scattered, uint32_t i)
{
	struct wt_prefix p = { .family = family };

	if (family == AF_INET) {
		p.length = scattered ? 24 : 32;
		wt_store_be32(p.bytes, scattered ? (uint32_t)draw() << 8 : 0x0a080000u + i);
	} else {
		p.length = scattered ? 64 : 128;
		wt_store_be64(p.bytes, scattered ? draw() : UINT64_C(0xfd00) << 48);
		wt_store_be64(p.bytes + 8, scattered ? 0 : i);
	}
	return p;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Best of three, so that another process on the core does not count. */
static double measure(const struct wt_allowed_ips *table, uint8_t family, uint8_t (*addresses)[16])
{
	double best = 1e30;
	uint32_t sum = 0;

	for (int run = 0; run < 3; run++) {
		double start = now_ns();

		for (unsigned round = 0; round < ROUNDS; round++)
			for (unsigned i = 0; i < ADDRESSES; i++)
				sum += wt_allowed_ips_lookup(table, family, addresses[i]);
		double ns = (now_ns() - start) / (ROUNDS * ADDRESSES);

		best = ns < best ? ns : best;
	}
	/* The sum is used, so the loop cannot be left out. */
	return sum == 1 ? -best : best;
}

static int row(uint32_t peers, uint8_t family, bool scattered)
{
	static uint8_t addresses[ADDRESSES][16];
	static struct wt_prefix prefixes[65536];
	struct wt_allowed_ips *table = wt_allowed_ips_new();

	if (!table)
		return 1;
	for (uint32_t i = 0; i < peers; i++) {
		prefixes[i] = prefix_of(family, scattered, i);
		enum wt_status status = wt_allowed_ips_insert(table, &prefixes[i], i, NULL);

		if (status != WT_OK && status != WT_ERR_LIMIT) {
			wt_allowed_ips_free(table);
			return 1;
		}
	}
	for (unsigned i = 0; i < ADDRESSES; i++)
		memcpy(addresses[i], prefixes[draw() % peers].bytes, 16);
	printf("%-5s %-15s %6u peers  %6.1f ns\n", family == AF_INET ? "IPv4" : "IPv6",
	       scattered ? "networks" : "hosts in a row", peers, measure(table, family, addresses));
	wt_allowed_ips_free(table);
	return 0;
}

int main(void)
{
	static const uint32_t sizes[] = { 1, 10, 100, 1000, 10000, 65536 };

	for (unsigned k = 0; k < 4; k++)
		for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
			if (row(sizes[s], k < 2 ? AF_INET : AF_INET6, k % 2 != 0) != 0) {
				fprintf(stderr, "bench_allowed_ips: out of memory\n");
				return 1;
			}
	return 0;
}
