/* SPDX-License-Identifier: MIT
 *
 * carve.h: a run cut to its packets where it lies, for records that are sealed
 * to another place: no payload is copied. Each packet's headers, with the kind
 * in front of them, are written over the end of the packet before, which has
 * been sealed by then.
 *
 *	the run      |headers|payload 1|payload 2|payload 3|
 *	packet 1    k|headers|payload 1|
 *	packet 2            k|headers|payload 2|
 *	packet 3                      k|headers|payload 3|
 *
 * The packets are those of record/segment.h. Pure; any thread.
 */
#ifndef WT_RECORD_CARVE_H
#define WT_RECORD_CARVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#include "record/segment.h"

/* IPv4 and TCP with all options have so much; IPv6 extension headers, which no
 * fast path has, may have more. */
#define WT_CARVE_HEADERS_MAX 120u

/* What stands before each packet: the kind. */
#define WT_CARVE_PREFIX 1u

/* A carve under way. The fields are the functions'. It may not be copied. */
struct wt_carve {
	struct wt_segments segments;
	uint8_t *run;
	uint8_t kind;
	uint8_t headers[WT_CARVE_HEADERS_MAX]; /* of the run: in it they are overwritten */
};

/* Begin: `segments` were begun (record/plan.h) and gave no packet yet, at `run`,
 * which may be written, as may the byte before it; `kind` is that of each
 * packet. False, and nothing happened: there are too many headers, use
 * wt_segments_next. */
bool wt_carve_start(struct wt_carve *carve, const struct wt_segments *segments, uint8_t *run,
		    uint8_t kind) WT_MUST_CHECK;

/* The next packet behind its kind, a record's plaintext: *text and its length, at
 * most WT_CARVE_PREFIX + wt_segments_largest(). It stays until the next call,
 * which overwrites its end. 0 after the last. */
size_t wt_carve_next(struct wt_carve *carve, const uint8_t **text) WT_MUST_CHECK;

#endif
