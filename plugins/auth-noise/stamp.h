/* SPDX-License-Identifier: MIT
 *
 * stamp.h: TAI64N, the time in M1: a label of 8 bytes, 2^62 + TAI seconds of
 * 1970, and nanoseconds of 4. It is not secret; only its order means much.
 */
#ifndef WT_NOISE_STAMP_H
#define WT_NOISE_STAMP_H

#include <stdbool.h>

#include "auth-common/bytes.h"

/* TAI was ten seconds ahead of UTC in 1970; leap seconds are ignored, as
 * everybody does who makes these from Unix time. */
#define WT_STAMP_EPOCH ((UINT64_C(1) << 62) + 10u)

struct wt_stamp {
	uint64_t label;
	uint32_t ns;
};

static inline struct wt_stamp wt_stamp_of(uint64_t unix_ms)
{
	return (struct wt_stamp){ WT_STAMP_EPOCH + unix_ms / 1000u,
				  (uint32_t)(unix_ms % 1000u) * 1000000u };
}

/* Unix milliseconds; what lies before 1970 is 0, what is too far is the most. */
static inline uint64_t wt_stamp_ms(struct wt_stamp stamp)
{
	const uint64_t ms = stamp.ns / 1000000u;
	uint64_t out;

	if (stamp.label < WT_STAMP_EPOCH)
		return 0;
	if (__builtin_mul_overflow(stamp.label - WT_STAMP_EPOCH, (uint64_t)1000, &out) ||
	    __builtin_add_overflow(out, ms, &out))
		return UINT64_MAX;
	return out;
}

static inline bool wt_stamp_after(struct wt_stamp a, struct wt_stamp b)
{
	return a.label > b.label || (a.label == b.label && a.ns > b.ns);
}

/* The next one: what is strictly greater and least. */
static inline struct wt_stamp wt_stamp_next(struct wt_stamp stamp)
{
	if (stamp.ns < UINT32_MAX)
		stamp.ns++;
	else
		stamp = (struct wt_stamp){ stamp.label + 1, 0 };
	return stamp;
}

static inline void wt_stamp_put(uint8_t *p, struct wt_stamp stamp)
{
	put64(p, stamp.label);
	put32(p + 8, stamp.ns);
}

static inline struct wt_stamp wt_stamp_get(const uint8_t *p)
{
	return (struct wt_stamp){ get64(p), get32(p + 8) };
}

#endif
