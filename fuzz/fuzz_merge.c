/* SPDX-License-Identifier: MIT
 *
 * fuzz_merge.c: what a hostile peer seals in a row, put together for the TUN.
 *
 * Input: features u8 | inner MTU u16 | texts, each u16 length and so many bytes.
 * What is merged passes as a record of kind 0x03 with the same limits, and cut
 * again it is the packets that went in, to the byte, but for their checksums.
 */
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>
#include <whispertunnel/wire.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "record/merge.h"
#include "record/segment.h"
#include "record/vnet.h"

#define AT_TEXTS 3u
#define BEFORE 16u /* a record's header */

/* The parts in a row, with room before them for a kind and a size. */
static uint8_t *gather(struct wt_merge *merge, size_t *len)
{
	int count = wt_merge_finish(merge);
	uint8_t *out = malloc(WT_TUN_HEADER + merge->len);
	size_t at = 0;

	FUZZ_CHECK(count == 1 + (int)merge->count && count <= (int)WT_MERGE_PARTS);
	for (int i = 0; out && i < count; i++) {
		FUZZ_CHECK(at + merge->parts[i].iov_len <= WT_TUN_HEADER + merge->len);
		memcpy(out + at, merge->parts[i].iov_base, merge->parts[i].iov_len);
		at += merge->parts[i].iov_len;
	}
	*len = at - WT_TUN_HEADER;
	FUZZ_CHECK(!out || *len == merge->len);
	return out;
}

static void check_pieces(const struct wt_merge *merge, struct wt_segments *segments)
{
	size_t largest = wt_segments_largest(segments), n;
	uint8_t *piece = malloc(largest);

	if (!piece)
		return;
	segments->partial = true;
	for (uint32_t i = 0; (n = wt_segments_next(segments, piece)) > 0; i++) {
		struct wt_inner inner;

		FUZZ_CHECK(i < merge->count && n <= largest);
		wt_merge_packet(merge, i, &inner);
		FUZZ_CHECK(inner.kind == WT_INNER_PARTIAL && inner.len == n);
		memcpy(piece + inner.layer4.start + inner.layer4.checksum_offset,
		       inner.body + inner.layer4.start + inner.layer4.checksum_offset, 2);
		FUZZ_CHECK(memcmp(piece, inner.body, n) == 0);
	}
	FUZZ_CHECK(segments->index == merge->count);
	free(piece);
}

static void check_run(struct wt_merge *merge)
{
	size_t len;
	uint8_t *out = gather(merge, &len);
	struct wt_segments segments;
	struct wt_inner inner;
	struct wt_vnet vnet;

	if (!out)
		return;
	vnet = wt_vnet_read(out);
	FUZZ_CHECK(vnet.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	out[WT_TUN_HEADER - 3] = WT_INNER_SEGMENTS;
	wt_store_be16(out + WT_TUN_HEADER - 2, vnet.segment_size);
	FUZZ_CHECK(wt_inner_parse(out + WT_TUN_HEADER - 3, 3 + len, merge->own, &inner) ==
		   WT_DROP_NONE);
	FUZZ_CHECK(wt_segments_start(&segments, inner.body, len, &inner.packet, &vnet) ==
		   WT_DROP_NONE);
	check_pieces(merge, &segments);
	free(out);
}

static void flush(struct wt_merge *merge)
{
	if (merge->count > 1)
		check_run(merge);
	wt_merge_clear(merge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wt_inner_limits own;
	struct wt_merge merge;
	uint8_t *memory;

	if (size < AT_TEXTS)
		return 0;
	memory = malloc(BEFORE + size);
	if (!memory)
		return 0;
	memcpy(memory + BEFORE, data, size);
	own = (struct wt_inner_limits){ .features = data[0], .inner_mtu = wt_load_be16(data + 1) };
	wt_merge_init(&merge, &own);
	for (size_t at = AT_TEXTS; size - at > sizeof(uint16_t);) {
		size_t len = wt_load_be16(data + at), rest = size - at - sizeof(uint16_t);
		uint8_t *text = memory + BEFORE + at + sizeof(uint16_t);
		struct wt_inner inner;

		len = len < rest ? len : rest;
		at += sizeof(uint16_t) + len;
		if (wt_inner_parse(text, len, &own, &inner) != WT_DROP_NONE ||
		    !wt_inner_has_packet(&inner) || wt_merge_take(&merge, &inner))
			continue;
		flush(&merge);
		wt_merge_start(&merge, &inner);
	}
	flush(&merge);
	free(memory);
	return 0;
}
