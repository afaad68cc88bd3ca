/* SPDX-License-Identifier: MIT
 *
 * replay.h: which counters of a datagram session were accepted before.
 *
 * The window ends at `top`, the largest counter accepted so far (0 at the
 * start), and holds `size` positions: top - size + 1 .. top. Contract, for any
 * 64-bit counter c:
 *
 *	c > top			new
 *	c <= top - size		old: refused whether or not it was ever seen
 *	otherwise		new unless c itself was marked: then seen
 *
 * Two steps, because no unauthenticated byte may move the window:
 *	1. wt_replay_check(c) before the record is opened: cheap, changes nothing;
 *	2. wt_replay_mark(c) after its tag verified. It decides again, so that of
 *	   two copies which both passed step 1 (a batch) only one is accepted.
 *
 * The bitmap is a ring as in RFC 6479: position c is bit c mod size, and
 * moving the window forward clears only what it passes over (at most all of
 * it, 8 KB). All `size` positions are usable. One thread at a time.
 */
#ifndef WT_RECORD_REPLAY_H
#define WT_RECORD_REPLAY_H

#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#include "record/drop.h"

struct wt_replay {
	uint64_t top;
	uint64_t *bits; /* the caller's */
	uint32_t size;	/* a power of two, WT_REPLAY_MIN..WT_REPLAY_MAX */
};

/* Bytes of bitmap for a window of `size` positions. */
#define WT_REPLAY_BYTES(size) ((size_t)(size) / 8u)

/* Start with nothing seen. `bits` is WT_REPLAY_BYTES(size) bytes, aligned for
 * uint64_t, cleared here, and outlives *window. WT_ERR_INVALID: `size` is not
 * a power of two in range. */
enum wt_status wt_replay_init(struct wt_replay *window, uint64_t *bits,
			      uint32_t size) WT_MUST_CHECK;

/* WT_DROP_NONE, WT_DROP_OLD or WT_DROP_REPLAY. */
enum wt_drop wt_replay_check(const struct wt_replay *window, uint64_t counter) WT_MUST_CHECK;

/* The same answer; when it is WT_DROP_NONE the counter is now seen. */
enum wt_drop wt_replay_mark(struct wt_replay *window, uint64_t counter) WT_MUST_CHECK;

#endif
