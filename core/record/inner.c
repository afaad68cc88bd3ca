/* SPDX-License-Identifier: MIT */
#include "record/inner.h"

#include <string.h>

#include "base/bytes.h"
#include "record/params.h"

#define TLV_HEADER 3u

/* ---- control ------------------------------------------------------------- */

/* Is `len` right for a TLV of this type? Unknown types and padding may have any. */
static bool control_length_ok(uint8_t type, size_t len)
{
	switch (type) {
	case WT_CONTROL_CLOSE:
		return len == 1;
	case WT_CONTROL_PING:
	case WT_CONTROL_PONG:
	case WT_CONTROL_PATH_CHALLENGE:
	case WT_CONTROL_PATH_RESPONSE:
		return len == WT_PING_SIZE;
	case WT_CONTROL_REKEY:
		return len == 0;
	case WT_CONTROL_PROBE:
	case WT_CONTROL_PROBE_ACK:
		return len == 2;
	default:
		return true;
	}
}

/* The TLV at `at`; false when it does not fit into what is left. */
static bool control_at(const uint8_t *body, size_t len, size_t at, struct wt_control *out)
{
	if (len - at < TLV_HEADER)
		return false;
	out->type = body[at];
	out->len = wt_load_be16(body + at + 1);
	out->value = body + at + TLV_HEADER;
	return out->len <= len - at - TLV_HEADER;
}

static bool control_ok(const uint8_t *body, size_t len)
{
	struct wt_control tlv;

	for (size_t at = 0; at < len; at += TLV_HEADER + tlv.len)
		if (!control_at(body, len, at, &tlv) || !control_length_ok(tlv.type, tlv.len))
			return false;
	return true;
}

bool wt_control_next(const struct wt_inner *inner, size_t *at, struct wt_control *out)
{
	if (*at >= inner->len || !control_at(inner->body, inner->len, *at, out))
		return false;
	*at += TLV_HEADER + out->len;
	return true;
}

static size_t control_write(uint8_t *out, enum wt_control_type type, const void *value,
			    uint16_t len)
{
	out[0] = WT_INNER_CONTROL;
	out[1] = (uint8_t)type;
	wt_store_be16(out + 2, len);
	if (len > 0)
		memcpy(out + 1 + TLV_HEADER, value, len);
	return 1u + TLV_HEADER + len;
}

size_t wt_control_close(uint8_t out[WT_CONTROL_MAX], enum wt_close_reason reason)
{
	uint8_t value = (uint8_t)reason;

	return control_write(out, WT_CONTROL_CLOSE, &value, 1);
}

size_t wt_control_ping(uint8_t out[WT_CONTROL_MAX], const uint8_t payload[WT_PING_SIZE])
{
	return control_write(out, WT_CONTROL_PING, payload, WT_PING_SIZE);
}

size_t wt_control_pong(uint8_t out[WT_CONTROL_MAX], const uint8_t payload[WT_PING_SIZE])
{
	return control_write(out, WT_CONTROL_PONG, payload, WT_PING_SIZE);
}

size_t wt_control_rekey(uint8_t out[WT_CONTROL_MAX])
{
	return control_write(out, WT_CONTROL_REKEY, NULL, 0);
}

size_t wt_control_path_challenge(uint8_t out[WT_CONTROL_MAX], const uint8_t payload[WT_PING_SIZE])
{
	return control_write(out, WT_CONTROL_PATH_CHALLENGE, payload, WT_PING_SIZE);
}

size_t wt_control_path_response(uint8_t out[WT_CONTROL_MAX], const uint8_t payload[WT_PING_SIZE])
{
	return control_write(out, WT_CONTROL_PATH_RESPONSE, payload, WT_PING_SIZE);
}

static size_t control_id(uint8_t *out, enum wt_control_type type, uint16_t id)
{
	uint8_t value[2];

	wt_store_be16(value, id);
	return control_write(out, type, value, sizeof value);
}

size_t wt_control_probe_ack(uint8_t out[WT_CONTROL_MAX], uint16_t id)
{
	return control_id(out, WT_CONTROL_PROBE_ACK, id);
}

size_t wt_control_probe(uint8_t *out, size_t text_len, uint16_t id)
{
	size_t at, pad;

	if (text_len != WT_PROBE_TEXT_MIN &&
	    (text_len < WT_PROBE_TEXT_PADDED ||
	     text_len > WT_RECORD_MAX - WT_RECORD_HEADER - WT_TAG_SIZE))
		return 0;
	at = control_id(out, WT_CONTROL_PROBE, id);
	if (at == text_len)
		return at;
	pad = text_len - WT_PROBE_TEXT_PADDED;
	out[at] = WT_CONTROL_PAD;
	wt_store_be16(out + at + 1, (uint16_t)pad);
	memset(out + at + TLV_HEADER, 0, pad);
	return text_len;
}

const char *wt_close_text(uint8_t reason)
{
	switch (reason) {
	case WT_CLOSE_SHUTDOWN:
		return "shutdown";
	case WT_CLOSE_REPLACED:
		return "replaced";
	case WT_CLOSE_REMOVED:
		return "removed";
	case WT_CLOSE_PROTOCOL:
		return "protocol error";
	default:
		return "unknown reason";
	}
}

/* ---- the plaintext of a record ------------------------------------------- */

static enum wt_drop parse_packet(struct wt_inner *inner)
{
	return wt_packet_parse(inner->body, inner->len, &inner->packet);
}

static enum wt_drop parse_partial(struct wt_inner *inner)
{
	enum wt_drop drop = parse_packet(inner);

	if (drop != WT_DROP_NONE)
		return drop;
	return wt_layer4_parse(inner->body, inner->len, &inner->packet, &inner->layer4);
}

static enum wt_drop parse_segments(struct wt_inner *inner, const struct wt_inner_limits *own)
{
	enum wt_drop drop;

	if (inner->len < sizeof inner->segment_size)
		return WT_DROP_LENGTH;
	inner->segment_size = wt_load_be16(inner->body);
	inner->body += sizeof inner->segment_size;
	inner->len -= sizeof inner->segment_size;
	drop = parse_partial(inner);
	if (drop != WT_DROP_NONE)
		return drop;
	if (!(own->features & inner->layer4.run_feature))
		return WT_DROP_KIND;
	return wt_layer4_check_run(&inner->layer4, inner->len, inner->segment_size, own->inner_mtu);
}

enum wt_drop wt_inner_parse(uint8_t *text, size_t len, const struct wt_inner_limits *own,
			    struct wt_inner *out)
{
	if (len == 0)
		return WT_DROP_LENGTH;
	*out = (struct wt_inner){ .kind = (enum wt_inner_kind)text[0],
				  .body = text + 1,
				  .len = len - 1 };
	switch (text[0]) {
	case WT_INNER_PADDING:
		return WT_DROP_NONE;
	case WT_INNER_PACKET:
		return parse_packet(out);
	case WT_INNER_PARTIAL:
		return own->features & WT_FEATURE_PARTIAL ? parse_partial(out) : WT_DROP_KIND;
	case WT_INNER_SEGMENTS:
		return own->features & WT_FEATURE_SEGMENTS ? parse_segments(out, own)
							   : WT_DROP_KIND;
	case WT_INNER_CONTROL:
		return control_ok(out->body, out->len) ? WT_DROP_NONE : WT_DROP_CONTROL;
	default:
		return WT_DROP_KIND;
	}
}
