/* SPDX-License-Identifier: MIT
 *
 * fuzz_inner.c: the plaintext of a record, as a hostile peer may seal it.
 */
#include <string.h>
#include <sys/socket.h>
#include <whispertunnel/wire.h>

#include "fuzz.h"
#include "record/vnet.h"
#include "tun/tun.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As in a slot: the record's header lies before the plaintext. */
	uint8_t *record = malloc(WT_RECORD_HEADER + size);

	if (!record)
		return 0;
	uint8_t *text = record + WT_RECORD_HEADER;
	struct wt_inner_limits limits = { .inner_mtu = 1500 };
	struct wt_inner inner;

	if (size > 0)
		memcpy(text, data, size);
	if (wt_inner_parse(text, size, &limits, &inner) == WT_DROP_NONE) {
		FUZZ_CHECK(inner.body == text + 1 && inner.len == size - 1);
		if (inner.kind == WT_INNER_PACKET) {
			check_packet(&inner);
			wt_vnet_write(&inner);
			FUZZ_CHECK(memcmp(inner.body, data + 1, inner.len) == 0);
		} else if (inner.kind == WT_INNER_CONTROL) {
			check_control(&inner);
		} else {
			FUZZ_CHECK(inner.kind == WT_INNER_PADDING);
		}
	}
	free(record);
	return 0;
}
