/* SPDX-License-Identifier: MIT
 *
 * fuzz_inner.c: the plaintext of a record, as a hostile peer may seal it.
 */
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <whispertunnel/wire.h>

#include "fuzz.h"
#include "record/params.h"
#include "record/vnet.h"
#include "tun/tun.h"

static const struct wt_inner_limits everything = { .features =
							   WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS,
						   .inner_mtu = 1500 };

static void check_packet(const struct wt_inner *inner)
{
	const struct wt_packet *packet = &inner->packet;
	size_t address = packet->family == AF_INET ? 4 : 16;
	const uint8_t *end = inner->body + inner->len;

	FUZZ_CHECK(packet->family == AF_INET || packet->family == AF_INET6);
	FUZZ_CHECK(inner->body[0] >> 4 == (packet->family == AF_INET ? 4 : 6));
	FUZZ_CHECK(inner->len <= WT_PACKET_MAX);
	FUZZ_CHECK(packet->source > inner->body && packet->source + address <= end);
	FUZZ_CHECK(packet->destination == packet->source + address);
	FUZZ_CHECK(packet->destination + address <= end);
}

static void check_control(const struct wt_inner *inner)
{
	struct wt_control item;
	size_t at = 0, before = 0;

	while (wt_control_next(inner, &at, &item)) {
		FUZZ_CHECK(at > before && at <= inner->len);
		FUZZ_CHECK(item.value >= inner->body);
		FUZZ_CHECK(item.value + item.len == inner->body + at);
		if (item.type == WT_CONTROL_PING)
			FUZZ_CHECK(item.len == WT_PING_SIZE);
		if (item.type == WT_CONTROL_CLOSE)
			FUZZ_CHECK(item.len == 1 && wt_close_text(item.value[0]) != NULL);
		before = at;
	}
	/* What was accepted is walked to its end. */
	FUZZ_CHECK(at == inner->len);
}

/* The header that the kernel gets says no more than the packet holds. */
static void check_vnet(const struct wt_inner *inner)
{
	const struct wt_layer4 *l4 = &inner->layer4;
	struct wt_vnet vnet = wt_vnet_read(inner->body - WT_TUN_HEADER);
	size_t payload = inner->len - l4->payload;

	if (inner->kind == WT_INNER_PACKET) {
		FUZZ_CHECK(vnet.flags == 0 && vnet.type == VIRTIO_NET_HDR_GSO_NONE);
		return;
	}
	FUZZ_CHECK(vnet.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	FUZZ_CHECK(vnet.checksum_start == l4->start && l4->start < l4->payload);
	FUZZ_CHECK(vnet.checksum_offset == (l4->protocol == IPPROTO_TCP ? 16 : 6));
	FUZZ_CHECK((size_t)vnet.checksum_start + vnet.checksum_offset + 2 <= l4->payload);
	FUZZ_CHECK(l4->payload <= inner->len);
	FUZZ_CHECK((vnet.type != VIRTIO_NET_HDR_GSO_NONE) == (inner->kind == WT_INNER_SEGMENTS));
	if (inner->kind == WT_INNER_SEGMENTS) {
		FUZZ_CHECK(vnet.segment_size == inner->segment_size && vnet.segment_size >= 512);
		FUZZ_CHECK(payload > vnet.segment_size);
		FUZZ_CHECK((payload + vnet.segment_size - 1) / vnet.segment_size <= 128);
		FUZZ_CHECK((size_t)l4->payload + vnet.segment_size <= everything.inner_mtu);
	}
}

/* What is not a packet does not become one by what is offered. */
static void check_kind_refused(uint8_t *text, size_t size)
{
	static const struct wt_inner_limits nothing = { .inner_mtu = 1500 };
	struct wt_inner inner;

	if (text[0] == WT_INNER_PARTIAL || text[0] == WT_INNER_SEGMENTS)
		FUZZ_CHECK(wt_inner_parse(text, size, &nothing, &inner) == WT_DROP_KIND);
}

static void check_text(uint8_t *text, size_t size, const uint8_t *data)
{
	struct wt_inner inner;

	if (wt_inner_parse(text, size, &everything, &inner) != WT_DROP_NONE)
		return;
	size_t prefix = inner.kind == WT_INNER_SEGMENTS ? 3 : 1;

	FUZZ_CHECK(inner.kind == text[0]);
	FUZZ_CHECK(inner.body == text + prefix && inner.len == size - prefix);
	check_kind_refused(text, size);
	if (wt_inner_has_packet(&inner)) {
		check_packet(&inner);
		wt_vnet_write(&inner);
		check_vnet(&inner);
		/* At most the checksum was changed. */
		if (inner.kind != WT_INNER_PACKET) {
			size_t field = inner.layer4.start + inner.layer4.checksum_offset;

			memcpy(inner.body + field, data + prefix + field, 2);
		}
		FUZZ_CHECK(memcmp(inner.body, data + prefix, inner.len) == 0);
	} else if (inner.kind == WT_INNER_CONTROL) {
		check_control(&inner);
	} else {
		FUZZ_CHECK(inner.kind == WT_INNER_PADDING);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As in a slot: the record's header lies before the plaintext. */
	uint8_t *record = malloc(WT_RECORD_HEADER + size);
	struct wt_inner inner;

	if (!record)
		return 0;
	if (size > 0) {
		memcpy(record + WT_RECORD_HEADER, data, size);
		check_text(record + WT_RECORD_HEADER, size, data);
	} else {
		FUZZ_CHECK(wt_inner_parse(record + WT_RECORD_HEADER, 0, &everything, &inner) ==
			   WT_DROP_LENGTH);
	}
	free(record);
	return 0;
}
