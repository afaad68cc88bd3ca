/* SPDX-License-Identifier: MIT
 *
 * fuzz_offload.c: what a TUN may give, through both ends of a tunnel.
 *
 * Input: offload header 10 | the peer's features u8, record_max u32, inner MTU u16
 * | packet. The plan is carried out: what is sent is accepted by a receiver with
 * those limits and comes out as it went in; what is cut or finished is small
 * enough and sound, and cut in place it is the same. Then MSS clamp and too-big
 * answer see the packet.
 */
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <whispertunnel/wire.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "record/carve.h"
#include "record/checksum.h"
#include "record/mss.h"
#include "record/params.h"
#include "record/plan.h"
#include "record/too_big.h"
#include "tun/tun.h"

#define AT_FEATURES 10u
#define AT_RECORD_MAX 11u
#define AT_MTU 15u
#define AT_PACKET 17u
#define ROOM 32u /* before the packet, as in a slot */

static void check_sent(const struct wt_plan *plan, const struct wt_vnet *vnet, uint8_t *packet,
		       size_t len, const struct wt_inner_limits *limits)
{
	uint8_t *text = packet - plan->prefix_len, *copy = malloc(len);
	struct wt_inner inner;
	struct wt_vnet rebuilt;

	if (!copy)
		return;
	memcpy(copy, packet, len);
	memcpy(text, plan->prefix, plan->prefix_len);
	FUZZ_CHECK(WT_RECORD_HEADER + plan->prefix_len + len + WT_TAG_SIZE <= limits->record_max);
	FUZZ_CHECK(wt_inner_parse(text, plan->prefix_len + len, limits, &inner) == WT_DROP_NONE);
	FUZZ_CHECK(inner.kind == plan->prefix[0] && inner.body == packet && inner.len == len);
	wt_vnet_write(&inner);
	rebuilt = wt_vnet_read(packet - WT_TUN_HEADER);
	if (inner.kind != WT_INNER_PACKET) {
		uint8_t *field = copy + vnet->checksum_start + vnet->checksum_offset;

		FUZZ_CHECK(rebuilt.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
		FUZZ_CHECK(rebuilt.type == vnet->type);
		FUZZ_CHECK(rebuilt.checksum_start == vnet->checksum_start);
		FUZZ_CHECK(rebuilt.checksum_offset == vnet->checksum_offset);
		FUZZ_CHECK(vnet->type == VIRTIO_NET_HDR_GSO_NONE ||
			   rebuilt.segment_size == vnet->segment_size);
		/* The one number that has two forms. */
		if (wt_load_be16(field) == 0)
			wt_store_be16(field, 0xffff);
	}
	FUZZ_CHECK(memcmp(packet, copy, len) == 0);
	free(copy);
}

/* Cut where it lies, `run` gives the packets of a copy; those whose checksum is
 * left to the receiver are what it takes. */
static void check_carve(const struct wt_plan *plan, uint8_t *run,
			const struct wt_inner_limits *limits)
{
	struct wt_segments segments = plan->segments;
	uint8_t *copy = malloc(segments.len), *piece = malloc(1 + wt_segments_largest(&segments));
	struct wt_carve carve;
	struct wt_inner inner;
	const uint8_t *text;
	size_t n;

	if (copy && piece) {
		memcpy(copy, run, segments.len);
		segments.data = copy;
		piece[0] = plan->prefix[0];
		if (wt_carve_start(&carve, &plan->segments, run, plan->prefix[0])) {
			while ((n = wt_segments_next(&segments, piece + 1)) > 0) {
				FUZZ_CHECK(wt_carve_next(&carve, &text) == 1 + n);
				FUZZ_CHECK(memcmp(text, piece, 1 + n) == 0);
				FUZZ_CHECK(wt_inner_parse(piece, 1 + n, limits, &inner) ==
					   WT_DROP_NONE);
			}
			FUZZ_CHECK(wt_carve_next(&carve, &text) == 0);
		} else {
			FUZZ_CHECK(segments.layer4.payload > WT_CARVE_HEADERS_MAX);
		}
	}
	free(copy);
	free(piece);
}

static void check_cut(struct wt_plan *plan, const struct wt_inner_limits *limits)
{
	struct wt_segments *segments = &plan->segments;
	size_t largest = wt_segments_largest(segments), count = 0, payload = 0, n;
	size_t whole = segments->len - segments->layer4.payload;
	uint8_t *out = malloc(largest);

	if (!out)
		return;
	FUZZ_CHECK(largest <= limits->inner_mtu);
	FUZZ_CHECK(WT_RECORD_HEADER + 1 + largest + WT_TAG_SIZE <= limits->record_max);
	while ((n = wt_segments_next(segments, out)) > 0) {
		struct wt_packet ip;

		FUZZ_CHECK(n <= largest && n > segments->layer4.payload);
		FUZZ_CHECK(wt_packet_parse(out, n, &ip) == WT_DROP_NONE);
		FUZZ_CHECK(memcmp(out + segments->layer4.payload,
				  segments->data + segments->layer4.payload + payload,
				  n - segments->layer4.payload) == 0);
		payload += n - segments->layer4.payload;
		FUZZ_CHECK(++count <= WT_SEGMENTS_MAX_CUT);
	}
	FUZZ_CHECK(payload == whole);
	free(out);
}

static void check_finished(const struct wt_vnet *vnet, uint8_t *packet, size_t len)
{
	uint16_t before, after;
	const uint8_t *start = packet + vnet->checksum_start;
	size_t covered = len - vnet->checksum_start;

	before = wt_checksum_fold(wt_checksum_add(0, start, covered));
	wt_vnet_finish(vnet, packet, len);
	memcpy(&after, start + vnet->checksum_offset, sizeof after);
	FUZZ_CHECK(after == (before == 0xffffu ? 0xffffu : 0xffffu - before));
}

static void check_plan(const struct wt_vnet *vnet, uint8_t *packet, size_t len,
		       const struct wt_inner_limits *limits)
{
	struct wt_packet ip;
	struct wt_plan plan, cut;

	if (wt_packet_parse(packet, len, &ip) != WT_DROP_NONE)
		return;
	wt_plan_make(vnet, packet, len, &ip, limits, &plan);
	FUZZ_CHECK((plan.way == WT_PLAN_DROP) == (plan.drop != WT_DROP_NONE));
	switch (plan.way) {
	case WT_PLAN_DROP:
		break;
	case WT_PLAN_CUT:
		FUZZ_CHECK(plan.prefix_len == 1);
		FUZZ_CHECK(plan.prefix[0] ==
			   (plan.segments.partial ? WT_INNER_PARTIAL : WT_INNER_PACKET));
		FUZZ_CHECK(!plan.segments.partial || (limits->features & WT_FEATURE_PARTIAL));
		cut = plan;
		check_cut(&cut, limits);
		check_carve(&plan, packet, limits);
		break;
	case WT_PLAN_FINISH:
		FUZZ_CHECK(plan.prefix_len == 1 && plan.prefix[0] == WT_INNER_PACKET);
		check_finished(vnet, packet, len);
		break;
	case WT_PLAN_SEND:
		check_sent(&plan, vnet, packet, len, limits);
		break;
	}
}

/* Both see any bytes, and change none but the option and the checksum. */
static void check_mtu(uint8_t *packet, size_t len, uint32_t mtu)
{
	uint8_t answer[WT_TOO_BIG_MAX];
	struct wt_packet ip, back;
	size_t n = wt_too_big_build(answer, packet, len, mtu);

	FUZZ_CHECK(n <= sizeof answer);
	if (n > 0) {
		FUZZ_CHECK(wt_packet_parse(packet, len, &ip) == WT_DROP_NONE);
		FUZZ_CHECK(wt_packet_parse(answer, n, &back) == WT_DROP_NONE);
		FUZZ_CHECK(ip.family == back.family);
		FUZZ_CHECK(memcmp(ip.source, back.destination, ip.family == AF_INET ? 4 : 16) == 0);
	}
	if (wt_mss_clamp(packet, len, mtu, len & 1)) {
		FUZZ_CHECK(wt_packet_parse(packet, len, &ip) == WT_DROP_NONE);
		FUZZ_CHECK(!wt_mss_clamp(packet, len, mtu, len & 1));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wt_inner_limits limits;
	struct wt_vnet vnet;
	uint8_t *slot;
	size_t len;

	if (size < AT_PACKET)
		return 0;
	vnet = wt_vnet_read(data);
	limits = (struct wt_inner_limits){ .features = data[AT_FEATURES],
					   .record_max = wt_load_be32(data + AT_RECORD_MAX),
					   .inner_mtu = wt_load_be16(data + AT_MTU) };
	len = size - AT_PACKET;
	slot = malloc(ROOM + len);
	if (!slot)
		return 0;
	memcpy(slot + ROOM, data + AT_PACKET, len);
	check_plan(&vnet, slot + ROOM, len, &limits);
	memcpy(slot + ROOM, data + AT_PACKET, len);
	check_mtu(slot + ROOM, len, limits.inner_mtu);
	free(slot);
	return 0;
}
