/* SPDX-License-Identifier: MIT */
#include "record/plan.h"

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "record/params.h"

/* Will the receiver, who writes what it computes itself into the field, get the
 * packet that we have? Not with a checksum of an encapsulated packet, nor with
 * a source route, whose pseudo-header has another destination. */
static bool partial_as_expected(const struct wt_vnet *vnet, const uint8_t *data, size_t len,
				const struct wt_packet *ip, const struct wt_layer4 *l4)
{
	uint16_t expected, found;

	if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || vnet->checksum_start != l4->start ||
	    vnet->checksum_offset != l4->checksum_offset)
		return false;
	expected = wt_layer4_pseudo(l4, len, ip);
	memcpy(&found, data + l4->start + l4->checksum_offset, sizeof found);
	/* 0 and 0xffff are one number; the sum of a pseudo-header is never 0. */
	return found == expected || (found == 0 && expected == 0xffffu);
}

/* May the checksum of the packet, or of all packets of the run, be left to the
 * receiver? */
static bool may_be_partial(const struct wt_vnet *vnet, const uint8_t *data, size_t len,
			   const struct wt_packet *ip, const struct wt_inner_limits *peer)
{
	struct wt_layer4 l4;

	return (peer->features & WT_FEATURE_PARTIAL) &&
	       wt_layer4_parse(data, len, ip, &l4) == WT_DROP_NONE &&
	       partial_as_expected(vnet, data, len, ip, &l4);
}

static bool type_as_expected(uint8_t type, const struct wt_layer4 *l4)
{
	switch (type) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return l4->run_feature == WT_FEATURE_SEGMENTS_TCP4;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return l4->run_feature == WT_FEATURE_SEGMENTS_TCP6;
	case WT_VNET_UDP_L4:
		return l4->protocol == IPPROTO_UDP;
	default: /* also with VIRTIO_NET_HDR_GSO_ECN: CWR of the first segment alone */
		return false;
	}
}

static bool record_fits(size_t prefix, size_t len, const struct wt_inner_limits *peer)
{
	return WT_RECORD_HEADER + prefix + len + WT_TAG_SIZE <= peer->record_max;
}

static bool packet_fits(size_t len, const struct wt_inner_limits *peer)
{
	return len <= peer->inner_mtu && record_fits(1, len, peer);
}

static void go(struct wt_plan *plan, enum wt_plan_way way, enum wt_inner_kind kind)
{
	*plan = (struct wt_plan){ .way = way, .prefix = { (uint8_t)kind }, .prefix_len = 1 };
}

static void drop(struct wt_plan *plan, enum wt_drop why)
{
	*plan = (struct wt_plan){ .way = WT_PLAN_DROP, .drop = why };
}

static void plan_packet(const struct wt_vnet *vnet, const uint8_t *data, size_t len,
			const struct wt_packet *ip, const struct wt_inner_limits *peer,
			struct wt_plan *plan)
{
	if (!packet_fits(len, peer)) {
		drop(plan, WT_DROP_TOO_LARGE);
		return;
	}
	/* DATA_VALID says that the checksum is complete and was verified. */
	if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
		go(plan, WT_PLAN_SEND, WT_INNER_PACKET);
		return;
	}
	if (may_be_partial(vnet, data, len, ip, peer)) {
		go(plan, WT_PLAN_SEND, WT_INNER_PARTIAL);
		return;
	}
	if ((size_t)vnet->checksum_start + vnet->checksum_offset + sizeof(uint16_t) > len)
		drop(plan, WT_DROP_OFFLOAD);
	else
		go(plan, WT_PLAN_FINISH, WT_INNER_PACKET);
}

static bool run_accepted(const struct wt_vnet *vnet, const uint8_t *data, size_t len,
			 const struct wt_packet *ip, const struct wt_inner_limits *peer)
{
	struct wt_layer4 l4;

	return record_fits(WT_INNER_PREFIX_MAX, len, peer) &&
	       wt_layer4_parse(data, len, ip, &l4) == WT_DROP_NONE &&
	       (peer->features & l4.run_feature) && type_as_expected(vnet->type, &l4) &&
	       wt_layer4_check_run(&l4, len, vnet->segment_size, peer->inner_mtu) == WT_DROP_NONE &&
	       partial_as_expected(vnet, data, len, ip, &l4);
}

static void plan_run(const struct wt_vnet *vnet, const uint8_t *data, size_t len,
		     const struct wt_packet *ip, const struct wt_inner_limits *peer,
		     struct wt_plan *plan)
{
	struct wt_segments segments;
	enum wt_drop why;

	if (run_accepted(vnet, data, len, ip, peer)) {
		go(plan, WT_PLAN_SEND, WT_INNER_SEGMENTS);
		wt_store_be16(plan->prefix + 1, vnet->segment_size);
		plan->prefix_len = WT_INNER_PREFIX_MAX;
		return;
	}
	why = wt_segments_start(&segments, data, len, ip, vnet);
	if (why == WT_DROP_NONE && !packet_fits(wt_segments_largest(&segments), peer))
		why = WT_DROP_TOO_LARGE;
	if (why != WT_DROP_NONE) {
		drop(plan, why);
		return;
	}
	segments.partial = may_be_partial(vnet, data, len, ip, peer);
	go(plan, WT_PLAN_CUT, segments.partial ? WT_INNER_PARTIAL : WT_INNER_PACKET);
	plan->segments = segments;
}

void wt_plan_make(const struct wt_vnet *vnet, const uint8_t *data, size_t len,
		  const struct wt_packet *ip, const struct wt_inner_limits *peer,
		  struct wt_plan *plan)
{
	if (vnet->type == VIRTIO_NET_HDR_GSO_NONE)
		plan_packet(vnet, data, len, ip, peer, plan);
	else
		plan_run(vnet, data, len, ip, peer, plan);
}
