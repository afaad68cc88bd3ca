/* SPDX-License-Identifier: MIT */
#include "record/merge.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "record/checksum.h"
#include "record/ip.h"
#include "record/vnet.h"

/* What only the last packet of a run has. */
#define LAST_FLAGS (WT_TCP_FIN | WT_TCP_PSH)

void wt_merge_init(struct wt_merge *merge, const struct wt_inner_limits *own)
{
	merge->own = own;
	wt_merge_clear(merge);
}

void wt_merge_clear(struct wt_merge *merge)
{
	merge->count = 0;
	merge->len = 0;
	merge->open = false;
}

/* ---- does it go on? ------------------------------------------------------ */

/* What the headers of a run differ in: their words, for a sum. */
static uint64_t ipv4_rest(const uint8_t *packet)
{
	uint16_t len, id, checksum;

	memcpy(&len, packet + WT_IPV4_LENGTH, sizeof len);
	memcpy(&id, packet + WT_IPV4_ID, sizeof id);
	memcpy(&checksum, packet + WT_IPV4_CHECKSUM, sizeof checksum);
	return (uint64_t)len + id + checksum;
}

/* Mark what all headers of the run have in common. */
static void mark_same(struct wt_merge *merge)
{
	const struct wt_layer4 *l4 = &merge->first.layer4;
	uint8_t *same = merge->same, *layer4 = same + l4->start;

	memset(same, 0xff, l4->payload);
	if (merge->first.packet.family == AF_INET) {
		memset(same + WT_IPV4_LENGTH, 0, sizeof(uint16_t));
		memset(same + WT_IPV4_ID, 0, sizeof(uint16_t));
		memset(same + WT_IPV4_CHECKSUM, 0, sizeof(uint16_t));
	} else {
		memset(same + WT_IPV6_LENGTH, 0, sizeof(uint16_t));
	}
	memset(layer4 + l4->checksum_offset, 0, sizeof(uint16_t));
	if (l4->protocol == IPPROTO_TCP) {
		memset(layer4 + WT_TCP_SEQUENCE, 0, sizeof(uint32_t));
		layer4[WT_TCP_FLAGS] = (uint8_t)~LAST_FLAGS;
	} else {
		memset(layer4 + WT_UDP_LENGTH, 0, sizeof(uint16_t));
	}
}

/* All headers are so many words of 32 bits. */
static bool is_same(const struct wt_merge *merge, const uint8_t *packet)
{
	uint32_t ours, its, mask, differ = 0;

	for (size_t i = 0; i < merge->first.layer4.payload; i += sizeof ours) {
		memcpy(&ours, merge->first.body + i, sizeof ours);
		memcpy(&its, packet + i, sizeof its);
		memcpy(&mask, merge->same + i, sizeof mask);
		differ |= (ours ^ its) & mask;
	}
	return differ == 0;
}

static bool ipv4_goes_on(const struct wt_merge *merge, const uint8_t *packet)
{
	uint16_t id = (uint16_t)(wt_load_be16(merge->first.body + WT_IPV4_ID) + merge->count);

	return wt_load_be16(packet + WT_IPV4_ID) == id &&
	       wt_checksum_fold(wt_checksum_plus(merge->ipv4_sum, ipv4_rest(packet))) == 0xffffu;
}

static bool tcp_goes_on(const struct wt_merge *merge, const uint8_t *packet)
{
	const struct wt_layer4 *l4 = &merge->first.layer4;
	size_t at = l4->start + WT_TCP_SEQUENCE;

	return wt_load_be32(packet + at) ==
	       wt_load_be32(merge->first.body + at) + (uint32_t)(merge->len - l4->payload);
}

static bool headers_go_on(const struct wt_merge *merge, const struct wt_inner *inner)
{
	const struct wt_layer4 *ours = &merge->first.layer4, *its = &inner->layer4;

	/* Family, protocol and size of the headers: so much is compared. */
	return ours->run_feature == its->run_feature && ours->payload == its->payload &&
	       is_same(merge, inner->body) &&
	       (inner->packet.family == AF_INET6 || ipv4_goes_on(merge, inner->body)) &&
	       (its->protocol == IPPROTO_UDP || tcp_goes_on(merge, inner->body));
}

static size_t payload_of(const struct wt_inner *inner)
{
	return inner->len - inner->layer4.payload;
}

static bool goes_on(const struct wt_merge *merge, const struct wt_inner *inner)
{
	size_t size = payload_of(&merge->first), more;

	if (!merge->open || inner->kind != WT_INNER_PARTIAL)
		return false;
	more = payload_of(inner);
	return more > 0 && more <= size && merge->len + more <= WT_PACKET_MAX &&
	       wt_layer4_check_run(&merge->first.layer4, merge->len + more, (uint16_t)size,
				   merge->own->inner_mtu) == WT_DROP_NONE &&
	       headers_go_on(merge, inner);
}

/* May another follow, by what this one is? */
static bool may_begin(const struct wt_merge *merge, const struct wt_inner *inner)
{
	return inner->kind == WT_INNER_PARTIAL &&
	       (merge->own->features & inner->layer4.run_feature) != 0 &&
	       (inner->layer4.tcp_flags & LAST_FLAGS) == 0 &&
	       (inner->packet.family == AF_INET6 || wt_checksum_ipv4_ok(inner->body));
}

/* ---- the run ------------------------------------------------------------- */

static void hold(struct wt_merge *merge, const struct wt_inner *inner)
{
	size_t headers = inner->layer4.payload, payload = payload_of(inner);

	merge->len += payload;
	merge->last_flags = inner->layer4.tcp_flags;
	merge->count++;
	merge->parts[merge->count] = (struct iovec){ inner->body + headers, payload };
}

void wt_merge_start(struct wt_merge *merge, const struct wt_inner *inner)
{
	merge->first = *inner;
	merge->open = may_begin(merge, inner);
	if (merge->open) {
		/* The sum of all is right, 0xffff, which is 0: so the others' is
		 * what these words lack. */
		merge->ipv4_sum = ~ipv4_rest(inner->body);
		mark_same(merge);
	}
	merge->len = inner->layer4.payload;
	hold(merge, inner);
}

bool wt_merge_take(struct wt_merge *merge, const struct wt_inner *inner)
{
	if (!goes_on(merge, inner))
		return false;
	hold(merge, inner);
	merge->open = payload_of(inner) == payload_of(&merge->first) &&
		      (inner->layer4.tcp_flags & LAST_FLAGS) == 0;
	return true;
}

static void write_lengths(const struct wt_inner *run)
{
	uint8_t *packet = run->body;
	const struct wt_layer4 *l4 = &run->layer4;

	if (run->packet.family == AF_INET) {
		wt_store_be16(packet + WT_IPV4_LENGTH, (uint16_t)run->len);
		wt_checksum_ipv4_write(packet);
	} else {
		wt_store_be16(packet + WT_IPV6_LENGTH, (uint16_t)(run->len - WT_IPV6_HEADER));
	}
	if (l4->protocol == IPPROTO_UDP)
		wt_store_be16(packet + l4->start + WT_UDP_LENGTH, (uint16_t)(run->len - l4->start));
}

int wt_merge_finish(struct wt_merge *merge)
{
	size_t headers = merge->first.layer4.payload;
	struct wt_inner run = merge->first;

	run.kind = WT_INNER_SEGMENTS;
	run.segment_size = (uint16_t)payload_of(&merge->first);
	run.len = merge->len;
	run.body = merge->header + WT_TUN_HEADER;
	memcpy(run.body, merge->first.body, headers);
	write_lengths(&run);
	if (run.layer4.protocol == IPPROTO_TCP)
		run.body[run.layer4.start + WT_TCP_FLAGS] |= merge->last_flags & LAST_FLAGS;
	wt_vnet_write(&run);
	merge->parts[0] = (struct iovec){ merge->header, WT_TUN_HEADER + headers };
	return 1 + (int)merge->count;
}

void wt_merge_packet(const struct wt_merge *merge, uint32_t i, struct wt_inner *out)
{
	const struct iovec *part = &merge->parts[1 + i];
	size_t headers = merge->first.layer4.payload;
	ptrdiff_t moved = (uint8_t *)part->iov_base - headers - merge->first.body;

	/* What the packets differ in, nobody asks for but their length. */
	*out = merge->first;
	out->body += moved;
	out->len = headers + part->iov_len;
	out->packet.source += moved;
	out->packet.destination += moved;
}
