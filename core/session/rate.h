/* SPDX-License-Identifier: MIT
 *
 * rate.h: token buckets for (peer, source), in fixed memory.
 *
 * A bucket's place follows from a keyed hash of its name; in a full row the
 * fullest bucket is forgotten (it said the least). A stranger without the key
 * cannot choose collisions, and no flood grows the table.
 */
#ifndef WT_SESSION_RATE_H
#define WT_SESSION_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT_RATE_ROWS 256u
#define WT_RATE_WAYS 4u

struct wt_rate_bucket {
	uint64_t name; /* keyed hash; 0: free */
	uint64_t updated_ms;
	uint64_t millitokens;
};

struct wt_rate {
	uint64_t key[2];
	struct wt_rate_bucket buckets[WT_RATE_ROWS][WT_RATE_WAYS];
};

void wt_rate_init(struct wt_rate *rate, const uint8_t key[16]);

/* Take one token from the bucket of (peer_id, source), which gains
 * `per_second` up to `burst` (1..1000 each). False: it is empty. A time before
 * that of an earlier call counts as that. */
bool wt_rate_allow(struct wt_rate *rate, uint64_t now_ms, uint32_t peer_id, const void *source,
		   size_t source_len, uint32_t per_second, uint32_t burst);

#endif
