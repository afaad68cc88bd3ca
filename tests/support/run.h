/* SPDX-License-Identifier: MIT
 *
 * run.h: TCP and UDP packets made from a description, by plain code that shares
 * nothing with core/: the whole run under one header as a kernel hands it over,
 * or each packet that it stands for.
 */
#ifndef WT_TEST_SUPPORT_RUN_H
#define WT_TEST_SUPPORT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/vnet.h"

#define WT_RUN_MAX 65535u

struct wt_run {
	int family;	   /* AF_INET or AF_INET6 */
	uint8_t protocol;  /* IPPROTO_TCP or IPPROTO_UDP */
	size_t payload;	   /* bytes */
	uint16_t size;	   /* of one segment; 0: a single packet */
	size_t extra;	   /* IPv4 options, or an IPv6 header of destination options */
	size_t tcp_extra;  /* TCP options */
	uint8_t tcp_flags; /* of the run */
	uint8_t tos, hops; /* hops 0: 64 */
	uint16_t id;
	uint32_t sequence;
	uint16_t port; /* destination */
	uint64_t seed; /* of the payload and what else does not matter */
	/* IPv4: source and destination, 8 bytes; NULL: 10.1.0.2, 10.2.0.2 */
	const uint8_t *addresses;
};

/* All headers together. */
size_t wt_run_headers(const struct wt_run *run);
/* How many packets it stands for: 1 if size is 0. */
size_t wt_run_count(const struct wt_run *run);

/* The run as one packet, its checksum partial; its length. `out` has room for
 * WT_RUN_MAX bytes. */
size_t wt_run_whole(const struct wt_run *run, uint8_t *out);
/* Packet `i` of it, complete; or its checksum partial. */
size_t wt_run_packet(const struct wt_run *run, size_t i, uint8_t *out);
size_t wt_run_partial(const struct wt_run *run, size_t i, uint8_t *out);
/* A run of random shape with at most `most` packets. */
struct wt_run wt_run_random(uint64_t *random, size_t most);
/* What a kernel says about the whole. */
struct wt_vnet wt_run_vnet(const struct wt_run *run);

/* Choose the port so that the checksum of packet 0 comes out as zero. */
void wt_run_zero_checksum(struct wt_run *run);

/* RFC 1071, byte by byte: the folded sum of data, and with a pseudo-header of an
 * IPv4 or IPv6 packet's upper layer that starts at `start`. Not inverted. */
uint16_t wt_plain_sum(const uint8_t *data, size_t len, uint32_t before);
uint16_t wt_plain_pseudo(const uint8_t *packet, size_t len, size_t start, uint8_t protocol);

/* Numbers that look random, from *state; never the same state twice. */
uint64_t wt_random_next(uint64_t *state);

#endif
