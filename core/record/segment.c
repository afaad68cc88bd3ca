/* SPDX-License-Identifier: MIT */
#include "record/segment.h"

#include <arpa/inet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "record/checksum.h"
#include "record/ip.h"
#include "record/vnet.h"

/* ---- what is there ------------------------------------------------------- */

static bool type_fits(uint8_t type, uint8_t family, uint8_t protocol)
{
	switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return family == AF_INET && protocol == IPPROTO_TCP;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return family == AF_INET6 && protocol == IPPROTO_TCP;
	case WT_VNET_UDP_L4:
		return protocol == IPPROTO_UDP;
	default: /* UFO is never asked for */
		return false;
	}
}

/* The TCP or UDP header of the run; `*l4` is set when it is found. */
static enum wt_drop find_header(const uint8_t *data, size_t len, const struct wt_packet *ip,
				struct wt_layer4 *l4)
{
	uint8_t protocol;
	size_t start;

	if (ip->family == AF_INET)
		return wt_layer4_parse(data, len, ip, l4);
	if (!wt_packet_skip_extensions(data, len, &start, &protocol))
		return WT_DROP_LAYER4;
	if (protocol == IPPROTO_FRAGMENT)
		return WT_DROP_FRAGMENT;
	return wt_layer4_parse_at(data, len, ip, start, protocol, l4);
}

/* The header's sum, but for what each packet has of its own. */
static uint64_t ipv4_sum(const uint8_t *header)
{
	uint64_t sum = wt_checksum_add(0, header, WT_IPV4_LENGTH);

	sum = wt_checksum_add(sum, header + WT_IPV4_FRAGMENT, WT_IPV4_CHECKSUM - WT_IPV4_FRAGMENT);
	return wt_checksum_add(sum, header + WT_IPV4_SOURCE,
			       (size_t)(header[0] & 0x0fu) * 4u - WT_IPV4_SOURCE);
}

enum wt_drop wt_segments_start(struct wt_segments *out, const uint8_t *data, size_t len,
			       const struct wt_packet *ip, const struct wt_vnet *vnet)
{
	struct wt_layer4 l4;
	enum wt_drop drop = find_header(data, len, ip, &l4);
	size_t size = vnet->segment_size;
	uint16_t partial, all;

	if (drop != WT_DROP_NONE)
		return drop;
	if (!type_fits(vnet->type, ip->family, l4.protocol) ||
	    !(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || vnet->checksum_start != l4.start ||
	    vnet->checksum_offset != l4.checksum_offset)
		return WT_DROP_OFFLOAD;
	if (len == l4.payload || len - l4.payload > size * WT_SEGMENTS_MAX_CUT)
		return WT_DROP_SEGMENTS;
	/* The field holds the pseudo-header's sum for the whole run. What it is
	 * otherwise made of (a source route's last address, say) stays in. */
	memcpy(&partial, data + l4.start + l4.checksum_offset, sizeof partial);
	all = (uint16_t)~htons((uint16_t)(len - l4.start));
	*out = (struct wt_segments){ .data = data,
				     .len = len,
				     .at = l4.payload,
				     .pseudo = (uint64_t)partial + all,
				     .ipv4 = ip->family == AF_INET ? ipv4_sum(data) : 0,
				     .id = wt_load_be16(data + WT_IPV4_ID),
				     .size = vnet->segment_size,
				     .family = ip->family,
				     .layer4 = l4 };
	return WT_DROP_NONE;
}

size_t wt_segments_largest(const struct wt_segments *s)
{
	size_t payload = s->len - s->layer4.payload;

	return s->layer4.payload + (payload < s->size ? payload : s->size);
}

/* ---- each packet --------------------------------------------------------- */

static void write_ip(const struct wt_segments *s, uint8_t *out, size_t len)
{
	if (s->family == AF_INET6) {
		wt_store_be16(out + WT_IPV6_LENGTH, (uint16_t)(len - WT_IPV6_HEADER));
		return;
	}

	uint16_t id = (uint16_t)(s->id + s->index), sum;

	wt_store_be16(out + WT_IPV4_LENGTH, (uint16_t)len);
	wt_store_be16(out + WT_IPV4_ID, id);
	sum = (uint16_t)~wt_checksum_fold(s->ipv4 + htons((uint16_t)len) + htons(id));
	memcpy(out + WT_IPV4_CHECKSUM, &sum, sizeof sum);
}

static void write_tcp(const struct wt_segments *s, uint8_t *header, bool last)
{
	uint32_t sequence = wt_load_be32(header + WT_TCP_SEQUENCE);

	wt_store_be32(header + WT_TCP_SEQUENCE, sequence + s->index * s->size);
	if (!last)
		header[WT_TCP_FLAGS] &= (uint8_t) ~(WT_TCP_FIN | WT_TCP_PSH);
	if (s->index > 0)
		header[WT_TCP_FLAGS] &= (uint8_t)~WT_TCP_CWR;
}

static void write_checksum(const struct wt_segments *s, uint8_t *header, size_t len)
{
	uint8_t *field = header + s->layer4.checksum_offset;
	uint64_t pseudo = s->pseudo + htons((uint16_t)len);
	uint16_t sum;

	if (s->partial) {
		sum = wt_checksum_fold(pseudo);
	} else {
		memset(field, 0, sizeof sum);
		sum = (uint16_t)~wt_checksum_fold(wt_checksum_add(pseudo, header, len));
		/* Of UDP, 0 would say that there is no checksum. */
		if (sum == 0 && s->layer4.protocol == IPPROTO_UDP)
			sum = 0xffffu;
	}
	memcpy(field, &sum, sizeof sum);
}

size_t wt_segments_payload(const struct wt_segments *s)
{
	size_t rest = s->len - s->at;

	return rest < s->size ? rest : s->size;
}

size_t wt_segments_finish(struct wt_segments *s, uint8_t *packet)
{
	size_t payload = wt_segments_payload(s), len = s->layer4.payload + payload;
	uint8_t *layer4 = packet + s->layer4.start;

	s->at += payload;
	write_ip(s, packet, len);
	if (s->layer4.protocol == IPPROTO_TCP)
		write_tcp(s, layer4, s->at == s->len);
	else
		wt_store_be16(layer4 + WT_UDP_LENGTH, (uint16_t)(len - s->layer4.start));
	write_checksum(s, layer4, len - s->layer4.start);
	s->index++;
	return len;
}

size_t wt_segments_next(struct wt_segments *s, uint8_t *out)
{
	size_t headers = s->layer4.payload, payload = wt_segments_payload(s);

	if (payload == 0)
		return 0;
	memcpy(out, s->data, headers);
	memcpy(out + headers, s->data + s->at, payload);
	return wt_segments_finish(s, out);
}
