/* SPDX-License-Identifier: MIT
 *
 * flood.h: what stands between many first messages and the Diffie-Hellman:
 * the count of valid ones, and the tokens that prove a source can receive.
 *
 * A token is read by nobody but its maker:
 *	u32 minute || HMAC(secret, u32 minute || u32 peer || u8 k || LP(source) || e_i)[0..28)
 * with the minute of CLOCK_BOOTTIME, valid in that minute and the next. The
 * secret turns every 120 s, and the one before it still counts.
 *
 * Any thread; the lock is held for copying, never while hashing.
 */
#ifndef WT_HMAC_FLOOD_H
#define WT_HMAC_FLOOD_H

#include <pthread.h>
#include <stdbool.h>
#include <whispertunnel/auth.h>

#include "primitives.h"

struct wt_flood {
	pthread_mutex_t lock;
	uint64_t second; /* of boot time, that `now` counts */
	uint32_t now, before;
	uint64_t secret_ms; /* boot time at which secret[0] was drawn */
	uint8_t secret[2][HASH_SIZE];
};

enum wt_status wt_flood_init(struct wt_flood *flood, const struct wt_host *host) WT_MUST_CHECK;
void wt_flood_free(struct wt_flood *flood);

/* Count a valid mac1. True while there are too many: more than LOAD_PER_SECOND
 * in this second of boot time or in the one before. */
bool wt_flood_note(struct wt_flood *flood, const struct wt_host *host);

/* The token that `in`, a whole M1 of `peer_id`, must show. */
enum wt_status wt_flood_token(struct wt_flood *flood, const struct wt_primitives *p,
			      const struct wt_host *host, uint32_t peer_id,
			      const struct wt_auth_in *in, uint8_t token[TOKEN_SIZE]) WT_MUST_CHECK;
/* Does it show one that is valid now? */
bool wt_flood_token_valid(struct wt_flood *flood, const struct wt_primitives *p,
			  const struct wt_host *host, uint32_t peer_id,
			  const struct wt_auth_in *in);

#endif
