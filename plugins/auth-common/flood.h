/* SPDX-License-Identifier: MIT
 *
 * flood.h: what stands between many first messages and the Diffie-Hellman:
 * the count of valid ones, and the secrets from which tokens and cookies are
 * made, which prove that a source can receive.
 *
 * A secret is used for FLOOD_SECRET_MS of boot time, and what was made with the
 * one before is still accepted.
 *
 * Any thread; the lock is held for copying, never while hashing.
 */
#ifndef WT_AUTH_COMMON_FLOOD_H
#define WT_AUTH_COMMON_FLOOD_H

#include <pthread.h>
#include <stdbool.h>
#include <whispertunnel/auth.h>

#include "auth-common/limits.h"
#include "auth-common/primitives.h"

#define FLOOD_SECRETS 2u /* the current one, and the one before */

/* Events of this second of boot time and of the one before. */
struct wt_flood_meter {
	uint64_t second;
	uint32_t now, before;
};

struct wt_flood {
	pthread_mutex_t lock;
	struct wt_flood_meter accepts, answers;
	uint64_t secret_ms; /* boot time at which secret[0] was drawn */
	uint8_t secret[FLOOD_SECRETS][HASH_SIZE];
};

enum wt_status wt_flood_init(struct wt_flood *flood, const struct wt_host *host) WT_MUST_CHECK;
void wt_flood_free(struct wt_flood *flood);

/* Count one event on `meter`, which is one of flood's. True while there are too
 * many: more than LOAD_PER_SECOND in this second or in the one before. */
bool wt_flood_note(struct wt_flood *flood, struct wt_flood_meter *meter,
		   const struct wt_host *host);

/* Both secrets as of now, the current one first; the caller wipes them. */
void wt_flood_secrets(struct wt_flood *flood, const struct wt_host *host,
		      uint8_t out[FLOOD_SECRETS][HASH_SIZE]);

#endif
