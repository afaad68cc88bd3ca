/* SPDX-License-Identifier: MIT
 *
 * inner.h: the plaintext of a record: one byte of kind, then what it says.
 *
 *	0x00 anything (keepalive)    0x01 one IP packet    0x10 control (TLVs)
 *	0x02 one IP packet whose TCP or UDP checksum the receiver's kernel finishes
 *	0x03 u16 segment size, and an IP packet that it also cuts
 *
 * 0x02 and 0x03 are sent only to a peer that offered them (record/params.h). To
 * one who did not they are refused as any other kind. docs/protocol.md "Inner
 * header".
 *
 * Pure functions on the caller's memory; any thread. Input has been opened, so
 * it comes from a peer; a peer may still be hostile.
 */
#ifndef WT_RECORD_INNER_H
#define WT_RECORD_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#include "record/drop.h"
#include "record/layer4.h"
#include "record/packet.h"

enum wt_inner_kind {
	WT_INNER_PADDING = 0x00,
	WT_INNER_PACKET = 0x01,
	WT_INNER_PARTIAL = 0x02,
	WT_INNER_SEGMENTS = 0x03,
	WT_INNER_CONTROL = 0x10
};

/* What stands before the packet, at most: kind and segment size. */
#define WT_INNER_PREFIX_MAX 3u

/* What one end takes: of its parameters those that speak of packets. */
struct wt_inner_limits {
	uint32_t features;   /* WT_FEATURE_* */
	uint32_t record_max; /* its largest record; sending */
	uint32_t inner_mtu;
};

struct wt_inner {
	enum wt_inner_kind kind;
	uint8_t *body; /* after the prefix: the packet, or the TLVs */
	size_t len;
	struct wt_packet packet; /* PACKET, PARTIAL, SEGMENTS. The caller checks its
				  * source against the peer's allowed_ips next. */
	struct wt_layer4 layer4; /* PARTIAL, SEGMENTS */
	uint16_t segment_size;	 /* SEGMENTS */
};

/* Is there a packet in it, for the TUN? */
static inline bool wt_inner_has_packet(const struct wt_inner *inner)
{
	return inner->kind == WT_INNER_PACKET || inner->kind == WT_INNER_PARTIAL ||
	       inner->kind == WT_INNER_SEGMENTS;
}

/* Read the plaintext of an opened record, `len` bytes at `text`; `own` is what
 * this end takes. WT_DROP_NONE means that all of it is sound: a packet passed
 * wt_packet_parse; one of kind 0x02 wt_layer4_parse too, one of kind 0x03 also
 * wt_layer4_check_run; every TLV of a control record has a length that is inside
 * and right for its type, so that nothing of a record takes effect unless all of
 * it can. On any other answer, theirs or
 *	WT_DROP_LENGTH	no kind, or 0x03 without a segment size
 *	WT_DROP_KIND	a kind, or a run of a protocol, that we do not take
 *	WT_DROP_CONTROL	a TLV is wrong
 * *out is not to be used. */
enum wt_drop wt_inner_parse(uint8_t *text, size_t len, const struct wt_inner_limits *own,
			    struct wt_inner *out) WT_MUST_CHECK;

/* ---- control ------------------------------------------------------------- */

enum wt_control_type {
	WT_CONTROL_CLOSE = 1,	       /* u8 reason */
	WT_CONTROL_PING = 2,	       /* 8 bytes that the PONG repeats */
	WT_CONTROL_PONG = 3,	       /* 8 */
	WT_CONTROL_REKEY = 4,	       /* 0 */
	WT_CONTROL_PATH_CHALLENGE = 5, /* 8 */
	WT_CONTROL_PATH_RESPONSE = 6,  /* 8 */
	WT_CONTROL_PROBE = 7,	       /* u16 id */
	WT_CONTROL_PROBE_ACK = 8,      /* u16 id */
	WT_CONTROL_PAD = 9	       /* any length */
};

enum wt_close_reason {
	WT_CLOSE_SHUTDOWN = 1,
	WT_CLOSE_REPLACED = 2,
	WT_CLOSE_REMOVED = 3,
	WT_CLOSE_PROTOCOL = 4
};

#define WT_PING_SIZE 8u

struct wt_control {
	uint8_t type; /* enum wt_control_type, or one to skip */
	uint16_t len;
	const uint8_t *value; /* inside the record */
};

/* Walk the TLVs of an inner of kind CONTROL: *at starts at 0 and is the
 * function's. false at the end. A record can hold thousands of one type: the
 * caller answers at most one PING of a record, with the last one's bytes. */
bool wt_control_next(const struct wt_inner *inner, size_t *at, struct wt_control *out);

/* Build the plaintext of a record with one TLV, kind byte included, and return
 * its length, at most WT_CONTROL_MAX. */
#define WT_CONTROL_MAX (1u + 3u + WT_PING_SIZE)
size_t wt_control_close(uint8_t out[WT_CONTROL_MAX], enum wt_close_reason reason) WT_MUST_CHECK;
size_t wt_control_ping(uint8_t out[WT_CONTROL_MAX],
		       const uint8_t payload[WT_PING_SIZE]) WT_MUST_CHECK;
size_t wt_control_pong(uint8_t out[WT_CONTROL_MAX],
		       const uint8_t payload[WT_PING_SIZE]) WT_MUST_CHECK;
size_t wt_control_rekey(uint8_t out[WT_CONTROL_MAX]) WT_MUST_CHECK;
size_t wt_control_path_challenge(uint8_t out[WT_CONTROL_MAX],
				 const uint8_t payload[WT_PING_SIZE]) WT_MUST_CHECK;
size_t wt_control_path_response(uint8_t out[WT_CONTROL_MAX],
				const uint8_t payload[WT_PING_SIZE]) WT_MUST_CHECK;
size_t wt_control_probe_ack(uint8_t out[WT_CONTROL_MAX], uint16_t id) WT_MUST_CHECK;

/* A PROBE of exactly `text_len` bytes, filled up with PAD: WT_PROBE_TEXT_MIN, or
 * WT_PROBE_TEXT_PADDED up to WT_RECORD_MAX less header and tag; `out` has room
 * for so much. Returns text_len, or 0 for a length that no PROBE has. */
#define WT_PROBE_TEXT_MIN (1u + 3u + 2u)
#define WT_PROBE_TEXT_PADDED (WT_PROBE_TEXT_MIN + 3u)
size_t wt_control_probe(uint8_t *out, size_t text_len, uint16_t id) WT_MUST_CHECK;

/* "shutdown", for logs; "unknown reason" outside the range. */
const char *wt_close_text(uint8_t reason);

#endif
